"""The key of an offline store: the group's role needs kms:GenerateDataKey on it, and uses it through no other service.

Source: developer guide, "Authorizing use of a customer managed key for your offline store". The wording of the refusal
is assumed.
"""

from sagemaker_sandbox import policies, roles
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.policies import Decision
from sagemaker_sandbox.sagemaker import resource_lookup

_ACTION = "kms:GenerateDataKey"
_DIRECT = {"kms:ViaService": None}


def check(region: AccountRegion, request: Fields) -> None:
    """Raise ValidationError where the role of the feature group may not use the key of its offline store."""
    key = request.get("OfflineStoreConfig", {}).get("S3StorageConfig", {}).get("KmsKeyId")
    if not key or resource_lookup.is_key_of_aws(key):
        return
    found = resource_lookup.find_key(region, key)
    if found is None:
        raise ValidationError(f"Validation Error: The KMS key {key} does not exist or is not accessible.")
    arn, policy = found
    role, account = request["RoleArn"], region.account_id
    allowed = (
        policies.allows_account(policy, account, _ACTION, arn, _DIRECT)
        and roles.decide_action(account, role, _ACTION, arn, _DIRECT) is Decision.ALLOWED
    )
    if not allowed:
        raise ValidationError(
            f"Validation Error: The role {role} must be allowed {_ACTION} on the KMS key {key}, without the condition "
            "kms:ViaService."
        )
