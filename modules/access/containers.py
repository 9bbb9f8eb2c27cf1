"""Policies of SageMaker containers: images, logs, metrics, features and an optional VPC."""

from modules import containers
from modules.access import policy
from modules.access.inputs import Inputs
from modules.access.registries import FRAMEWORK_REGISTRIES
from modules.access.s3 import build_objects_arn, get_bucket_arn
from modules.feature_store import iam_statements as feature_store
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    contains,
    distinct,
    each_of,
    get,
    intersection,
    is_omitted,
    length,
    list_of,
    map_of,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> None:
    """Add the policies `container`, `features`, `offline_store` and `vpc`."""
    _add_container_policy(module)
    _add_feature_policies(module)
    _add_vpc_policy(module)


def _add_container_policy(module: Module[Inputs]) -> None:
    var, local = module.var, module.locals
    registries = module.local(
        "framework_registries",
        {region: list(accounts) for region, accounts in FRAMEWORK_REGISTRIES.items()},
        why="Accounts of AWS that serve SageMaker's framework images: XGBoost and scikit-learn, deep learning "
        "containers. Source: the SageMaker Python SDK.",
    )
    unknown: list[str] = []
    images = module.local(
        "images",
        concat(
            list_of(
                get(registries, var.region, unknown),
                lambda account: f"arn:{var.partition}:ecr:{var.region}:{account}:repository/*",
            ),
            var.image_repository_arns,
        ),
        why="All repositories in the registries of SageMaker's framework images, and the repositories of the inputs.",
    )
    policy.add(
        module,
        "container",
        containers.write_logs(var, "/aws/sagemaker/*"),
        containers.publish_metrics("/aws/sagemaker/*", f"{var.name_prefix}/*"),
        containers.log_in_to_registry(),
        containers.pull_images(images),
        why="ecr:GetAuthorizationToken and cloudwatch:PutMetricData have no resource, hence the two *. A condition "
        "limits the metrics to these namespaces.",
        phases=each_of(local.in_containers),
    )


def _add_feature_policies(module: Module[Inputs]) -> None:
    var, local = module.var, module.locals
    actions = module.local("feature_actions", feature_store.ACTIONS)
    feature_phase = each_of(
        map_of(
            actions,
            lambda _phase, actions: actions,
            where=lambda phase, _: contains(local.phases, phase) & (length(var.feature_group_names) > 0),
        )
    )
    policy.add(
        module,
        "features",
        feature_store.use_records(feature_phase.value, var.feature_group_names, var),
        why="Data preparation writes features; training and inference read the same ones.",
        phases=feature_phase,
    )
    paths = var.s3_paths.data_preparation.write
    no_phases: list[str] = []
    writers = when(length(var.feature_group_names) > 0, ["data_preparation"], no_phases)
    policy.add_shown_policy(
        module,
        "offline_store",
        *feature_store.write_offline_store(
            distinct(list_of(paths, lambda path: get_bucket_arn(var, path))),
            list_of(paths, lambda path: build_objects_arn(var, path)),
            var.kms_key_arn,
            var,
        ),
        why="Feature Store assumes this role to write the offline store. It reads the bucket's ACL, gives each object "
        "to the bucket's owner, encrypts with the key, and updates the Glue table. CreateFeatureGroup fails if "
        "kms:ViaService limits the use of the key.",
        phases=each_of(intersection(local.phases, writers)),
    )


def _add_vpc_policy(module: Module[Inputs]) -> None:
    var, local = module.var, module.locals
    ec2 = f"arn:{var.partition}:ec2:{var.region}:{var.account_id}"
    vpc = assume_not_null(var.vpc)
    subnets = list_of(vpc.subnet_ids, lambda subnet: f"{ec2}:subnet/{subnet}")
    groups = list_of(vpc.security_group_ids, lambda group: f"{ec2}:security-group/{group}")
    interfaces = f"{ec2}:network-interface/*"
    in_subnets = {"test": "ArnEquals", "variable": "ec2:Subnet", "values": subnets}
    no_phases: set[str] = set()
    policy.add(
        module,
        "vpc",
        {
            "sid": "DescribeNetwork",
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
            "resources": concat([interfaces], subnets, groups),
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
        why="Network interfaces in these subnets and security groups. The ec2:Describe actions have no resource.",
        phases=each_of(when(is_omitted(var.vpc), set_of(no_phases), local.in_containers)),
    )
