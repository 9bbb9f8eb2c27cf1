"""What a root module of an endpoint takes as given: SageMaker looks for all of it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sustainable_mlops.catalogue.images import is_registry_of_aws
from sustainable_mlops.sandbox.client import make_client
from sustainable_mlops.sandbox.context import DEFAULT_ACCOUNT, DEFAULT_REGION
from tests.sandbox.support import make_role, tar

_ROLE = re.compile(r"arn:aws:iam::123456789012:role/([\w+=,.@-]+)")
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([\w./-]+):([\w.-]+)")
_KEY = re.compile(r"arn:aws:kms:eu-north-1:123456789012:key/([\w-]+)")
_ADDRESS = re.compile(r"s3://([\w.-]+)/([\w./-]*)")
_MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}'
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
#: A model that says nothing.
_MODEL = "def model_fn(folder):\n    return None\ndef transform_fn(*_):\n    return '', 'text/plain'\n"


@contextmanager
def furnished(sandbox: Any, text: str) -> Iterator[None]:
    """As `furnish`; the buckets go again, as other examples make those of the same names. The log groups of jobs, of
    which an account has one each, are not there yet, whatever has run before."""
    logs = sandbox.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]:
        if group["logGroupName"].endswith("Jobs"):
            logs.delete_log_group(logGroupName=group["logGroupName"])
    s3, made = sandbox.client("s3"), furnish(sandbox, text)
    try:
        yield
    finally:
        for bucket in made:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for found in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=found["Key"])
            s3.delete_bucket(Bucket=bucket)


def furnish(sandbox: Any, text: str) -> set[str]:
    """Have the roles, images, keys, buckets and archives of models that the text names; the buckets that it made."""
    for role in sorted(set(_ROLE.findall(text))):
        make_role(sandbox, role)
        sandbox.client("iam").put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(_ALL))
    push_images(sandbox, text)
    for key in sorted(set(_KEY.findall(text))):
        make_key(sandbox, key)
    s3, made = sandbox.client("s3"), set[str]()
    for bucket, key in sorted(set(_ADDRESS.findall(text))):
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
            made.add(bucket)
        if key.endswith(".tar.gz"):
            s3.put_object(Bucket=bucket, Key=key, Body=tar(code__inference_py=_MODEL))
    return made


def push_images(sandbox: Any, text: str) -> None:
    """Each image that the text names, where it is in no registry of AWS's."""
    for account, region, repository, tag in sorted(set(_IMAGE.findall(text))):
        if not is_registry_of_aws(account):
            push_image(sandbox, repository, tag, account, region)


def push_image(
    sandbox: Any, repository: str, tag: str, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION
) -> None:
    """An image in an account's registry."""
    ecr = make_client("ecr", region, sandbox.endpoint, account)
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=repository)
    with suppress(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(repositoryName=repository, imageManifest=_MANIFEST, imageTag=tag)


def make_key(sandbox: Any, key: str) -> None:
    """A KMS key of that id."""
    kms = sandbox.client("kms")
    if key not in [one["KeyId"] for one in kms.list_keys()["Keys"]]:
        kms.create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": key}])
