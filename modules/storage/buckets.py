"""Buckets with their access controls, encryption and logging."""

from collections.abc import Sequence
from typing import Any

from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.s3_bucket_logging import S3BucketLoggingA
from cdktn_provider_aws.s3_bucket_notification import S3BucketNotification
from cdktn_provider_aws.s3_bucket_ownership_controls import S3BucketOwnershipControls
from cdktn_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktn_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktn_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
)
from cdktn_provider_aws.s3_bucket_versioning import S3BucketVersioningA

from modules.policies import encode_policy, encode_statement, show_policy
from modules.storage.inputs import OWN_BUCKETS, Inputs, bucket_arn, bucket_name
from modules.storage.lifecycle import DATA_CLASSES
from sustainable_mlops.authoring.expressions import (
    concat,
    each_of,
    jsonencode,
    keys,
    length,
    list_of,
    merge,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module

ONE_REGION = "Data stays in its Region; a copy doubles its footprint, and versioning protects against mistakes"
FOR_EACH_SKIP = "checkov does not follow for_each: see %s.this"
*DATA_BUCKETS, LOGS = OWN_BUCKETS
#: Classes of data that SageMaker writes without a key parameter in its API.
WITHOUT_KEY_PARAMETER = ("checkpoints", "debug_output")


def add(module: Module[Inputs], key_arn: str) -> tuple[Any, Any, Any]:
    """Add the buckets. Returns the encrypted buckets, the bucket of access logs, and the versioning of all buckets."""
    var = module.var
    data_bucket = each_of(module.local("purposes", set_of(concat(DATA_BUCKETS, keys(var.extra_buckets)))))
    buckets = module.add(
        S3Bucket,
        "this",
        skips={
            "CKV_AWS_18": FOR_EACH_SKIP % "aws_s3_bucket_logging",
            "CKV_AWS_21": FOR_EACH_SKIP % "aws_s3_bucket_versioning",
            "CKV_AWS_144": ONE_REGION,
            "CKV_AWS_145": FOR_EACH_SKIP % "aws_s3_bucket_server_side_encryption_configuration",
            "CKV2_AWS_6": FOR_EACH_SKIP % "aws_s3_bucket_public_access_block",
            "CKV2_AWS_61": "checkov does not follow for_each: see aws_s3_bucket_lifecycle_configuration",
            "CKV2_AWS_62": "Only buckets with a trigger send events, because each event is billed",
        },
        for_each=data_bucket,
        bucket=bucket_name(var, data_bucket.key),
        force_destroy=~var.deletion_protection,
        tags=var.tags,
    )
    logs = module.add(
        S3Bucket,
        "logs",
        skips={
            "CKV_AWS_18": "Access logs of the log bucket would cause more access logs",
            "CKV_AWS_21": FOR_EACH_SKIP % "aws_s3_bucket_versioning",
            "CKV_AWS_144": ONE_REGION,
            "CKV_AWS_145": "S3 delivers access logs only to buckets with SSE-S3",
            "CKV2_AWS_6": FOR_EACH_SKIP % "aws_s3_bucket_public_access_block",
            "CKV2_AWS_62": "Nothing needs events of the log bucket",
        },
        bucket=bucket_name(var, LOGS),
        force_destroy=~var.deletion_protection,
        tags=var.tags,
    )
    module.local("all_buckets", merge(buckets, {LOGS: logs}))
    versioning = _guard_all(module)
    _encrypt(module, buckets, logs, key_arn)
    _policies(module, buckets, logs, key_arn)
    _log_access(module, buckets, logs)
    watched = each_of(
        set_of(concat(["data"], list_of(var.extra_buckets, lambda purpose, _: purpose, lambda bucket: bucket.events)))
    )
    module.add(
        S3BucketNotification,
        "this",
        why="Sends an event to EventBridge for every object, so that new data can start pipelines.",
        for_each=watched,
        bucket=buckets[watched.key].id,
        eventbridge=True,
    )
    return buckets, logs, versioning


def _guard_all(module: Module[Inputs]) -> Any:
    bucket = each_of(module.locals.all_buckets)
    every: dict[str, Any] = {"for_each": bucket, "bucket": bucket.value.id}
    module.add(
        S3BucketPublicAccessBlock,
        "this",
        **every,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    module.add(S3BucketOwnershipControls, "this", **every, rule={"object_ownership": "BucketOwnerEnforced"})
    return module.add(S3BucketVersioningA, "this", **every, versioning_configuration={"status": "Enabled"})


def _encrypt(module: Module[Inputs], buckets: Any, logs: Any, key_arn: str) -> None:
    bucket = each_of(buckets)
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "this",
        why="A bucket key avoids a KMS call for almost every object.",
        for_each=bucket,
        bucket=bucket.value.id,
        rule=[
            {
                "bucket_key_enabled": True,
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
            }
        ],
    )
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "logs",
        why="S3 delivers access logs only to buckets with SSE-S3.",
        bucket=logs.id,
        rule=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    )


