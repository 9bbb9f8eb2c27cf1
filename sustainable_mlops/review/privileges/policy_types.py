"""The attributes of the AWS provider that contain policy documents, with the owner of each.

Other attributes that parse as a policy are compared too, as policies of their own resource.
"""

from typing import NamedTuple

from sustainable_mlops.review.risk import Level


class PolicyType(NamedTuple):
    """A policy document in a resource type."""

    #: identity: permissions of the owner; trust: who may assume it; resource: who may use it; network: a limit on the
    #: traffic of an endpoint, which without a policy lets everything pass.
    group: str
    path: str  # `*` matches each item of a list
    owner_path: str = ""  # attribute that names the owner; empty: the resource itself
    owner: str = ""  # type of the owner


IDENTITY, TRUST, RESOURCE, NETWORK = "identity", "trust", "resource", "network"

_OWNER_KINDS = ("role", "user", "group")
_PERMISSION_SET = ("permission_set_arn", "aws_ssoadmin_permission_set")

#: Managed policies attached to a role, user, group or permission set: the ARNs, by the type of attachment.
ATTACHMENTS: dict[str, tuple[PolicyType, ...]] = {
    "aws_iam_role": (PolicyType(IDENTITY, "managed_policy_arns.*"),),
    # The CloudFormation type lists its owners.
    "aws_iam_policy": tuple(PolicyType(IDENTITY, "arn", f"{kind}s.*", f"aws_iam_{kind}") for kind in _OWNER_KINDS),
    **{
        f"aws_iam_{kind}_policy_attachment": (PolicyType(IDENTITY, "policy_arn", kind, f"aws_iam_{kind}"),)
        for kind in _OWNER_KINDS
    },
    **{
        f"aws_iam_{kind}_policy_attachments_exclusive": (
            PolicyType(IDENTITY, "policy_arns.*", f"{kind}_name", f"aws_iam_{kind}"),
        )
        for kind in _OWNER_KINDS
    },
    "aws_iam_policy_attachment": tuple(
        PolicyType(IDENTITY, "policy_arn", f"{kind}s.*", f"aws_iam_{kind}") for kind in _OWNER_KINDS
    ),
    "aws_ssoadmin_managed_policy_attachment": (PolicyType(IDENTITY, "managed_policy_arn", *_PERMISSION_SET),),
    "aws_ssoadmin_customer_managed_policy_attachment": (
        PolicyType(IDENTITY, "customer_managed_policy_reference.0.name", *_PERMISSION_SET),
    ),
}

#: Policies whose removal allows more: the level and the effect.
RESTRICTIONS = {
    "aws_vpc_endpoint_policy": (Level.STOP, "an endpoint without a policy allows all traffic"),
    "aws_efs_file_system_policy": (
        Level.LOOK,
        "without a policy, any client that reaches a mount target may mount and write",
    ),
    "aws_kms_key_policy": (Level.LOOK, "the default policy replaces it: IAM policies of the account control the key"),
    "aws_organizations_policy": (Level.LOOK, "actions that it denied to accounts may be allowed again"),
    "aws_organizations_policy_attachment": (Level.LOOK, "actions that it denied to accounts may be allowed again"),
}


def _build_resource_policy(path: str, owner_path: str = "", owner: str = "") -> tuple[PolicyType, ...]:
    return (PolicyType(RESOURCE, path, owner_path, owner),)


POLICY_TYPES: dict[str, tuple[PolicyType, ...]] = {
    "aws_iam_role": (PolicyType(TRUST, "assume_role_policy"), PolicyType(IDENTITY, "inline_policy.*.policy")),
    **{f"aws_iam_{kind}_policy": (PolicyType(IDENTITY, "policy", kind, f"aws_iam_{kind}"),) for kind in _OWNER_KINDS},
    "aws_iam_policy": (PolicyType(IDENTITY, "policy"),),
    "aws_ssoadmin_permission_set_inline_policy": (PolicyType(IDENTITY, "inline_policy", *_PERMISSION_SET),),
    "aws_vpc_endpoint": (PolicyType(NETWORK, "policy"),),
    "aws_vpc_endpoint_policy": (PolicyType(NETWORK, "policy", "vpc_endpoint_id", "aws_vpc_endpoint"),),
    "aws_s3_bucket": _build_resource_policy("policy"),
    "aws_s3_bucket_policy": _build_resource_policy("policy", "bucket", "aws_s3_bucket"),
    "aws_s3_access_point": _build_resource_policy("policy"),
    "aws_s3control_access_point_policy": _build_resource_policy("policy", "access_point_arn", "aws_s3_access_point"),
    "aws_kms_key": _build_resource_policy("policy"),
    "aws_kms_external_key": _build_resource_policy("policy"),
    "aws_kms_replica_key": _build_resource_policy("policy"),
    "aws_kms_key_policy": _build_resource_policy("policy", "key_id", "aws_kms_key"),
    "aws_sagemaker_model_package_group_policy": _build_resource_policy(
        "resource_policy", "model_package_group_name", "aws_sagemaker_model_package_group"
    ),
    "aws_ecr_repository_policy": _build_resource_policy("policy", "repository", "aws_ecr_repository"),
    "aws_sns_topic": _build_resource_policy("policy"),
    "aws_sns_topic_policy": _build_resource_policy("policy", "arn", "aws_sns_topic"),
    "aws_sqs_queue": _build_resource_policy("policy"),
    "aws_sqs_queue_policy": _build_resource_policy("policy", "queue_url", "aws_sqs_queue"),
    "aws_secretsmanager_secret": _build_resource_policy("policy"),
    "aws_secretsmanager_secret_policy": _build_resource_policy("policy", "secret_arn", "aws_secretsmanager_secret"),
    "aws_cloudwatch_event_bus_policy": _build_resource_policy("policy", "event_bus_name", "aws_cloudwatch_event_bus"),
    "aws_dynamodb_resource_policy": _build_resource_policy("policy", "resource_arn", "aws_dynamodb_table"),
    "aws_efs_file_system_policy": _build_resource_policy("policy", "file_system_id", "aws_efs_file_system"),
    "aws_backup_vault_policy": _build_resource_policy("policy", "backup_vault_name", "aws_backup_vault"),
    "aws_opensearch_domain": _build_resource_policy("access_policies"),
    "aws_opensearch_domain_policy": _build_resource_policy("access_policies", "domain_name", "aws_opensearch_domain"),
}
