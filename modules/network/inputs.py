"""Inputs of `network`."""

from typing import Annotated

from modules.common import (
    ARN,
    AccountId,
    LocatedInputs,
    PrefixListId,
    RouteTableId,
    SecurityGroupId,
    SubnetId,
    VpcId,
)
from modules.network.services import SERVICES_BY_PURPOSE
from sustainable_mlops.authoring import Field, must, one_of, rule
from sustainable_mlops.authoring.expressions import can, every, length, match

Service = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9.-]*[a-z0-9]$",
        json_schema_extra=must("be a service such as kms, or a whole name such as aws.sagemaker.eu-north-1.studio"),
    ),
]
BucketArn = Annotated[
    str,
    Field(
        pattern=rf"^{ARN}:s3:::[a-z0-9.-]+$",
        json_schema_extra=must("be the ARN of a bucket such as arn:aws:s3:::jumpstart-cache-prod-eu-north-1"),
    ),
]
CidrBlock = Annotated[
    str,
    Field(
        pattern=r"^(\d{1,3}\.){3}\d{1,3}/([89]|[12]\d|3[0-2])$",
        json_schema_extra=must("be a range of IPv4 addresses such as 10.0.0.0/16"),
    ),
]
ClientName = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9_]{0,29}$",
        json_schema_extra=must("be at most 30 lower-case letters, digits and underscores"),
    ),
]


class Inputs(LocatedInputs):
    bucket_account_ids: list[AccountId] = Field(
        default_factory=list,
        description="Other accounts. Programs in the VPC may use the buckets of these accounts, within IAM and bucket "
        "policies.",
    )
    client_cidr_blocks: list[CidrBlock] = Field(
        default_factory=list,
        description="Addresses of other clients of the interface endpoints, such as all of the VPC: 10.0.0.0/16.",
    )
    client_security_group_ids: dict[ClientName, SecurityGroupId] = Field(
        default_factory=dict,
        description="Security groups of other clients of the interface endpoints, such as Lambda functions, by a name "
        "of your choice.",
    )
    endpoint_subnet_ids: list[SubnetId] | None = Field(
        None,
        min_length=1,
        description="Subnets of the interface endpoints, at most one in each Availability Zone. Each zone is billed. "
        "Default: subnet_ids.",
    )
    existing_s3_prefix_list_id: PrefixListId | None = Field(
        None,
        description="Prefix list of S3, if the route tables already have a gateway endpoint for S3. Default: this "
        "module creates the endpoint.",
    )
    purposes: list[Annotated[str, one_of(sorted(SERVICES_BY_PURPOSE))]] = Field(
        default_factory=list,
        description="Purposes of programs in the VPC that need interface endpoints. All programs of the VPC then use "
        "these endpoints. Default: none, because jobs and endpoints need only S3.",
    )
    readable_bucket_arns: list[BucketArn] = Field(
        default_factory=list,
        description="Buckets of AWS or of other accounts that programs in the VPC may read, such as JumpStart's.",
    )
    route_table_ids: list[RouteTableId] = Field(
        min_length=1, description="Route tables of the subnets. They get a route to S3."
    )
    services: list[Service] = Field(
        default_factory=list,
        description="More services with an interface endpoint, such as kms, ssm or events.",
    )
    subnet_ids: list[SubnetId] = Field(
        min_length=1, description="Private subnets of jobs, endpoints and Studio, in two or more Availability Zones."
    )
    vpc_id: VpcId = Field(description="VPC of the subnets. Its DNS support and DNS host names must be on.")

    rules = (
        rule(
            "name_prefix",
            lambda v: ~can(match("^sg-", v.name_prefix)),
            "must not start with sg-, which EC2 refuses in the name of a security group.",
        ),
        rule(
            "purposes",
            lambda v: (v.partition != "aws-cn") | (length(v.purposes) == 0),
            "must be empty in China, where names of endpoint services differ; list their whole names in services.",
        ),
        rule(
            "services",
            lambda v: every(v.services, lambda service: ~can(match(r"(^|\.)s3$", service))),
            "must not contain s3, which always has a gateway endpoint free of charge; remove it.",
        ),
    )
