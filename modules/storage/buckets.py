"""Buckets with their access controls, encryption and logging."""

from typing import Any

from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.s3_bucket_logging import S3BucketLoggingA
from cdktn_provider_aws.s3_bucket_notification import S3BucketNotification
from cdktn_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktn_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
)
from cdktn_provider_aws.s3_bucket_versioning import S3BucketVersioningA

from modules.buckets import (
    ONE_REGION,
    SSE_S3,
    allow_delivery,
    block_public_access,
    build_sse_kms,
    deny_other_encryption,
    deny_plain_access,
)
from modules.iam_statements import build_prefix_condition, build_statement
from modules.policies import encode_policy, encode_statement, show_policy
from modules.storage.inputs import OWN_BUCKETS, Inputs, build_bucket_arn, get_bucket_name
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

FOR_EACH_SKIP = "checkov does not follow for_each: see %s.this"
*DATA_BUCKETS, LOGS = OWN_BUCKETS
#: Prefixes of data that SageMaker writes without the key: CheckpointConfig, DebugHookConfig and ProfilerConfig have no
#: field for a key.
PREFIXES_WITHOUT_KEY = tuple(DATA_CLASSES[name].prefix for name in ("checkpoints", "debug_output"))


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
        bucket=get_bucket_name(var, data_bucket.key),
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
        bucket=get_bucket_name(var, LOGS),
        force_destroy=~var.deletion_protection,
        tags=var.tags,
    )
    module.local("all_buckets", merge(buckets, {LOGS: logs}))
    versioning = _protect_all(module)
    _encrypt(module, buckets, logs, key_arn)
    _add_policies(module, buckets, logs, key_arn)
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


def _protect_all(module: Module[Inputs]) -> Any:
    bucket = each_of(module.locals.all_buckets)
    block_public_access(module, "this", bucket.value.id, bucket)
    return module.add(
        S3BucketVersioningA,
        "this",
        for_each=bucket,
        bucket=bucket.value.id,
        versioning_configuration={"status": "Enabled"},
    )


def _encrypt(module: Module[Inputs], buckets: Any, logs: Any, key_arn: str) -> None:
    bucket = each_of(buckets)
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "this",
        why="A bucket key avoids a KMS call for almost every object.",
        for_each=bucket,
        bucket=bucket.value.id,
        rule=build_sse_kms(key_arn),
    )
    module.add(
        S3BucketServerSideEncryptionConfigurationA,
        "logs",
        why="S3 delivers access logs only to buckets with SSE-S3.",
        bucket=logs.id,
        rule=SSE_S3,
    )


def _add_policies(module: Module[Inputs], buckets: Any, logs: Any, key_arn: str) -> None:
    var = module.var
    purpose = each_of(module.locals.purposes)
    arn = build_bucket_arn(var, purpose.key)
    nothing: list[Any] = []
    principals = [{"type": "AWS", "identifiers": module.locals.readers}]
    readers = [
        encode_statement({**statement, "principals": principals})
        for statement in (
            build_statement("ReadModels", ["s3:GetObject"], [f"{arn}/models/*"]),
            build_statement("ListModels", ["s3:ListBucket"], [arn], build_prefix_condition("models/")),
        )
    ]
    is_shared = (purpose.key == "artifacts") & (length(var.reader_account_ids) > 0)
    policies = show_policy(
        module,
        "bucket",
        *deny_plain_access(arn),
        *deny_other_encryption(arn, key_arn, PREFIXES_WITHOUT_KEY),
        why="An upload may leave encryption to the bucket's default or name the key. The policy denies SSE-S3, other "
        "keys and aws:kms without a key, which selects the account's aws/s3 key. SageMaker's API has no key parameter "
        "for checkpoints and debug output, so aws:kms without a key is allowed there.",
        for_each=purpose,
        # One conditional for each statement: HCL cannot unify statements with and without a condition.
        extra_elements=concat(*(when(is_shared, [one], nothing) for one in readers)),
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
    logs_arn = build_bucket_arn(var, LOGS)
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
                list_of(module.locals.purposes, lambda purpose: build_bucket_arn(var, purpose)),
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
