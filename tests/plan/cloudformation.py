"""Manually written plans of CloudFormation types, because no provider here can plan them.

Each resource is given in two forms: as `aws_*` and as CloudFormation, both in snake case. `written` makes a complete
plan of them in one of three forms: `aws`, `awscc` or `cloudcontrol`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.plan.plan_builder import build_document
from tests.rules import plan_builder

FORMS = ("aws", "awscc", "cloudcontrol")
_ACTIONS = {"replace": ["delete", "create"]}
#: Between two words of a CloudFormation type, such as `OIDCProvider`.
_WORD_START = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: Words in capitals in CloudFormation.
_CAPITALS = {"sse": "SSE", "gb": "GB", "mb": "MB", "kms_master": "KMSMaster"}


class TypePair(NamedTuple):
    """One resource in both forms, after the plan and, if it differs, before it."""

    kind: str  # AWS::SageMaker::Model
    aws: Mapping[str, Any]
    awscc: Mapping[str, Any]
    aws_before: Mapping[str, Any] = {}
    awscc_before: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """Name of the resource's block."""
        return self.kind.rsplit("::", 1)[1].lower()


AWS_TYPES = {
    "AWS::EC2::SecurityGroupIngress": "aws_vpc_security_group_ingress_rule",
    "AWS::IAM::GroupPolicy": "aws_iam_group_policy",
    "AWS::IAM::OIDCProvider": "aws_iam_openid_connect_provider",
    "AWS::IAM::RolePolicy": "aws_iam_role_policy",
    "AWS::IAM::SAMLProvider": "aws_iam_saml_provider",
    "AWS::IAM::UserPolicy": "aws_iam_user_policy",
    "AWS::Lambda::Permission": "aws_lambda_permission",
    "AWS::Lambda::Url": "aws_lambda_function_url",
    "AWS::Logs::SubscriptionFilter": "aws_cloudwatch_log_subscription_filter",
    "AWS::S3::BucketPolicy": "aws_s3_bucket_policy",
    "AWS::SecretsManager::ResourcePolicy": "aws_secretsmanager_secret_policy",
    "AWS::SNS::Subscription": "aws_sns_topic_subscription",
    "AWS::SNS::TopicInlinePolicy": "aws_sns_topic_policy",
    "AWS::SNS::TopicPolicy": "aws_sns_topic_policy",
    "AWS::SQS::QueueInlinePolicy": "aws_sqs_queue_policy",
    "AWS::SQS::QueuePolicy": "aws_sqs_queue_policy",
    "AWS::IAM::ManagedPolicy": "aws_iam_policy",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::KMS::Key": "aws_kms_key",
    "AWS::S3::Bucket": "aws_s3_bucket",
    "AWS::SageMaker::Domain": "aws_sagemaker_domain",
    "AWS::SageMaker::Endpoint": "aws_sagemaker_endpoint",
    "AWS::SageMaker::EndpointConfig": "aws_sagemaker_endpoint_configuration",
    "AWS::SageMaker::FeatureGroup": "aws_sagemaker_feature_group",
    "AWS::SageMaker::Model": "aws_sagemaker_model",
    "AWS::SageMaker::ModelPackageGroup": "aws_sagemaker_model_package_group",
    "AWS::SageMaker::NotebookInstance": "aws_sagemaker_notebook_instance",
}


def build_address(kind: str, name: str, form: str) -> str:
    """Return the address of a resource of this CloudFormation type."""
    if form == "aws":
        return f"{AWS_TYPES[kind]}.{name}"
    if form == "cloudcontrol":
        return f"aws_cloudcontrolapi_resource.{name}"
    _, service, type_ = kind.split("::")
    return f"awscc_{service.lower()}_{_WORD_START.sub('_', type_).lower()}.{name}"


def build_changes(*resources: TypePair, form: str, action: str = "create") -> dict[str, Any]:
    """Return a plan that applies `action` to all these resources."""
    if form == "aws":
        values = {build_address(pair.kind, pair.name, form): pair.aws for pair in resources}
        before = {build_address(pair.kind, pair.name, form): pair.aws_before for pair in resources}
        return plan_builder.build_document(values, actions=dict.fromkeys(values, action), before=before)
    entries = [_build_entry(pair, form, action) for pair in resources]
    provider = {"name": form, "expressions": {"region": {"constant_value": "eu-north-1"}}}
    configuration = {
        "provider_config": {"provider": provider},
        "root_module": {
            "resources": [] if action == "delete" else [entry_configuration for _, entry_configuration in entries]
        },
    }
    return build_document(*(change for change, _ in entries), configuration=configuration)


