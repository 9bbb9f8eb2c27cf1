"""Check of the key of an offline store.

The role of the group needs kms:GenerateDataKey, and uses the key directly. Source: developer guide, "Authorizing use of
a customer managed key for your offline store". The message is assumed.
"""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import Delegation, Policy, ResourcePolicy
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker import resource_lookup

_ACTION = "kms:GenerateDataKey"
_DIRECT_USE = {"kms:ViaService": None}


def check_key(region: AccountRegion, request: Fields) -> None:
    """Raise ValidationError if the role of the feature group may not use the key of its offline store."""
    key = request.get("OfflineStoreConfig", {}).get("S3StorageConfig", {}).get("KmsKeyId")
    if not key or resource_lookup.is_key_of_aws(key):
        return
    key_and_policy = resource_lookup.find_key(region, key)
    if key_and_policy is None:
        raise ValidationError(f"Validation Error: The KMS key {key} does not exist or is not accessible.")
    arn, policy = key_and_policy
    role = request["RoleArn"]
    key_policy = ResourcePolicy(Policy.parse(policy), Delegation.REQUIRED)
    if not roles.decide_action(region.account_id, role, _ACTION, arn, _DIRECT_USE, key_policy).allowed:
        raise ValidationError(
            f"Validation Error: The role {role} must be allowed {_ACTION} on the KMS key {key}, without the condition "
            "kms:ViaService."
        )
