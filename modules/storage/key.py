"""KMS key that encrypts all data of an environment."""

from typing import Any, cast

from cdktn_provider_aws.kms_alias import KmsAlias
from cdktn_provider_aws.kms_key import KmsKey

from modules.policies import encode_policy, encode_statement
from modules.storage.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    each_of,
    is_null,
    is_omitted,
    length,
    list_of,
    one_or_null,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> str:
    """Add the key unless an existing key is set, and return its ARN."""
    var, local = module.var, module.locals
    nothing: set[str] = set()
    own_key = module.local("own_key", when(is_omitted(var.existing_kms_key), set_of(["own"]), set_of(nothing)))
    no_sids: list[str] = []
    readers = list_of(
        when(length(var.reader_account_ids) > 0, ["DecryptModels"], no_sids),
        lambda sid: encode_statement(
            {
                "sid": sid,
                "principals": [{"type": "AWS", "identifiers": local.readers}],
                "actions": ["kms:Decrypt"],
                "resources": ["*"],
                "condition": [_equals("kms:ViaService", f"s3.{var.region}.{local.dns_suffix}")],
            }
        ),
    )
    policy = encode_policy(
        {
            "sid": "Account",
            "principals": [{"type": "AWS", "identifiers": [f"arn:{var.partition}:iam::{var.account_id}:root"]}],
            "actions": ["kms:*"],
            "resources": ["*"],
        },
        {
            "sid": "LogGroups",
            "principals": [{"type": "Service", "identifiers": [f"logs.{var.region}.{local.dns_suffix}"]}],
            "actions": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "resources": ["*"],
            "condition": [
                {
                    "test": "ArnLike",
                    "variable": "kms:EncryptionContext:aws:logs:arn",
                    "values": [f"arn:{var.partition}:logs:{var.region}:{var.account_id}:log-group:*"],
                }
            ],
        },
        {
            "sid": "Topics",
            "principals": [{"type": "Service", "identifiers": ["cloudwatch.amazonaws.com"]}],
            "actions": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "resources": ["*"],
            "condition": [
                _equals("aws:SourceAccount", var.account_id),
                {
                    "test": "ArnLike",
                    "variable": "aws:SourceArn",
                    "values": [f"arn:{var.partition}:cloudwatch:{var.region}:{var.account_id}:alarm:*"],
                },
                {
                    "test": "ArnLike",
                    "variable": "kms:EncryptionContext:aws:sns:topicArn",
                    "values": [f"arn:{var.partition}:sns:{var.region}:{var.account_id}:{var.name_prefix}-*"],
                },
            ],
        },
        extra_elements=readers,
    )
    key = module.add(
        KmsKey,
        "this",
        why="Roles of this account use the key by their own policies, because the first statement delegates to IAM. "
        "CloudWatch alarms have no role, so the key policy allows them. EventBridge publishes with a role.",
        for_each=each_of(own_key),
        description=f"Data, models and logs of {var.name_prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=when(var.deletion_protection, 30, 7),
        policy=policy,
        tags=var.tags,
    )
    new_key = each_of(key)
    module.add(KmsAlias, "this", for_each=new_key, name=f"alias/{var.name_prefix}", target_key_id=new_key.value.key_id)
    own_arn = one_or_null(list_of(key, lambda key: key.arn))
    return cast(
        str,
        module.local(
            "kms_key_arn", when(is_null(var.existing_kms_key), own_arn, assume_not_null(var.existing_kms_key).arn)
        ),
    )


def _equals(variable: str, value: str) -> dict[str, Any]:
    return {"test": "StringEquals", "variable": variable, "values": [value]}
