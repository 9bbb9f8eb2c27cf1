"""Resources with CloudFormation types. All plans are hand-written: no provider here can plan them."""

import json
from typing import Any

from tests.plan.cloudformation import ALL, READ_STATEMENT, TRUST, TypePair, build_changes, to_camel_case
from tests.plan.plan_builder import build_change, build_document
from tests.review.missed_cases.case import Case

ADMINISTRATOR = TypePair(
    "AWS::IAM::Role",
    {},
    {
        "role_name": "sagemaker",
        "assume_role_policy_document": TRUST,
        "managed_policy_arns": ["arn:aws:iam::aws:policy/AdministratorAccess"],
    },
)
_GROUP = {"instance_group_name": "workers", "instance_type": "ml.p5.48xlarge", "instance_count": 16}
_CLUSTER = {"cluster_name": "hyperpod", "instance_groups": [{**_GROUP, "execution_role": "arn:aws:iam::1:role/r"}]}
_VARIANT = {"variant_name": "all", "model_name": "m", "instance_type": "ml.p4d.24xlarge", "initial_instance_count": 8}


def _bucket(before: Any, after: Any) -> dict[str, Any]:
    old, new = ({"bucket_name": "sagemaker-models", **settings} for settings in (before, after))
    return build_document(build_change("awscc_s3_bucket.b", new, before=old))


def _cloud_control(kind: str, properties: Any, **more: Any) -> dict[str, Any]:
    values = {"type_name": kind, "desired_state": json.dumps(to_camel_case(properties))}
    return build_document(build_change("aws_cloudcontrolapi_resource.x", values, **more))


def _build_unknown(kind: str) -> dict[str, Any]:
    return build_document(
        build_change("aws_cloudcontrolapi_resource.x", {"type_name": kind}, unknown={"desired_state": True})
    )


#: A policy that comes to allow everything, of a role that it lists itself.
WIDENED = (
    TypePair("AWS::IAM::Role", {}, {"role_name": "r", "assume_role_policy_document": TRUST}),
    TypePair(
        "AWS::IAM::ManagedPolicy",
        {},
        {"managed_policy_name": "p", "policy_document": ALL, "roles": ["r"]},
        {},
        {"policy_document": READ_STATEMENT},
    ),
)


def _endpoint(instance_type: str) -> dict[str, Any]:
    configuration = {"endpoint_config_name": "c", "production_variants": [{**_VARIANT, "instance_type": instance_type}]}
    return build_document(
        build_change("awscc_sagemaker_endpoint.e", {"endpoint_name": "e", "endpoint_config_name": "c"}),
        build_change("awscc_sagemaker_endpoint_config.c", configuration),
    )


CASES = {
    "a role with AdministratorAccess, by awscc": Case(
        build_changes(ADMINISTRATOR, form="awscc"), "stop", "AdministratorAccess"
    ),
    "a role with AdministratorAccess, by Cloud Control": Case(
        build_changes(ADMINISTRATOR, form="cloudcontrol"), "stop", "AdministratorAccess"
    ),
    "a role of which Cloud Control tells nothing before apply": Case(
        build_document(
            build_change(
                "aws_cloudcontrolapi_resource.r", {"type_name": "AWS::IAM::Role"}, unknown={"desired_state": True}
            )
        ),
        "look",
        "so it may allow more than before",
    ),
    "a group of models of which Cloud Control tells nothing before apply": Case(
        _build_unknown("AWS::SageMaker::ModelPackageGroup"),
        "look",
        "its desired_state is unknown until apply or sensitive",
    ),
    "a model of which Cloud Control tells nothing before apply": Case(
        _build_unknown("AWS::SageMaker::Model"), "look", "its desired_state is unknown until apply or sensitive"
    ),
    "a managed policy that comes to allow everything to a role that it lists": Case(
        build_changes(*WIDENED, form="cloudcontrol", action="update"), "stop", "new permission"
    ),
    "a key that is disabled": Case(
        build_document(build_change("awscc_kms_key.k", {"enabled": False}, before={"enabled": True})),
        "stop",
        "data encrypted with it is unreadable",
    ),
    "a bucket whose versioning is suspended": Case(
        _bucket(
            {"versioning_configuration": {"status": "Enabled"}}, {"versioning_configuration": {"status": "Suspended"}}
        ),
        "stop",
        "overwritten objects cannot be restored",
    ),
    "a bucket without its public access block": Case(
        _bucket({"public_access_block_configuration": {"block_public_policy": True}}, {}),
        "stop",
        "public access is no longer blocked",
    ),
    "a bucket that is made public": Case(
        _bucket({"access_control": "Private"}, {"access_control": "PublicRead"}), "stop", "objects are public"
    ),
    "a bucket whose objects newly expire": Case(
        _bucket({}, {"lifecycle_configuration": {"rules": [{"status": "Enabled", "expiration_in_days": 1}]}}),
        "stop",
        "objects in the whole bucket are deleted after 1 day",
    ),
    "an endpoint of eight GPU instances": Case(_endpoint("ml.p4d.24xlarge"), "look", "SUS_ENDPOINT_GPU"),
    "an endpoint on a type that SageMaker has no more": Case(_endpoint("ml.inf1.xlarge"), "stop", "inf1"),
    "a notebook with a GPU that never stops": Case(
        build_document(
            build_change("awscc_sagemaker_notebook_instance.n", {"instance_type": "ml.p3.2xlarge", "role_arn": "r"})
        ),
        "look",
        "SUS_NOTEBOOK_IDLE_SHUTDOWN",
    ),
    "a cluster of sixteen instances, by awscc": Case(
        build_document(build_change("awscc_sagemaker_cluster.x", _CLUSTER)), "look", "no estimate"
    ),
    "a cluster of sixteen instances, by Cloud Control": Case(
        _cloud_control("AWS::SageMaker::Cluster", _CLUSTER), "look", "no estimate"
    ),
    "a type of awscc that nobody reads": Case(
        build_document(build_change("awscc_emr_cluster.x", {"name": "spark"})), "look", "not reviewed"
    ),
    "a type of Cloud Control that nobody reads": Case(
        _cloud_control("AWS::EMR::Cluster", {"name": "spark"}), "look", "not reviewed"
    ),
    "a type of Cloud Control that is not known": Case(
        build_document(
            build_change("aws_cloudcontrolapi_resource.x", {}, unknown={"type_name": True, "desired_state": True})
        ),
        "look",
        "not reviewed",
    ),
    "a stack": Case(
        build_document(build_change("aws_cloudformation_stack.s", {"name": "s", "template_body": "{}"})),
        "look",
        "not reviewed",
    ),
    "a stack set": Case(
        build_document(build_change("aws_cloudformation_stack_set.s", {"name": "s", "template_body": "{}"})),
        "look",
        "not reviewed",
    ),
    "a stack set's instances": Case(
        build_document(
            build_change("aws_cloudformation_stack_set_instance.s", {"stack_set_name": "s", "account_id": "1"})
        ),
        "look",
        "not reviewed",
    ),
}
