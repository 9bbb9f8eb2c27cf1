"""What a container needs wherever SageMaker runs it: its image, its logs and metrics, features and, if asked, a VPC."""

from typing import Any

from modules.access import policy
from modules.access.s3 import BUCKET, OBJECTS
from sustainable_mlops.authoring.resources import Module, strings

FEATURES = "${local.sagemaker_arn}:feature-group/"


def add(module: Module[Any]) -> None:
    """Add the policies `container`, `features`, `offline_store` and `vpc`."""
    _container(module)
    _features(module)
    _vpc(module)


def _container(module: Module[Any]) -> None:
    images = (
        "concat([for account in lookup(local.framework_registries, var.region, []) : "
        '"arn:${var.partition}:ecr:${var.region}:${account}:repository/*"], var.image_repository_arns)'
    )
    module.local(
        "images",
        f"${{{images}}}",
        why="Every repository in the registries where AWS keeps SageMaker's images, and those that are named.",
    )
    logs = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/sagemaker/*"
    policy.add(
        module,
        "container",
        why="ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resource, hence the two *; its namespace "
        "bounds the latter.",
        phases="local.in_containers",
        skips={"CKV_AWS_356": "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resource"},
        statement=[
            {
                "sid": "Logs",
                "actions": [
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                "resources": [logs],
            },
            {
                "sid": "Metrics",
                "actions": ["cloudwatch:PutMetricData"],
                "resources": ["*"],
                "condition": [
                    {
                        "test": "StringLike",
                        "variable": "cloudwatch:namespace",
                        "values": ["/aws/sagemaker/*", "${var.name_prefix}/*"],
                    }
                ],
            },
            {"sid": "RegistryLogin", "actions": ["ecr:GetAuthorizationToken"], "resources": ["*"]},
            {
                "sid": "PullImages",
                "actions": [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                "resources": strings("local.images"),
            },
        ],
        lifecycle={
            "precondition": [
                {
                    "condition": "${length(local.images) > 0}",
                    "error_message": "No registry of SageMaker's framework images is known in ${var.region}: name the "
                    "repositories to pull from in image_repository_arns.",
                }
            ]
        },
    )


def _features(module: Module[Any]) -> None:
    read = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
    write = ["sagemaker:DeleteRecord", "sagemaker:PutRecord"]
    module.local(
        "feature_actions",
        {"data_preparation": sorted(read + write), "training": read, "inference": read},
    )
    asked = "if contains(local.phases, phase) && length(var.feature_group_names) > 0"
    policy.add(
        module,
        "features",
        why="Data preparation writes features; training and inference read the same ones.",
        phases=f"{{ for phase, actions in local.feature_actions : phase => actions {asked} }}",
        statement=[
            {
                "sid": "Records",
                "actions": strings("each.value"),
                "resources": strings(f'[for name in var.feature_group_names : "{FEATURES}${{name}}"]'),
            }
        ],
    )
    written = "var.s3_paths.data_preparation.write"
    glue = "arn:${var.partition}:glue:${var.region}:${var.account_id}"
    policy.add(
        module,
        "offline_store",
        why="Feature Store takes this role to write the offline store: it looks at the bucket's ACL, hands each object "
        "to the bucket's owner, and keeps the Glue table current.",
        phases='setintersection(local.phases, length(var.feature_group_names) > 0 ? ["data_preparation"] : [])',
        statement=[
            {
                "sid": "ReadBucketAcl",
                "actions": ["s3:GetBucketAcl"],
                "resources": strings(f"distinct([for path in {written} : {BUCKET}])"),
            },
            {
                "sid": "HandOver",
                "actions": ["s3:PutObjectAcl"],
                "resources": strings(f"[for path in {written} : {OBJECTS}]"),
                "condition": [
                    {"test": "StringEquals", "variable": "s3:x-amz-acl", "values": ["bucket-owner-full-control"]}
                ],
            },
            {
                "sid": "Table",
                "actions": ["glue:GetTable", "glue:UpdateTable"],
                "resources": [
                    f"{glue}:catalog",
                    f"{glue}:database/sagemaker_featurestore",
                    f"{glue}:table/sagemaker_featurestore/*",
                ],
            },
        ],
    )


def _vpc(module: Module[Any]) -> None:
    ec2 = "arn:${var.partition}:ec2:${var.region}:${var.account_id}"
    subnets = f'[for id in var.vpc.subnet_ids : "{ec2}:subnet/${{id}}"]'
    groups = f'[for id in var.vpc.security_group_ids : "{ec2}:security-group/${{id}}"]'
    interfaces = f"{ec2}:network-interface/*"
    in_subnets = {"test": "ArnEquals", "variable": "ec2:Subnet", "values": strings(subnets)}
    policy.add(
        module,
        "vpc",
        why="Network interfaces in the named subnets and security groups. The ec2:Describe calls know no resource.",
        phases="var.vpc == null ? toset([]) : local.in_containers",
        skips={"CKV_AWS_356": "the ec2:Describe calls know no resource"},
        statement=[
            {
                "sid": "Look",
                "actions": [
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ],
                "resources": ["*"],
            },
            {
                "sid": "CreateInterfaces",
                "actions": ["ec2:CreateNetworkInterface"],
                "resources": strings(f'concat(["{interfaces}"], {subnets}, {groups})'),
            },
            {
                "sid": "UseInterfaces",
                "actions": [
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteNetworkInterfacePermission",
                ],
                "resources": [interfaces],
                "condition": [in_subnets],
            },
        ],
    )
