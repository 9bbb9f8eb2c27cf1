"""Bucket of the carbon export."""

from typing import Any

from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.s3_bucket_lifecycle_configuration import S3BucketLifecycleConfiguration
from cdktn_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktn_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
)
from cdktn_provider_aws.s3_bucket_versioning import S3BucketVersioningA

from modules.buckets import ONE_REGION, SSE_S3, allow_delivery, block_public_access, deny_plain_access
from modules.footprint.inputs import Inputs, get_bucket_name
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import Dynamic, optional
from sustainable_mlops.authoring.resources import Module

#: Folder of the export in the bucket.
PREFIX = "carbon"
_SERVICE = "bcm-data-exports.amazonaws.com"
_NONCURRENT_DAYS, _UPLOAD_DAYS = 30, 7


def add(module: Module[Inputs]) -> tuple[Any, Any]:
    """Add the bucket, and return it with its policy, which lets Data Exports write to it.

    Source of the policy: Data Exports user guide, "Setting up an Amazon S3 bucket for data exports".
    """
    var = module.var
    bucket = module.add(
        S3Bucket,
        "carbon",
        skips={
            "CKV_AWS_18": "AWS writes to it each month and few people read it; a log would be larger than the data",
            "CKV_AWS_144": ONE_REGION,
            "CKV_AWS_145": "The user guide of Data Exports documents no key policy for buckets with SSE-KMS",
            "CKV2_AWS_62": "Nothing needs events of the bucket",
        },
        bucket=get_bucket_name(var),
        force_destroy=~var.deletion_protection,
        tags=var.tags,
    )
    access = block_public_access(module, "carbon", bucket.id)
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "carbon",
        bucket=bucket.id,
        rule=SSE_S3,
    )
    versioning = module.add(
        S3BucketVersioningA, "carbon", bucket=bucket.id, versioning_configuration={"status": "Enabled"}
    )
    _expire(module, bucket, versioning)
    arn = f"arn:{var.partition}:s3:::{get_bucket_name(var)}"
    policy = module.add(
        S3BucketPolicy,
        "carbon",
        bucket=bucket.id,
        policy=encode_policy(
            *deny_plain_access(arn),
            allow_delivery("DataExports", _SERVICE, f"{arn}/*", var.account_id, [_export_arns(var)]),
        ),
        depends_on=[access],
    )
    return bucket, policy


def _export_arns(var: Inputs) -> str:
    """Return the pattern of the account's exports, which are in us-east-1 for every Region."""
    return f"arn:{var.partition}:bcm-data-exports:us-east-1:{var.account_id}:export/*"


def _expire(module: Module[Inputs], bucket: Any, versioning: Any) -> None:
    module.add(
        S3BucketLifecycleConfiguration,
        "carbon",
        why="An overwritten file stays as a noncurrent version for a month.",
        bucket=bucket.id,
        rule=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": [{"prefix": ""}],
                "expiration": Dynamic(
                    optional(module.var.carbon_export.expire_after_days), lambda days: {"days": days.value}
                ),
                "noncurrent_version_expiration": [{"noncurrent_days": _NONCURRENT_DAYS}],
                "abort_incomplete_multipart_upload": [{"days_after_initiation": _UPLOAD_DAYS}],
            }
        ],
        # S3 refuses rules on noncurrent versions before versioning is on.
        depends_on=[versioning],
    )
