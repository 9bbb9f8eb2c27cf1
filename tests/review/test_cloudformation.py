"""A plan of CloudFormation types gives the risks, findings and figures that the same plan of the provider aws gives.

All plans are written by hand: no provider here can plan them.
"""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.review.review import Review, review
from tests.plan.cloudformation import AWS_TYPES, WAYS, Twins, address, written


def policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


TRUST = policy({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
ANYBODY = policy({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
READ = policy(allow("s3:GetObject", resource="arn:aws:s3:::sagemaker-data/*"))
ALL = policy(allow("*"))
OWN = policy(allow("kms:*", Principal={"AWS": "arn:aws:iam::123456789012:root"}))
FOREIGN = policy(allow("kms:*", Principal={"AWS": "arn:aws:iam::999999999999:root"}))

KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234"
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
IMAGE = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/xgboost:1"
TAGS = {"tags": {"team": "ml", "data_class": "internal"}}
TAG_LIST = {"tags": [{"key": "team", "value": "ml"}, {"key": "data_class", "value": "internal"}]}
VARIANT = {"variant_name": "all", "model_name": "delay", "initial_instance_count": 2, "instance_type": "ml.g5.xlarge"}
BLUE_GREEN = {
    "traffic_routing_configuration": {
        "type": "CANARY",
        "wait_interval_in_seconds": 300,
        "canary_size": {"type": "INSTANCE_COUNT", "value": 1},
    }
}
RULE_AWS = {"id": "old", "enabled": True, "prefix": "", "expiration": {"days": 30}}
RULE = {"id": "old", "status": "Enabled", "prefix": "", "expiration_in_days": 30}

TWINS = (
    Twins(
        "AWS::IAM::ManagedPolicy",
        {"name": "wide", "policy": ALL},
        {"managed_policy_name": "wide", "policy_document": ALL},
        {"policy": READ},
        {"policy_document": READ},
    ),
    Twins(
        "AWS::IAM::Role",
        {
            "name": "sagemaker",
            "assume_role_policy": TRUST,
            "inline_policy": {"name": "all", "policy": ALL},
            "managed_policy_arns": ["arn:aws:iam::aws:policy/AdministratorAccess"],
            **TAGS,
        },
        {
            "role_name": "sagemaker",
            "assume_role_policy_document": TRUST,
            "policies": [{"policy_name": "all", "policy_document": ALL}],
            "managed_policy_arns": ["arn:aws:iam::aws:policy/AdministratorAccess"],
            **TAG_LIST,
        },
        {"inline_policy": {"name": "all", "policy": READ}, "managed_policy_arns": []},
        {"policies": [{"policy_name": "all", "policy_document": READ}], "managed_policy_arns": []},
    ),
    Twins(
        "AWS::KMS::Key",
        {"policy": FOREIGN, "deletion_window_in_days": 7, "enable_key_rotation": False, "is_enabled": False},
        {"key_policy": FOREIGN, "pending_window_in_days": 7, "enable_key_rotation": False, "enabled": False},
        {"policy": OWN, "deletion_window_in_days": 30, "enable_key_rotation": True, "is_enabled": True},
        {"key_policy": OWN, "pending_window_in_days": 30, "enable_key_rotation": True, "enabled": True},
    ),
    Twins(
        "AWS::S3::Bucket",
        {
            "bucket": "sagemaker-data",
            "acl": "public-read",
            "versioning": {"enabled": False},
            "lifecycle_rule": [
                RULE_AWS,
                {"id": "tmp", "enabled": False, "abort_incomplete_multipart_upload_days": 3},
            ],
            **TAGS,
        },
        {
            "bucket_name": "sagemaker-data",
            "access_control": "PublicRead",
            "versioning_configuration": {"status": "Suspended"},
            "lifecycle_configuration": {
                "rules": [
                    RULE,
                    {
                        "id": "tmp",
                        "status": "Disabled",
                        "abort_incomplete_multipart_upload": {"days_after_initiation": 3},
                    },
                ]
            },
            **TAG_LIST,
        },
        {"acl": "private", "versioning": {"enabled": True}, "lifecycle_rule": []},
        {
            "access_control": "Private",
            "versioning_configuration": {"status": "Enabled"},
            "lifecycle_configuration": {"rules": []},
        },
    ),
    Twins(
        "AWS::SageMaker::Domain",
        {
            "domain_name": "studio",
            "auth_mode": "IAM",
            "app_network_access_type": "PublicInternetOnly",
            "default_user_settings": {
                "execution_role": ROLE,
                "jupyter_lab_app_settings": {
                    "custom_image": {"image_name": "lab", "app_image_config_name": "lab"},
                    "app_lifecycle_management": {
                        "idle_settings": {"lifecycle_management": "ENABLED", "idle_timeout_in_minutes": 600}
                    },
                },
            },
            **TAGS,
        },
        {
            "domain_name": "studio",
            "auth_mode": "IAM",
            "app_network_access_type": "PublicInternetOnly",
            "default_user_settings": {
                "execution_role": ROLE,
                "jupyter_lab_app_settings": {
                    "custom_images": [{"image_name": "lab", "app_image_config_name": "lab"}],
                    "app_lifecycle_management": {
                        "idle_settings": {"lifecycle_management": "ENABLED", "idle_timeout_in_minutes": 600}
                    },
                },
            },
            **TAG_LIST,
        },
        {"app_network_access_type": "VpcOnly", "kms_key_id": KEY},
        {"app_network_access_type": "VpcOnly", "kms_key_id": KEY},
    ),
    Twins(
        "AWS::SageMaker::Endpoint",
        {
            "name": "delay",
            "endpoint_config_name": "delay-2",
            "deployment_config": {"blue_green_update_policy": BLUE_GREEN},
            **TAGS,
        },
        {
            "endpoint_name": "delay",
            "endpoint_config_name": "delay-2",
            "deployment_config": {"blue_green_update_policy": BLUE_GREEN},
            **TAG_LIST,
        },
        {"endpoint_config_name": "delay-1"},
        {"endpoint_config_name": "delay-1"},
    ),
    Twins(
        "AWS::SageMaker::EndpointConfig",
        {
            "name": "delay-2",
            "kms_key_arn": KEY,
            "production_variants": VARIANT,
            "data_capture_config": {
                "initial_sampling_percentage": 100,
                "destination_s3_uri": "s3://sagemaker-data/capture",
                "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
            },
            **TAGS,
        },
        {
            "endpoint_config_name": "delay-2",
            "kms_key_id": KEY,
            "production_variants": [VARIANT],
            "data_capture_config": {
                "initial_sampling_percentage": 100,
                "destination_s3_uri": "s3://sagemaker-data/capture",
                "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
            },
            **TAG_LIST,
        },
        {"production_variants": {**VARIANT, "instance_type": "ml.m5.large"}},
        {"production_variants": [{**VARIANT, "instance_type": "ml.m5.large"}]},
    ),
    Twins(
        "AWS::SageMaker::FeatureGroup",
        {
            "feature_group_name": "flights",
            "record_identifier_feature_name": "id",
            "event_time_feature_name": "time",
            "role_arn": ROLE,
            "feature_definition": [
                {"feature_name": "id", "feature_type": "String"},
                {"feature_name": "time", "feature_type": "String"},
            ],
            "online_store_config": {"enable_online_store": True, "ttl_duration": {"unit": "Days", "value": 7}},
            "offline_store_config": {"s3_storage_config": {"s3_uri": "s3://sagemaker-data/features"}},
            "throughput_config": {"throughput_mode": "OnDemand"},
            **TAGS,
        },
        {
            "feature_group_name": "flights",
            "record_identifier_feature_name": "id",
            "event_time_feature_name": "time",
            "role_arn": ROLE,
            "feature_definitions": [
                {"feature_name": "id", "feature_type": "String"},
                {"feature_name": "time", "feature_type": "String"},
            ],
            "online_store_config": {"enable_online_store": True, "ttl_duration": {"unit": "Days", "value": 7}},
            "offline_store_config": {"s3_storage_config": {"s3_uri": "s3://sagemaker-data/features"}},
            "throughput_config": {"throughput_mode": "OnDemand"},
            **TAG_LIST,
        },
        {"online_store_config": {"enable_online_store": True}},
        {"online_store_config": {"enable_online_store": True}},
    ),
    Twins(
        "AWS::SageMaker::Model",
        {
            "name": "delay",
            "execution_role_arn": ROLE,
            "enable_network_isolation": False,
            "container": [
                {"image": IMAGE, "environment": {"SAGEMAKER_PROGRAM": "serve.py"}},
                {"image": IMAGE, "model_data_url": "s3://sagemaker-data/model.tar.gz"},
            ],
            "vpc_config": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]},
            **TAGS,
        },
        {
            "model_name": "delay",
            "execution_role_arn": ROLE,
            "enable_network_isolation": False,
            "containers": [
                {"image": IMAGE, "environment": json.dumps({"SAGEMAKER_PROGRAM": "serve.py"})},
                {"image": IMAGE, "model_data_url": "s3://sagemaker-data/model.tar.gz"},
            ],
            "vpc_config": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]},
            **TAG_LIST,
        },
        {"enable_network_isolation": True},
        {"enable_network_isolation": True},
    ),
    Twins(
        "AWS::SageMaker::ModelPackageGroup",
        {"model_package_group_name": "delay", **TAGS},
        {"model_package_group_name": "delay", **TAG_LIST},
        {"model_package_group_description": "old"},
        {"model_package_group_description": "old"},
    ),
    Twins(
        "AWS::SageMaker::NotebookInstance",
        {
            "name": "explore",
            "instance_type": "ml.t3.medium",
            "role_arn": ROLE,
            "volume_size": 20,
            "security_groups": ["sg-1"],
            "subnet_id": "subnet-1",
            "direct_internet_access": "Enabled",
            "root_access": "Enabled",
            **TAGS,
        },
        {
            "notebook_instance_name": "explore",
            "instance_type": "ml.t3.medium",
            "role_arn": ROLE,
            "volume_size_in_gb": 20,
            "security_group_ids": ["sg-1"],
            "subnet_id": "subnet-1",
            "direct_internet_access": "Enabled",
            "root_access": "Enabled",
            **TAG_LIST,
        },
        {"instance_type": "ml.p3.2xlarge", "direct_internet_access": "Disabled", "root_access": "Disabled"},
        {"instance_type": "ml.p3.2xlarge", "direct_internet_access": "Disabled", "root_access": "Disabled"},
    ),
)


