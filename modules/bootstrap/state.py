"""Bucket of Terraform's state, and its KMS key."""

from typing import Any, cast

from cdktn_provider_aws.kms_alias import KmsAlias
from cdktn_provider_aws.kms_key import KmsKey
from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.s3_bucket_lifecycle_configuration import S3BucketLifecycleConfiguration
from cdktn_provider_aws.s3_bucket_ownership_controls import S3BucketOwnershipControls
from cdktn_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktn_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktn_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
)
from cdktn_provider_aws.s3_bucket_versioning import S3BucketVersioningA

from modules.bootstrap.inputs import Inputs, format_bucket_name
from modules.policies import encode_policy, show_policy
from modules.storage.buckets import ONE_REGION, deny_other_encryption, deny_plain_access
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    each_of,
    is_null,
    is_omitted,
    jsonencode,
    list_of,
    one_or_null,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module

#: Noncurrent versions that never expire.
_KEPT_VERSIONS = 10
_UPLOAD_DAYS = 7


def format_bucket_arn(var: Inputs) -> str:
    """Return the ARN of the state bucket."""
    return f"arn:{var.partition}:s3:::{format_bucket_name(var)}"


def add(module: Module[Inputs]) -> tuple[Any, str]:
    """Add the bucket and its key. Return the bucket and the ARN of the key."""
    var = module.var
    key_arn = _add_key(module)
    bucket = module.add(
        S3Bucket,
        "state",
        skips={
            "CKV_AWS_18": "A log bucket would need protection of its own; data events of CloudTrail record each access",
            "CKV_AWS_144": ONE_REGION,
            "CKV2_AWS_62": "Nothing needs events of the bucket",
        },
        bucket=format_bucket_name(var),
        force_destroy=~var.deletion_protection,
        tags=var.tags,
    )
    access = module.add(
        S3BucketPublicAccessBlock,
        "state",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    module.add(S3BucketOwnershipControls, "state", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"})
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "state",
        bucket=bucket.id,
        rule=[
            {
                "bucket_key_enabled": True,
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
            }
        ],
    )
    versioning = module.add(
        S3BucketVersioningA, "state", bucket=bucket.id, versioning_configuration={"status": "Enabled"}
    )
    _expire_versions(module, bucket, versioning)
    _add_policy(module, bucket, access, key_arn)
    return bucket, key_arn


def _add_key(module: Module[Inputs]) -> str:
    """Add the key unless an existing key is set, and return its ARN."""
    var = module.var
    nothing: set[str] = set()
    own_key = module.local("own_key", when(is_omitted(var.existing_kms_key), set_of(["own"]), set_of(nothing)))
    key = module.add(
        KmsKey,
        "state",
        why="Roles of this account use the key by their own policies, because the statement delegates to IAM.",
        for_each=each_of(own_key),
        description=f"Terraform state of {var.name_prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=when(var.deletion_protection, 30, 7),
        policy=encode_policy(
            {
                "sid": "Account",
                "principals": [{"type": "AWS", "identifiers": [f"arn:{var.partition}:iam::{var.account_id}:root"]}],
                "actions": ["kms:*"],
                "resources": ["*"],
            }
        ),
        tags=var.tags,
    )
    new_key = each_of(key)
    module.add(
        KmsAlias,
        "state",
        for_each=new_key,
        name=f"alias/{var.name_prefix}-state",
        target_key_id=new_key.value.key_id,
    )
    own_arn = one_or_null(list_of(key, lambda key: key.arn))
    return cast(
        str,
        module.local(
            "kms_key_arn", when(is_null(var.existing_kms_key), own_arn, assume_not_null(var.existing_kms_key).arn)
        ),
    )


def _expire_versions(module: Module[Inputs], bucket: Any, versioning: Any) -> None:
    module.add(
        S3BucketLifecycleConfiguration,
        "state",
        why="The newest noncurrent versions stay, so that a damaged state can always be restored. Each plan leaves a "
        "version and a delete marker of its lock file.",
        bucket=bucket.id,
        rule=[
            {
                "id": "tidy",
                "status": "Enabled",
                "filter": [{"prefix": ""}],
                "expiration": [{"expired_object_delete_marker": True}],
                "noncurrent_version_expiration": [
                    {
                        "newer_noncurrent_versions": _KEPT_VERSIONS,
                        "noncurrent_days": module.var.noncurrent_version_days,
                    }
                ],
                "abort_incomplete_multipart_upload": [{"days_after_initiation": _UPLOAD_DAYS}],
            }
        ],
        # S3 refuses rules on noncurrent versions before versioning is on.
        depends_on=[versioning],
    )


def _add_policy(module: Module[Inputs], bucket: Any, access: Any, key_arn: str) -> None:
    arn = format_bucket_arn(module.var)
    only = each_of(set_of(["state"]))
    policies = show_policy(
        module,
        "bucket",
        *deny_plain_access(arn),
        *deny_other_encryption(arn, key_arn, ()),
        why="The policy denies SSE-S3, which Terraform selects if the backend has `encrypt` and no `kms_key_id`.",
        for_each=only,
    )
    module.add(
        S3BucketPolicy,
        "state",
        bucket=bucket.id,
        policy=jsonencode(policies["state"].input),
        depends_on=[access],
    )
