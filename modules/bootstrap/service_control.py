"""Service control policy that protects keys and buckets of the account."""

from typing import Any

from modules.bootstrap.inputs import Inputs
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import concat, length, list_of, when


def encode_service_control_policy(var: Inputs) -> str | None:
    """Return the policy, or null without break-glass roles."""
    apply_roles = list_of(
        var.environments,
        lambda environment: (
            f"arn:{var.partition}:iam::{var.account_id}:role{var.role_path}deployer-{environment.name_prefix}-apply"
        ),
    )
    policy = encode_policy(
        _deny(
            "ProtectKeys", ["kms:ScheduleKeyDeletion"], f"arn:{var.partition}:kms:*:*:key/*", var.break_glass_role_arns
        ),
        _deny("ProtectBuckets", ["s3:DeleteBucket"], f"arn:{var.partition}:s3:::*", var.break_glass_role_arns),
        _deny(
            "ProtectVersioning",
            ["s3:PutBucketVersioning"],
            f"arn:{var.partition}:s3:::*",
            concat(var.break_glass_role_arns, apply_roles),
        ),
    )
    return when(length(var.break_glass_role_arns) > 0, policy, None)


def _deny(sid: str, actions: list[str], resource: str, exempt_roles: list[str]) -> dict[str, Any]:
    return {
        "sid": sid,
        "effect": "Deny",
        "actions": actions,
        "resources": [resource],
        "condition": [{"test": "ArnNotEquals", "variable": "aws:PrincipalArn", "values": exempt_roles}],
    }
