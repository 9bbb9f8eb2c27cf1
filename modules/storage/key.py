"""KMS key that encrypts all data of an environment."""

from modules.iam_statements import equals
from modules.keys import add_key, allow_account
from modules.policies import encode_policy, encode_statement
from modules.storage.inputs import Inputs
from sustainable_mlops.authoring.expressions import length, list_of, when
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> str:
    """Add the key unless an existing key is set, and return its ARN."""
    var, local = module.var, module.locals
    no_sids: list[str] = []
    readers = list_of(
        when(length(var.reader_account_ids) > 0, ["DecryptModels"], no_sids),
        lambda sid: encode_statement(
            {
                "sid": sid,
                "principals": [{"type": "AWS", "identifiers": local.readers}],
                "actions": ["kms:Decrypt"],
                "resources": ["*"],
                "condition": [equals("kms:ViaService", f"s3.{var.region}.{local.dns_suffix}")],
            }
        ),
    )
    policy = encode_policy(
        allow_account(var),
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
                equals("aws:SourceAccount", var.account_id),
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
    return add_key(
        module,
        "this",
        alias=var.name_prefix,
        description=f"Data, models and logs of {var.name_prefix}",
        policy=policy,
        deletion_days=when(var.deletion_protection, 30, 7),
        why="Roles of this account use the key by their own policies, because the first statement delegates to IAM. "
        "CloudWatch alarms have no role, so the key policy allows them. EventBridge publishes with a role.",
    )
