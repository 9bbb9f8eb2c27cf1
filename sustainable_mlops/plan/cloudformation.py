"""Mapping of CloudFormation types to the resource types of the provider `aws`.

The provider `awscc` writes the properties of a type in snake case. `aws_cloudcontrolapi_resource` writes them as JSON
text. Names and shapes come from CloudFormation's resource schemas (cfn-lint 1.51) and from the schema of the provider
aws 5.100.
"""

import json
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.plan.document import parse_embedded_json
from sustainable_mlops.plan.type_mapping import Converter, MappedReader, TypeMapping, to_snake_case
from sustainable_mlops.plan.values import UNKNOWN

AWSCC = "awscc_"
CLOUD_CONTROL = "aws_cloudcontrolapi_resource"


def _convert_policy(value: Any) -> Any:
    """Return a policy as JSON text; it may also be an object."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _convert_map(value: Any) -> Any:
    """Parse a map that awscc writes as JSON text."""
    mapping = parse_embedded_json(value) if isinstance(value, str) else value
    return mapping if isinstance(mapping, dict) else UNKNOWN


def _convert_tags(value: Any) -> Any:
    """Convert `[{"key": "team", "value": "ml"}]` to a map. Return `UNKNOWN` if any key is unknown."""
    tags: dict[str, Any] = {}
    for tag in value if isinstance(value, list) else [None]:
        pair = {to_snake_case(name): part for name, part in tag.items()} if isinstance(tag, dict) else {}
        if type(pair.get("key")) is not str:
            return UNKNOWN
        tags[pair["key"]] = pair.get("value", "")
    return tags


def _convert_enabled(value: Any) -> Any:
    return value == "Enabled"


def _convert_acl(value: Any) -> Any:
    """Convert `PublicRead` to `public-read`."""
    return to_snake_case(value).replace("_", "-") if isinstance(value, str) else value


def _convert_only_item(value: Any) -> Any:
    """Return the only item of a list, else `UNKNOWN`. The AWS provider has one resource for each item."""
    return value[0] if isinstance(value, list) and len(value) == 1 else UNKNOWN


def _build_mapping(
    type_: str,
    identity: Mapping[str, str],
    paths: Mapping[str, str] | None = None,
    values: Mapping[str, Converter] | None = None,
) -> TypeMapping:
    return TypeMapping(type_, identity, paths or {}, {"tags": _convert_tags, **(values or {})})


_RULES = "lifecycle_configuration.rules"
_EXPIRATION = "lifecycle_rule.expiration"
_TRANSITION = "lifecycle_rule.transition"
_OLD_VERSIONS = "lifecycle_rule.noncurrent_version"
_ENCRYPTION = "bucket_encryption.server_side_encryption_configuration"
_ENCRYPTION_RULE = "server_side_encryption_configuration.rule"


def _build_policy_mapping(type_: str, owner: tuple[str, str], *, has_list: bool = False, name: str = "") -> TypeMapping:
    """Return the mapping of a policy. `owner` has the attributes with the policy owner: CloudFormation, Terraform."""
    identity = {name: "name", "id": "id"} if name else {"id": "id"}
    values: dict[str, Converter] = {"policy_document": _convert_policy}
    if has_list:
        values[owner[0]] = _convert_only_item
    return _build_mapping(type_, identity, {owner[0]: owner[1], "policy_document": "policy"}, values)


#: The mapping of each type. All of them have `tags`.
TYPE_MAPPINGS = {
    "AWS::EC2::SecurityGroupIngress": _build_mapping(
        "aws_vpc_security_group_ingress_rule",
        {"id": "id"},
        {
            "group_id": "security_group_id",
            "cidr_ip": "cidr_ipv4",
            "source_security_group_id": "referenced_security_group_id",
            "source_prefix_list_id": "prefix_list_id",
        },
    ),
    "AWS::IAM::GroupPolicy": _build_policy_mapping("aws_iam_group_policy", ("group_name", "group"), name="policy_name"),
    "AWS::IAM::OIDCProvider": _build_mapping("aws_iam_openid_connect_provider", {"arn": "arn", "id": "id"}),
    "AWS::IAM::RolePolicy": _build_policy_mapping("aws_iam_role_policy", ("role_name", "role"), name="policy_name"),
    "AWS::IAM::SAMLProvider": _build_mapping("aws_iam_saml_provider", {"arn": "arn", "id": "id"}),
    "AWS::IAM::UserPolicy": _build_policy_mapping("aws_iam_user_policy", ("user_name", "user"), name="policy_name"),
    "AWS::Lambda::Permission": _build_mapping("aws_lambda_permission", {"id": "id"}),
    "AWS::Lambda::Url": _build_mapping(
        "aws_lambda_function_url",
        {"function_arn": "function_arn", "function_url": "function_url", "id": "id"},
        {"auth_type": "authorization_type", "target_function_arn": "function_name"},
    ),
    "AWS::Logs::SubscriptionFilter": _build_mapping(
        "aws_cloudwatch_log_subscription_filter", {"filter_name": "name", "id": "id"}
    ),
    "AWS::S3::BucketPolicy": _build_policy_mapping("aws_s3_bucket_policy", ("bucket", "bucket")),
    "AWS::SecretsManager::ResourcePolicy": _build_mapping(
        "aws_secretsmanager_secret_policy",
        {"id": "id"},
        {"secret_id": "secret_arn", "resource_policy": "policy"},
        {"resource_policy": _convert_policy},
    ),
    "AWS::SNS::Subscription": _build_mapping("aws_sns_topic_subscription", {"arn": "arn", "id": "id"}),
    "AWS::SNS::TopicInlinePolicy": _build_policy_mapping("aws_sns_topic_policy", ("topic_arn", "arn")),
    "AWS::SNS::TopicPolicy": _build_policy_mapping("aws_sns_topic_policy", ("topics", "arn"), has_list=True),
    "AWS::SQS::QueueInlinePolicy": _build_policy_mapping("aws_sqs_queue_policy", ("queue", "queue_url")),
    "AWS::SQS::QueuePolicy": _build_policy_mapping("aws_sqs_queue_policy", ("queues", "queue_url"), has_list=True),
    "AWS::IAM::ManagedPolicy": _build_mapping(
        "aws_iam_policy",
        {"managed_policy_name": "name", "policy_arn": "arn", "id": "arn"},
        {"policy_document": "policy"},
        {"policy_document": _convert_policy},
    ),
    "AWS::IAM::Role": _build_mapping(
        "aws_iam_role",
        {"role_name": "name", "arn": "arn", "id": "id", "role_id": "unique_id"},
        {
            "assume_role_policy_document": "assume_role_policy",
            "policies": "inline_policy",
            "policies.policy_name": "inline_policy.name",
            "policies.policy_document": "inline_policy.policy",
        },
        {"assume_role_policy_document": _convert_policy, "policies.policy_document": _convert_policy},
    ),
    "AWS::KMS::Key": _build_mapping(
        "aws_kms_key",
        {"key_id": "key_id", "arn": "arn", "id": "id"},
        {
            "enabled": "is_enabled",
            "key_policy": "policy",
            "key_spec": "customer_master_key_spec",
            "pending_window_in_days": "deletion_window_in_days",
        },
        {"key_policy": _convert_policy},
    ),
    # Properties that exist as attributes of the bucket. Others, such as the public access block, keep their names.
    "AWS::S3::Bucket": _build_mapping(
        "aws_s3_bucket",
        {
            "bucket_name": "bucket",
            "arn": "arn",
            "id": "id",
            "domain_name": "bucket_domain_name",
            "regional_domain_name": "bucket_regional_domain_name",
        },
        {
            "bucket_name_prefix": "bucket_prefix",
            "access_control": "acl",
            "accelerate_configuration.acceleration_status": "acceleration_status",
            "versioning_configuration.status": "versioning.enabled",
            _ENCRYPTION: _ENCRYPTION_RULE,
            f"{_ENCRYPTION}.bucket_key_enabled": f"{_ENCRYPTION_RULE}.bucket_key_enabled",
            f"{_ENCRYPTION}.server_side_encryption_by_default": (
                f"{_ENCRYPTION_RULE}.apply_server_side_encryption_by_default"
            ),
            "logging_configuration": "logging",
            "logging_configuration.destination_bucket_name": "logging.target_bucket",
            "logging_configuration.log_file_prefix": "logging.target_prefix",
            _RULES: "lifecycle_rule",
            f"{_RULES}.status": "lifecycle_rule.enabled",
            f"{_RULES}.tag_filters": "lifecycle_rule.tags",
            f"{_RULES}.object_size_greater_than": "lifecycle_rule.filter.object_size_greater_than",
            f"{_RULES}.object_size_less_than": "lifecycle_rule.filter.object_size_less_than",
            f"{_RULES}.expiration_in_days": f"{_EXPIRATION}.days",
            f"{_RULES}.expiration_date": f"{_EXPIRATION}.date",
            f"{_RULES}.expired_object_delete_marker": f"{_EXPIRATION}.expired_object_delete_marker",
            f"{_RULES}.transition.transition_in_days": f"{_TRANSITION}.days",
            f"{_RULES}.transition.transition_date": f"{_TRANSITION}.date",
            f"{_RULES}.transitions": _TRANSITION,
            f"{_RULES}.transitions.transition_in_days": f"{_TRANSITION}.days",
            f"{_RULES}.transitions.transition_date": f"{_TRANSITION}.date",
            f"{_RULES}.noncurrent_version_expiration_in_days": f"{_OLD_VERSIONS}_expiration.days",
            f"{_RULES}.noncurrent_version_expiration.noncurrent_days": f"{_OLD_VERSIONS}_expiration.days",
            f"{_RULES}.noncurrent_version_transition.transition_in_days": f"{_OLD_VERSIONS}_transition.days",
            f"{_RULES}.noncurrent_version_transitions": f"{_OLD_VERSIONS}_transition",
            f"{_RULES}.noncurrent_version_transitions.transition_in_days": f"{_OLD_VERSIONS}_transition.days",
            f"{_RULES}.abort_incomplete_multipart_upload.days_after_initiation": (
                "lifecycle_rule.abort_incomplete_multipart_upload_days"
            ),
        },
        {
            "access_control": _convert_acl,
            "versioning_configuration.status": _convert_enabled,
            f"{_RULES}.status": _convert_enabled,
            f"{_RULES}.tag_filters": _convert_tags,
        },
    ),
    # The provider aws has no such type, so the attributes keep CloudFormation's names.
    "AWS::SageMaker::Cluster": _build_mapping(
        "aws_sagemaker_cluster", {"cluster_name": "cluster_name", "cluster_arn": "arn", "id": "arn"}
    ),
    "AWS::SageMaker::Domain": _build_mapping(
        "aws_sagemaker_domain",
        {"domain_name": "domain_name", "domain_arn": "arn", "domain_id": "id", "id": "id", "url": "url"},
        {
            "*.code_repositories": "code_repository",
            "*.custom_file_system_configs": "custom_file_system_config",
            "*.custom_images": "custom_image",
            "*.sage_maker_image_arn": "sagemaker_image_arn",
            "*.sage_maker_image_version_arn": "sagemaker_image_version_arn",
        },
    ),
    "AWS::SageMaker::Endpoint": _build_mapping(
        "aws_sagemaker_endpoint", {"endpoint_name": "name", "endpoint_arn": "arn", "id": "arn"}
    ),
    "AWS::SageMaker::EndpointConfig": _build_mapping(
        "aws_sagemaker_endpoint_configuration",
        {"endpoint_config_name": "name", "endpoint_config_id": "arn", "id": "arn"},
        {"kms_key_id": "kms_key_arn"},
    ),
    "AWS::SageMaker::FeatureGroup": _build_mapping(
        "aws_sagemaker_feature_group",
        {"feature_group_name": "feature_group_name", "id": "id"},
        {"feature_definitions": "feature_definition"},
    ),
    "AWS::SageMaker::Model": _build_mapping(
        "aws_sagemaker_model",
        {"model_name": "name", "model_arn": "arn", "id": "arn"},
        {"containers": "container"},
        {"containers.environment": _convert_map, "primary_container.environment": _convert_map},
    ),
    "AWS::SageMaker::ModelPackageGroup": _build_mapping(
        "aws_sagemaker_model_package_group",
        {"model_package_group_name": "model_package_group_name", "model_package_group_arn": "arn", "id": "arn"},
        {},
        {"model_package_group_policy": _convert_policy},
    ),
    "AWS::SageMaker::NotebookInstance": _build_mapping(
        "aws_sagemaker_notebook_instance",
        {"notebook_instance_name": "name", "notebook_instance_id": "arn", "id": "arn"},
        {"security_group_ids": "security_groups", "volume_size_in_gb": "volume_size"},
    ),
}
_BY_AWSCC_TYPE = {
    f"{AWSCC}{service.lower()}_{to_snake_case(name)}": mapping
    for cloudformation_type, mapping in TYPE_MAPPINGS.items()
    for _, service, name in [cloudformation_type.split("::")]
}

_SOURCE_TYPES = {mapping.type: (name, CLOUD_CONTROL) for name, mapping in _BY_AWSCC_TYPE.items()}


def list_source_types(type_: str) -> tuple[str, ...]:
    """Return the types that a plan may use instead of this type of the provider aws."""
    return _SOURCE_TYPES.get(type_, ())


def find_mapped_reader(type_: str, change: Mapping[str, Any]) -> MappedReader | None:
    """Return the reader of a resource that is declared with a CloudFormation type, or None for other types.

    `change` is the `change` object of the plan.
    """
    if type_.startswith(AWSCC):
        mapping = _BY_AWSCC_TYPE.get(type_)
        return None if mapping is None else MappedReader(mapping)
    if type_ == CLOUD_CONTROL:
        mapping = TYPE_MAPPINGS.get(find_cloudformation_type(change))
        return None if mapping is None else MappedReader(mapping, "desired_state", "properties")
    return None


def find_cloudformation_type(change: Mapping[str, Any]) -> str:
    """Return the CloudFormation type of a Cloud Control resource, or an empty text if it is unknown."""
    for side in (change.get("after"), change.get("before")):
        name = side.get("type_name") if isinstance(side, dict) else None
        if isinstance(name, str):
            return name
    return ""
