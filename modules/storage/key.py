"""The key that encrypts everything an environment keeps."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.kms_alias import KmsAlias
from cdktn_provider_aws.kms_key import KmsKey

from modules.common import Located
from sustainable_mlops.authoring.resources import Module, number, strings

IN_A_KEY_POLICY = "In a key policy * means this key"


def add(module: Module[Any], var: Located) -> str:
    """Add the key where none is given; returns the ARN to encrypt with."""
    module.local("own_key", '${var.existing_kms_key == null ? toset(["own"]) : toset([])}')
    readers = module.add(
        DataAwsIamPolicyDocument,
        "key_readers",
        for_each="${length(var.reader_account_ids) > 0 ? local.own_key : toset([])}",
        statement=[
            {
                "sid": "DecryptModels",
                "principals": [{"type": "AWS", "identifiers": strings("local.readers")}],
                "actions": ["kms:Decrypt"],
                "resources": ["*"],
                "condition": [_equals("kms:ViaService", "s3.${var.region}.${local.dns_suffix}")],
            }
        ],
    )
    policy = module.add(
        DataAwsIamPolicyDocument,
        "key",
        why="Roles of this account get the key by their own policies, since the first statement hands it to IAM; "
        "CloudWatch Logs acts for no role, so it gets the key here.",
        skips={
            "CKV_AWS_109": IN_A_KEY_POLICY,
            "CKV_AWS_111": IN_A_KEY_POLICY,
            "CKV_AWS_356": IN_A_KEY_POLICY,
        },
        source_policy_documents=strings(f"values({readers.address})[*].json"),
        statement=[
            {
                "sid": "Account",
                "principals": [{"type": "AWS", "identifiers": ["arn:${var.partition}:iam::${var.account_id}:root"]}],
                "actions": ["kms:*"],
                "resources": ["*"],
            },
            {
                "sid": "LogGroups",
                "principals": [{"type": "Service", "identifiers": ["logs.${var.region}.${local.dns_suffix}"]}],
                "actions": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                "resources": ["*"],
                "condition": [
                    {
                        "test": "ArnLike",
                        "variable": "kms:EncryptionContext:aws:logs:arn",
                        "values": ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"],
                    }
                ],
            },
        ],
    )
    key = module.add(
        KmsKey,
        "this",
        for_each="${local.own_key}",
        description="Data, models and logs of ${var.name_prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=number("var.deletion_protection ? 30 : 7"),
        policy=policy.json,
        tags=var.tags,
    )
    module.add(
        KmsAlias,
        "this",
        for_each=f"${{{key.address}}}",
        name="alias/${var.name_prefix}",
        target_key_id="${each.value.key_id}",
    )
    return module.local(
        "kms_key_arn",
        f"${{var.existing_kms_key == null ? one(values({key.address})[*].arn) : var.existing_kms_key.arn}}",
    )


def _equals(variable: str, value: str) -> dict[str, Any]:
    return {"test": "StringEquals", "variable": variable, "values": [value]}
