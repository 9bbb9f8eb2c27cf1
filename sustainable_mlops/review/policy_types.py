"""Where the AWS provider keeps policy documents, and whom each belongs to."""

from typing import NamedTuple


class PolicyType(NamedTuple):
    """A policy document in a resource."""

    group: str  # identity: what a holder may do; trust: who may be it; resource: who may use it
    path: str
    owner_path: str = ""  # the attribute that names the holder; the resource itself where empty
    owner: tuple[str, ...] = ()  # the holder's type


IDENTITY, TRUST, RESOURCE = "identity", "trust", "resource"

#: Managed policies attached to a role, user or group, by the type of attachment.
ATTACHMENTS = {
    "aws_iam_role_policy_attachment": PolicyType(IDENTITY, "policy_arn", "role", ("aws_iam_role",)),
    "aws_iam_user_policy_attachment": PolicyType(IDENTITY, "policy_arn", "user", ("aws_iam_user",)),
    "aws_iam_group_policy_attachment": PolicyType(IDENTITY, "policy_arn", "group", ("aws_iam_group",)),
}


def _resource(path: str, owner_path: str = "", *owner: str) -> tuple[PolicyType, ...]:
    return (PolicyType(RESOURCE, path, owner_path, owner),)


POLICY_TYPES: dict[str, tuple[PolicyType, ...]] = {
    "aws_iam_role": (PolicyType(TRUST, "assume_role_policy"), PolicyType(IDENTITY, "inline_policy.*.policy")),
    "aws_iam_role_policy": (PolicyType(IDENTITY, "policy", "role", ("aws_iam_role",)),),
    "aws_iam_user_policy": (PolicyType(IDENTITY, "policy", "user", ("aws_iam_user",)),),
    "aws_iam_group_policy": (PolicyType(IDENTITY, "policy", "group", ("aws_iam_group",)),),
    "aws_iam_policy": (PolicyType(IDENTITY, "policy"),),
    "aws_ssoadmin_permission_set_inline_policy": (PolicyType(IDENTITY, "inline_policy"),),
    "aws_vpc_endpoint": _resource("policy"),
    "aws_vpc_endpoint_policy": _resource("policy", "vpc_endpoint_id", "aws_vpc_endpoint"),
    "aws_s3_bucket": _resource("policy"),
    "aws_s3_bucket_policy": _resource("policy", "bucket", "aws_s3_bucket"),
    "aws_s3_access_point": _resource("policy"),
    "aws_s3control_access_point_policy": _resource("policy", "access_point_arn", "aws_s3_access_point"),
    "aws_kms_key": _resource("policy"),
    "aws_kms_external_key": _resource("policy"),
    "aws_kms_replica_key": _resource("policy"),
    "aws_kms_key_policy": _resource("policy", "key_id", "aws_kms_key"),
    "aws_sagemaker_model_package_group_policy": _resource(
        "resource_policy", "model_package_group_name", "aws_sagemaker_model_package_group"
    ),
    "aws_ecr_repository_policy": _resource("policy", "repository", "aws_ecr_repository"),
    "aws_ecr_registry_policy": _resource("policy"),
    "aws_sns_topic": _resource("policy"),
    "aws_sns_topic_policy": _resource("policy", "arn", "aws_sns_topic"),
    "aws_sqs_queue": _resource("policy"),
    "aws_sqs_queue_policy": _resource("policy", "queue_url", "aws_sqs_queue"),
    "aws_secretsmanager_secret": _resource("policy"),
    "aws_secretsmanager_secret_policy": _resource("policy", "secret_arn", "aws_secretsmanager_secret"),
    "aws_cloudwatch_event_bus_policy": _resource("policy", "event_bus_name", "aws_cloudwatch_event_bus"),
    "aws_cloudwatch_log_resource_policy": _resource("policy_document"),
    "aws_dynamodb_resource_policy": _resource("policy", "resource_arn", "aws_dynamodb_table"),
    "aws_efs_file_system_policy": _resource("policy", "file_system_id", "aws_efs_file_system"),
    "aws_backup_vault_policy": _resource("policy", "backup_vault_name", "aws_backup_vault"),
    "aws_glue_resource_policy": _resource("policy"),
    "aws_opensearch_domain_policy": _resource("access_policies", "domain_name", "aws_opensearch_domain"),
}
