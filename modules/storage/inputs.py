"""Inputs of `storage`."""

from typing import Annotated

from modules.common import AccountId, KmsKeyArn, LocatedInputs, ProtectedInputs
from sustainable_mlops.authoring import Field, ModuleInputs, NumberMap, must, rule
from sustainable_mlops.authoring.expressions import concat, contains, every, keys, length
from sustainable_mlops.catalogue.limits import limit

#: Buckets that every environment has, by purpose; the last holds access logs.
OWN_BUCKETS = ("artifacts", "data", "logs")
LONGEST_BUCKET_NAME = limit("bucket_name_characters")

Purpose = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$", json_schema_extra=must("be lower-case letters, digits and hyphens")),
]


class ExistingKmsKey(ModuleInputs):
    """A key that someone else looks after."""

    arn: KmsKeyArn = Field(description="ARN of the key; its policy must let this account's roles use it.")


class ExtraBucket(ModuleInputs):
    """A bucket besides data and artifacts, guarded and encrypted as they are."""

    events: bool = Field(False, description="Send object events to EventBridge, which bills each.")
    expiration_days: int | None = Field(None, ge=1, description="Delete objects after so many days; null keeps them.")


class LifecycleDays(NumberMap):
    """Days since an object was last written."""

    artifacts_to_glacier: int = Field(
        90, ge=1, description="Models, source and run records move to Glacier Instant Retrieval after so many days."
    )
    async_inference: int = Field(7, ge=1, description="Requests to async endpoints and their results are deleted.")
    captures: int = Field(30, ge=1, description="Captured inference traffic is deleted.")
    checkpoints: int = Field(14, ge=1, description="Checkpoints are deleted; no training may run longer.")
    debug_output: int = Field(14, ge=1, description="Debugger and profiler output is deleted.")
    incomplete_uploads: int = Field(7, ge=1, le=7, description="Multipart uploads that never ended are aborted.")
    logs: int = Field(90, ge=1, description="Access logs and Storage Lens exports are deleted.")
    noncurrent: int = Field(30, ge=1, description="Overwritten and deleted versions are deleted for good.")
    recreatable: int = Field(90, ge=1, description="Data that a job can make again is deleted.")
    recreatable_to_one_zone: int = Field(
        30, ge=30, description="Data that a job can make again moves to One Zone-IA; S3 takes no less than 30."
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
        description="Encrypt with this key instead of a new one. An object, so that it may hold the ARN of a key that "
        "is made in the same apply.",
    )
    extra_buckets: dict[Purpose, ExtraBucket] = Field(
        default_factory=dict, description="Buckets besides data and artifacts, by purpose, the middle of their name."
    )
    intelligent_tiering_archive_days: int | None = Field(
        None,
        ge=90,
        le=730,
        description="Archive raw data that nobody has read for so many days; reading it then takes a restore of hours. "
        "Null never does.",
    )
    lifecycle_days: LifecycleDays = Field(
        default_factory=LifecycleDays, description="When each class of data moves or goes, in days."
    )
    reader_account_ids: list[AccountId] = Field(
        default_factory=list,
        description="Accounts that may read models/ of the artifacts bucket, and decrypt it with the key made here.",
    )
    storage_lens_export: bool = Field(
        False, description="Write Storage Lens's daily figures to the logs bucket as Parquet."
    )

    rules = (
        rule(
            "extra_buckets",
            lambda v: every(OWN_BUCKETS, lambda purpose: ~contains(keys(v.extra_buckets), purpose)),
            f"must not name {', '.join(OWN_BUCKETS)}: they exist already",
        ),
        rule(
            "extra_buckets",
            lambda v: every(
                concat(OWN_BUCKETS, keys(v.extra_buckets)),
                lambda purpose: length(bucket_name(v, purpose)) <= LONGEST_BUCKET_NAME,
            ),
            f"a bucket's name may have {LONGEST_BUCKET_NAME} characters: shorten name_prefix or the key here",
        ),
    )


def bucket_name(var: LocatedInputs, purpose: str) -> str:
    """The name of the bucket of a purpose."""
    return f"{var.name_prefix}-{purpose}-{var.account_id}-{var.region}"
