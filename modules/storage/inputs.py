"""Inputs of `storage`."""

from typing import Annotated

from modules.common import AccountId, KmsKeyArn, LocatedInputs, ProtectedInputs
from modules.location import require_key_in_region
from sustainable_mlops.authoring import Field, ModuleInputs, NumberMap, must, rule
from sustainable_mlops.authoring.expressions import concat, contains, every, keys, length, list_of, optional
from sustainable_mlops.catalogue.limits import get_limit

#: Purposes of the buckets of every environment. The last one is for access logs.
OWN_BUCKETS = ("artifacts", "data", "logs")
LONGEST_BUCKET_NAME = get_limit("bucket_name_characters")

Purpose = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$", json_schema_extra=must("be lower-case letters, digits and hyphens")),
]


class ExistingKmsKey(ModuleInputs):
    """Existing KMS key."""

    arn: KmsKeyArn = Field(description="ARN of the key. Its policy must allow this account's roles.")


class ExtraBucket(ModuleInputs):
    """Additional bucket, with the same protection and encryption as data and artifacts."""

    events: bool = Field(False, description="Send object events to EventBridge, which bills each event.")
    expiration_days: int | None = Field(
        None, ge=1, description="Delete objects after this number of days. Null keeps them."
    )


class LifecycleDays(NumberMap):
    """Lifecycle by class of data, in days since an object was last written."""

    artifacts_to_glacier: int = Field(
        90, ge=1, description="Move models, source and run records to Glacier Instant Retrieval."
    )
    async_inference: int = Field(7, ge=1, description="Delete requests and results of asynchronous endpoints.")
    captures: int = Field(30, ge=1, description="Delete captured inference traffic.")
    checkpoints: int = Field(14, ge=1, description="Delete checkpoints. Use more days than the longest training takes.")
    debug_output: int = Field(14, ge=1, description="Delete debugger and profiler output.")
    incomplete_uploads: int = Field(7, ge=1, le=7, description="Abort incomplete multipart uploads.")
    logs: int = Field(90, ge=1, description="Delete access logs and Storage Lens exports.")
    noncurrent: int = Field(30, ge=1, description="Delete noncurrent versions of objects permanently.")
    recreatable: int = Field(90, ge=1, description="Delete data that a job can recreate.")
    recreatable_to_one_zone: int = Field(
        30, ge=30, description="Move data that a job can recreate to One Zone-IA. The minimum of S3 is 30."
    )

    rules = (
        rule(
            "recreatable",
            lambda v: v.recreatable > v.recreatable_to_one_zone,
            "must be more than recreatable_to_one_zone",
        ),
    )


class Inputs(LocatedInputs, ProtectedInputs):
    """Inputs of `storage`."""

    existing_kms_key: ExistingKmsKey | None = Field(
        None,
        description="Encrypt with this key instead of a new one. It is an object, so that the ARN may be unknown until "
        "apply.",
    )
    extra_buckets: dict[Purpose, ExtraBucket] = Field(
        default_factory=dict, description="Additional buckets by purpose, which is the middle part of their name."
    )
    intelligent_tiering_archive_days: int | None = Field(
        None,
        ge=90,
        le=730,
        description="Archive raw data after this number of days without access. A later read needs a restore of "
        "several hours. Null disables it.",
    )
    lifecycle_days: LifecycleDays = Field(
        default_factory=LifecycleDays, description="Transitions and expirations of each class of data, in days."
    )
    reader_account_ids: list[AccountId] = Field(
        default_factory=list,
        description="Accounts that may read models/ in the artifacts bucket, and decrypt with the key of this module.",
    )
    storage_lens_export: bool = Field(
        False, description="Export the daily Storage Lens metrics to the logs bucket as Parquet."
    )

    rules = (
        require_key_in_region(
            "existing_kms_key", lambda v: list_of(optional(v.existing_kms_key), lambda existing: existing.arn)
        ),
        rule(
            "reader_account_ids",
            lambda v: ~contains(v.reader_account_ids, v.account_id),
            lambda v: f"must not contain {v.account_id}, the account of the buckets; remove it.",
        ),
        rule(
            "extra_buckets",
            lambda v: every(OWN_BUCKETS, lambda purpose: ~contains(keys(v.extra_buckets), purpose)),
            f"must not contain {', '.join(OWN_BUCKETS)}: these buckets exist already",
        ),
        rule(
            "extra_buckets",
            lambda v: every(
                concat(OWN_BUCKETS, keys(v.extra_buckets)),
                lambda purpose: length(get_bucket_name(v, purpose)) <= LONGEST_BUCKET_NAME,
            ),
            f"the name of a bucket may have {LONGEST_BUCKET_NAME} characters: shorten name_prefix or this key",
        ),
    )


def get_bucket_name(var: LocatedInputs, purpose: str) -> str:
    """Return the name of the bucket of a purpose."""
    return f"{var.name_prefix}-{purpose}-{var.account_id}-{var.region}"


def build_bucket_arn(var: LocatedInputs, purpose: str) -> str:
    """Return the ARN of the bucket of a purpose."""
    return f"arn:{var.partition}:s3:::{get_bucket_name(var, purpose)}"