def _policies(module: Module[Inputs], buckets: Any, logs: Any, key_arn: str) -> None:
    var = module.var
    purpose = each_of(module.locals.purposes)
    arn = bucket_arn(var, purpose.key)
    nothing: list[Any] = []
    readers = encode_statement(
        {
            "sid": "ReadModels",
            "principals": [{"type": "AWS", "identifiers": module.locals.readers}],
            "actions": ["s3:GetObject"],
            "resources": [f"{arn}/models/*"],
        }
    )
    policies = show_policy(
        module,
        "bucket",
        *deny_plain_access(arn),
        *deny_other_encryption(arn, key_arn),
        why="An upload may leave encryption to the bucket's default or name the key. The policy denies SSE-S3, other "
        "keys and aws:kms without a key, which selects the account's aws/s3 key. SageMaker's API has no key parameter "
        "for checkpoints and debug output, so aws:kms without a key is allowed there.",
        for_each=purpose,
        extra_elements=when((purpose.key == "artifacts") & (length(var.reader_account_ids) > 0), [readers], nothing),
    )
    bucket = each_of(buckets)
    unreachable = module.resources.aws_s3_bucket_public_access_block.this
    module.add(
        S3BucketPolicy,
        "this",
        for_each=bucket,
        bucket=bucket.value.id,
        policy=jsonencode(policies[bucket.key].input),
        depends_on=[unreachable],
    )
    logs_arn = bucket_arn(var, LOGS)
    module.add(
        S3BucketPolicy,
        "logs",
        bucket=logs.id,
        policy=encode_policy(
            *deny_plain_access(logs_arn),
            allow_delivery(
                "AccessLogs",
                "logging.s3.amazonaws.com",
                f"{logs_arn}/access-logs/*",
                var.account_id,
                list_of(module.locals.purposes, lambda purpose: bucket_arn(var, purpose)),
            ),
            allow_delivery(
                "StorageLens",
                "storage-lens.s3.amazonaws.com",
                f"{logs_arn}/storage-lens/*",
                var.account_id,
                [f"arn:{var.partition}:s3:{var.region}:{var.account_id}:storage-lens/{var.name_prefix}"],
            ),
        ),
        depends_on=[unreachable],
    )


def deny_plain_access(arn: str) -> list[dict[str, Any]]:
    """Return the statements that deny access without TLS 1.2."""

    def deny(sid: str, test: str, variable: str, value: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "effect": "Deny",
            "principals": [{"type": "*", "identifiers": ["*"]}],
            "actions": ["s3:*"],
            "resources": [arn, f"{arn}/*"],
            "condition": [{"test": test, "variable": variable, "values": [value]}],
        }

    return [
        deny("DenyPlainHttp", "Bool", "aws:SecureTransport", "false"),
        deny("DenyOldTls", "NumericLessThan", "s3:TlsVersion", "1.2"),
    ]


def deny_other_encryption(
    arn: str, key_arn: str, without_key_parameter: Sequence[str] = WITHOUT_KEY_PARAMETER
) -> list[dict[str, Any]]:
    """Return the statements that deny uploads with other encryption than the key.

    `without_key_parameter` are the classes of data that may name aws:kms without the key.

    Source: S3 API reference, PutObject: if a request has aws:kms and no key, S3 uses the managed key aws/s3, and not
    the bucket's default. SageMaker's CheckpointConfig, DebugHookConfig and ProfilerConfig have no field for a key.
    """
    everything = {"resources": [f"{arn}/*"]}
    sse = "s3:x-amz-server-side-encryption"
    key_id = f"{sse}-aws-kms-key-id"

    def deny(sid: str, where: dict[str, Any], *condition: dict[str, Any]) -> dict[str, Any]:
        principals = [{"type": "*", "identifiers": ["*"]}]
        statement = {"sid": sid, "effect": "Deny", "principals": principals, "actions": ["s3:PutObject"]}
        return {**statement, **where, "condition": list(condition)}

    def null(key: str, *, absent: bool) -> dict[str, Any]:
        return {"test": "Null", "variable": key, "values": [str(absent).lower()]}

    def differs(key: str, *values: str) -> dict[str, Any]:
        return {"test": "StringNotEquals", "variable": key, "values": list(values)}

    return [
        deny("DenyOtherEncryption", everything, null(sse, absent=False), differs(sse, "aws:kms", "aws:kms:dsse")),
        deny("DenyOtherKeys", everything, null(key_id, absent=False), differs(key_id, key_arn)),
        deny(
            "DenyUnnamedKey",
            {"not_resources": [f"{arn}/{DATA_CLASSES[name].prefix}*" for name in without_key_parameter]}
            if without_key_parameter
            else everything,
            null(sse, absent=False),
            null(key_id, absent=True),
        ),
    ]


def allow_delivery(sid: str, service: str, path: str, account_id: str, sources: list[str]) -> dict[str, Any]:
    """Return the statement that lets an AWS service write to a path on behalf of these resources of the account."""
    return {
        "sid": sid,
        "principals": [{"type": "Service", "identifiers": [service]}],
        "actions": ["s3:PutObject"],
        "resources": [path],
        "condition": [
            {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [account_id]},
            {"test": "ArnLike", "variable": "aws:SourceArn", "values": sources},
        ],
    }


def _log_access(module: Module[Inputs], buckets: Any, logs: Any) -> None:
    bucket = each_of(buckets)
    module.add(
        S3BucketLoggingA,
        "this",
        why="Partitioned by day of the event, so that a query reads only the days that it needs.",
        for_each=bucket,
        bucket=bucket.value.id,
        target_bucket=logs.id,
        target_prefix=f"access-logs/{bucket.key}/",
        target_object_key_format={"partitioned_prefix": {"partition_date_source": "EventTime"}},
        depends_on=[module.resources.aws_s3_bucket_policy.logs],
    )