def told(way: str, action: str, *resources: Twins) -> Any:
    """All that a review says, with each resource called by its CloudFormation type alone."""
    found = review(load(json.dumps(written(*resources, way=way, action=action)).encode(), "plan"))
    said = json.dumps(_said(found), default=str)
    for one in sorted(resources, key=lambda one: one.name, reverse=True):  # no name before one that it starts with
        said = said.replace(address(one.kind, one.name, way), one.kind)
    return {name: sorted(part) if name in ("risks", "findings") else part for name, part in json.loads(said).items()}


def _said(found: Review) -> dict[str, Any]:
    return {
        "changes": [(one.address, one.type, one.action, one.attributes) for one in found.changes],
        "risks": [(r.risk.id, r.risk.level, r.risk.address, r.risk.what, r.risk.known) for r in found.risks],
        "findings": [(f.rule, f.address, f.outcome, f.message, f.path) for f in found.findings],
        "figures": found.footprint.to_dict(),
        "verdict": found.verdict,
    }


@pytest.mark.parametrize("action", ["create", "update", "replace", "delete"])
@pytest.mark.parametrize("way", WAYS[1:])
@pytest.mark.parametrize("one", TWINS, ids=lambda one: one.kind)
def test_each_type_gives_what_its_twin_gives(one: Twins, way: str, action: str) -> None:
    assert told(way, action, one) == told("aws", action, one)


@pytest.mark.parametrize("action", ["create", "update", "delete"])
@pytest.mark.parametrize("way", WAYS[1:])
def test_all_together_join_as_their_twins_do(way: str, action: str) -> None:
    found = told(way, action, *TWINS)
    assert found == told("aws", action, *TWINS)
    assert found["figures"]["running"] != {} or action == "delete"


def test_every_type_with_a_twin_is_compared() -> None:
    assert {one.kind for one in TWINS} == set(AWS_TYPES)


def test_each_comparison_has_something_to_compare() -> None:
    for one in TWINS:
        said = [told("aws", action, one) for action in ("create", "update", "delete")]
        assert any(found["risks"] or found["findings"] or found["figures"]["resources"] for found in said), one.kind
