"""Existing resources that root modules with endpoints need, because SageMaker checks them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.sandbox.support import create_tar, make_role, push_images

_ROLE = re.compile(r"arn:aws:iam::123456789012:role/([\w+=,.@-]+)")
_KEY = re.compile(r"arn:aws:kms:eu-north-1:123456789012:key/([\w-]+)")
_NETWORK_ID = re.compile(r"\b(vpc|subnet|rtb|sg)-[0-9a-f]{17}\b")
_BILLED_TAGS = re.compile(r"^ *cost_allocation_tags *= *\[(.*?)\]", re.M)
_CONNECTION = re.compile(r"arn:aws:events:eu-north-1:123456789012:connection/([\w.-]+)/")
_ADDRESS = re.compile(r"s3://([\w.-]+)/([\w./-]*)")
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
#: A model that returns empty text.
_MODEL = "def model_fn(folder):\n    return None\ndef transform_fn(*_):\n    return '', 'text/plain'\n"


@contextmanager
def provided_prerequisites(sandbox: Any, text: str) -> Iterator[None]:
    """Create prerequisites and delete the buckets afterward: other examples create buckets of the same names."""
    s3, buckets = sandbox.client("s3"), create_prerequisites(sandbox, text)
    try:
        yield
    finally:
        for bucket in buckets:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=item["Key"])
            s3.delete_bucket(Bucket=bucket)


def create_prerequisites(sandbox: Any, text: str) -> set[str]:
    """Create the roles, images, keys, networks, connections, billed tags, buckets and model archives in a text.

    Return the new buckets.
    """
    for role in sorted(set(_ROLE.findall(text))):
        make_role(sandbox, role)
        sandbox.client("iam").put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(_ALL))
    push_images(sandbox, text)
    for key in sorted(set(_KEY.findall(text))):
        create_key(sandbox, key)
    create_network(sandbox, text)
    for connection in sorted(set(_CONNECTION.findall(text))):
        create_connection(sandbox, connection, "Bearer token")
    for tag in (tag for tags in _BILLED_TAGS.findall(text) for tag in re.findall(r'"([^"]+)"', tags)):
        sandbox.client("sqs").create_queue(QueueName="billed", tags={tag: "any"})
    s3, buckets = sandbox.client("s3"), set[str]()
    for bucket, key in sorted(set(_ADDRESS.findall(text))):
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
            buckets.add(bucket)
        if key.endswith(".tar.gz"):
            s3.put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=_MODEL))
    return buckets


def create_key(sandbox: Any, key: str) -> None:
    """Create a KMS key with this id, if missing."""
    kms = sandbox.client("kms")
    if key not in [one["KeyId"] for one in kms.list_keys()["Keys"]]:
        kms.create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": key}])


def create_connection(sandbox: Any, name: str, token: str) -> str:
    """Create a connection that sends the token as the header Authorization, if missing. Return its ARN."""
    events = sandbox.client("events")
    with suppress(events.exceptions.ResourceNotFoundException):
        return str(events.describe_connection(Name=name)["ConnectionArn"])
    key = {"ApiKeyName": "Authorization", "ApiKeyValue": token}
    connection = events.create_connection(
        Name=name, AuthorizationType="API_KEY", AuthParameters={"ApiKeyAuthParameters": key}
    )
    return str(connection["ConnectionArn"])


def create_network(sandbox: Any, text: str) -> None:
    """Create the VPC that a text names with its subnets, route tables and security groups, if missing."""
    ids: dict[str, list[str]] = {}
    for network_id in sorted({match[0] for match in _NETWORK_ID.finditer(text)}):
        ids.setdefault(network_id.partition("-")[0], []).append(network_id)
    if "vpc" not in ids:
        return
    (vpc,) = ids["vpc"]
    ec2 = sandbox.client("ec2")
    existing = {
        *(one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]),
        *(one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]),
        *(one["RouteTableId"] for one in ec2.describe_route_tables()["RouteTables"]),
        *(one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]),
    }

    def create(operation: str, kind: str, chosen: str, **request: Any) -> None:
        if chosen not in existing:
            tags = [{"Key": "_custom_id_", "Value": chosen}]
            getattr(ec2, operation)(TagSpecifications=[{"ResourceType": kind, "Tags": tags}], **request)

    create("create_vpc", "vpc", vpc, CidrBlock="10.1.0.0/16")
    for number, subnet in enumerate(ids.get("subnet", ())):
        zone = f"eu-north-1{'abc'[number]}"
        create("create_subnet", "subnet", subnet, VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=zone)
    for table in ids.get("rtb", ()):
        create("create_route_table", "route-table", table, VpcId=vpc)
    for group in ids.get("sg", ()):
        create("create_security_group", "security-group", group, VpcId=vpc, GroupName=group, Description="A client.")
