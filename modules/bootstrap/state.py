"""Bucket of Terraform's state, and its KMS key."""

from typing import Any

from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.s3_bucket_lifecycle_configuration import S3BucketLifecycleConfiguration
from cdktn_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktn_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
)
from cdktn_provider_aws.s3_bucket_versioning import S3BucketVersioningA

from modules.bootstrap.inputs import Inputs, format_bucket_name
from modules.buckets import (
    ONE_REGION,
    block_public_access,
    build_sse_kms,
    deny_other_encryption,
    deny_plain_access,
)
from modules.keys import add_key, allow_account
from modules.policies import encode_policy, show_policy
from sustainable_mlops.authoring.expressions import (
    each_of,
    jsonencode,
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
    key_arn = add_key(
        module,
        "state",
        alias=f"{var.name_prefix}-state",
        description=f"Terraform state of {var.name_prefix}",
        policy=encode_policy(allow_account(var)),
        deletion_days=when(var.deletion_protection, 30, 7),
        why="Roles of this account use the key by their own policies, because the statement delegates to IAM.",
    )
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
    access = block_public_access(module, "state", bucket.id)
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "state",
        bucket=bucket.id,
        rule=build_sse_kms(key_arn),
    )
    versioning = module.add(
        S3BucketVersioningA, "state", bucket=bucket.id, versioning_configuration={"status": "Enabled"}
    )
    _expire_versions(module, bucket, versioning)
    _add_policy(module, bucket, access, key_arn)
    return bucket, key_arn


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
        *deny_other_encryption(arn, key_arn),
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