def build_planned(plan: dict[str, Any]) -> dict[str, Any]:
    """Return such a plan with `planned_values`, which only some tests need."""
    resources = [{**entry, "values": entry["change"]["after"]} for entry in plan["resource_changes"]]
    return {**plan, "planned_values": {"root_module": {"resources": resources}}}


def _build_entry(pair: TypePair, form: str, action: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the resource's change and its configuration."""
    values = pair.awscc if form == "awscc" else _build_desired_state(pair.kind, pair.awscc)
    old = {**pair.awscc, **pair.awscc_before}
    before = old if form == "awscc" else _build_desired_state(pair.kind, old)
    where = build_address(pair.kind, pair.name, form)
    identity = {"address": where, "mode": "managed", "type": where.partition(".")[0], "name": pair.name}
    change = {
        "actions": _ACTIONS.get(action, [action]),
        "before": None if action == "create" else before,
        "after": None if action == "delete" else values,
        "after_unknown": {},
    }
    expressions = {name: {"constant_value": value} for name, value in values.items()}
    return {**identity, "change": change}, {**identity, "provider_config_key": "provider", "expressions": expressions}


def _build_desired_state(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type_name": kind, "desired_state": json.dumps(to_camel_case(values))}


def to_camel_case(values: Any) -> Any:
    """Convert snake case to CloudFormation's spelling. JSON text becomes the object that CloudFormation accepts."""
    if isinstance(values, list):
        return [to_camel_case(value) for value in values]
    if isinstance(values, dict):
        return {_convert_keys(name): to_camel_case(value) for name, value in values.items()}
    return json.loads(values) if isinstance(values, str) and values.startswith("{") else values


def _convert_keys(name: str) -> str:
    name = re.sub("^kms_master_key_id$", "KMSMasterKeyID", name)
    return "".join(_CAPITALS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


def build_policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def build_statement(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


TRUST = build_policy(
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
READ_STATEMENT = build_policy(build_statement("s3:GetObject", resource="arn:aws:s3:::sagemaker-data/*"))
ALL = build_policy(build_statement("*"))
OWN = build_policy(build_statement("kms:*", Principal={"AWS": "arn:aws:iam::123456789012:root"}))
FOREIGN = build_policy(build_statement("kms:*", Principal={"AWS": "arn:aws:iam::999999999999:root"}))

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


def _build_policy_pair(kind: str, owner: str, aws_owner: str, name: str, *, in_list: bool = False) -> TypePair:
    """Return a policy of `name` that changes to allow everything for another account, or for its identity."""
    wide, narrow = (ALL, READ_STATEMENT) if "IAM" in kind else (FOREIGN, OWN)
    name_attributes = {"policy_name": "wide"} if "IAM" in kind else {}
    return TypePair(
        kind,
        {aws_owner: name, "policy": wide, **({"name": "wide"} if name_attributes else {})},
        {owner: [name] if in_list else name, "policy_document": wide, **name_attributes},
        {"policy": narrow},
        {"policy_document": narrow},
    )


def _build_same_pair(kind: str, values: Mapping[str, Any], before: Mapping[str, Any]) -> TypePair:
    """Return a resource whose attributes have the same names in both forms."""
    return TypePair(kind, values, values, before, before)


TOPIC, QUEUE = "arn:aws:sns:eu-north-1:123456789012:done", "https://sqs.eu-north-1.amazonaws.com/123456789012/done"
#: One resource of each type, with an update that reduces its protection.
TWINS = (
    TypePair(
        "AWS::EC2::SecurityGroupIngress",
        {"security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ipv4": "0.0.0.0/0"},
        {"group_id": "sg-1", "ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ip": "0.0.0.0/0"},
        {"cidr_ipv4": "10.0.0.0/8"},
        {"cidr_ip": "10.0.0.0/8"},
    ),
    *(
        _build_policy_pair(f"AWS::IAM::{owner.title()}Policy", f"{owner}_name", owner, "someone")
        for owner in ("group", "role", "user")
    ),
    _build_same_pair(
        "AWS::IAM::OIDCProvider",
        {"url": "https://login.example.com", "client_id_list": ["sts.amazonaws.com", "other"]},
        {"client_id_list": ["sts.amazonaws.com"]},
    ),
    _build_same_pair(
        "AWS::IAM::SAMLProvider",
        {"name": "login", "saml_metadata_document": "<b/>"},
        {"saml_metadata_document": "<a/>"},
    ),
    _build_same_pair(
        "AWS::Lambda::Permission",
        {"function_name": "f", "action": "lambda:InvokeFunction", "principal": "*"},
        {"principal": "arn:aws:iam::123456789012:root"},
    ),
    TypePair(
        "AWS::Lambda::Url",
        {"function_name": "f", "authorization_type": "NONE"},
        {"target_function_arn": "f", "auth_type": "NONE"},
        {"authorization_type": "AWS_IAM"},
        {"auth_type": "AWS_IAM"},
    ),
    TypePair(
        "AWS::Logs::SubscriptionFilter",
        {"name": "audit", "log_group_name": "audit", "destination_arn": TOPIC.replace("123456789012", "999999999999")},
        {
            "filter_name": "audit",
            "log_group_name": "audit",
            "destination_arn": TOPIC.replace("123456789012", "999999999999"),
        },
        {"destination_arn": TOPIC},
        {"destination_arn": TOPIC},
    ),
    _build_policy_pair("AWS::S3::BucketPolicy", "bucket", "bucket", "sagemaker-data"),
    TypePair(
        "AWS::SecretsManager::ResourcePolicy",
        {"secret_arn": "token", "policy": FOREIGN},
        {"secret_id": "token", "resource_policy": FOREIGN},
        {"policy": OWN},
        {"resource_policy": OWN},
    ),
    _build_same_pair(
        "AWS::SNS::Subscription",
        {"topic_arn": TOPIC, "protocol": "https", "endpoint": "https://example.org"},
        {"protocol": "lambda", "endpoint": "arn:aws:lambda:eu-north-1:123456789012:function:f"},
    ),
    _build_policy_pair("AWS::SNS::TopicInlinePolicy", "topic_arn", "arn", TOPIC),
    _build_policy_pair("AWS::SNS::TopicPolicy", "topics", "arn", TOPIC, in_list=True),
    _build_policy_pair("AWS::SQS::QueueInlinePolicy", "queue", "queue_url", QUEUE),
    _build_policy_pair("AWS::SQS::QueuePolicy", "queues", "queue_url", QUEUE, in_list=True),
    TypePair(
        "AWS::IAM::ManagedPolicy",
        {"name": "wide", "policy": ALL},
        {"managed_policy_name": "wide", "policy_document": ALL},
        {"policy": READ_STATEMENT},
        {"policy_document": READ_STATEMENT},
    ),
    TypePair(
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
        {"inline_policy": {"name": "all", "policy": READ_STATEMENT}, "managed_policy_arns": []},
        {"policies": [{"policy_name": "all", "policy_document": READ_STATEMENT}], "managed_policy_arns": []},
    ),
    TypePair(
        "AWS::KMS::Key",
        {"policy": FOREIGN, "deletion_window_in_days": 7, "enable_key_rotation": False, "is_enabled": False},
        {"key_policy": FOREIGN, "pending_window_in_days": 7, "enable_key_rotation": False, "enabled": False},
        {"policy": OWN, "deletion_window_in_days": 30, "enable_key_rotation": True, "is_enabled": True},
        {"key_policy": OWN, "pending_window_in_days": 30, "enable_key_rotation": True, "enabled": True},
    ),
    TypePair(
        "AWS::S3::Bucket",
        {
            "bucket": "sagemaker-data",
            "acl": "public-read",
            "versioning": {"enabled": False},
            "lifecycle_rule": [RULE_AWS, {"id": "tmp", "enabled": False, "abort_incomplete_multipart_upload_days": 3}],
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
    TypePair(
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
    TypePair(
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
    TypePair(
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
    TypePair(
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
    TypePair(
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
    TypePair(
        "AWS::SageMaker::ModelPackageGroup",
        {"model_package_group_name": "delay", **TAGS},
        {"model_package_group_name": "delay", **TAG_LIST},
        {"model_package_group_description": "old"},
        {"model_package_group_description": "old"},
    ),
    TypePair(
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
