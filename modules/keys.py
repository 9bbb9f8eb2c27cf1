"""KMS keys that a module creates, unless its caller has one."""

from typing import Any, cast

from cdktn_provider_aws.kms_alias import KmsAlias
from cdktn_provider_aws.kms_key import KmsKey

from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    each_of,
    is_null,
    is_omitted,
    list_of,
    one_or_null,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module


def add_key(
    module: Module[Any], label: str, *, alias: str, description: str, policy: str, deletion_days: int, why: str
) -> str:
    """Add a key with an alias unless the input `existing_kms_key` is set, and return the ARN of the key."""
    var = module.var
    nothing: set[str] = set()
    own_key = module.local("own_key", when(is_omitted(var.existing_kms_key), set_of(["own"]), set_of(nothing)))
    keys = module.add(
        KmsKey,
        label,
        why=why,
        for_each=each_of(own_key),
        description=description,
        enable_key_rotation=True,
        deletion_window_in_days=deletion_days,
        policy=policy,
        tags=var.tags,
    )
    new_key = each_of(keys)
    module.add(KmsAlias, label, for_each=new_key, name=f"alias/{alias}", target_key_id=new_key.value.key_id)
    own_arn = one_or_null(list_of(keys, lambda key: key.arn))
    return cast(
        str,
        module.local(
            "kms_key_arn", when(is_null(var.existing_kms_key), own_arn, assume_not_null(var.existing_kms_key).arn)
        ),
    )


def allow_account(var: Any) -> dict[str, Any]:
    """Return the statement of a key policy that lets the IAM policies of the account grant access."""
    return {
        "sid": "Account",
        "principals": [{"type": "AWS", "identifiers": [f"arn:{var.partition}:iam::{var.account_id}:root"]}],
        "actions": ["kms:*"],
        "resources": ["*"],
    }
