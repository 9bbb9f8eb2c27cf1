"""Where an MLOps platform keeps its data, models and access logs."""

from typing import Annotated

from cdktn_provider_aws.s3_control_storage_lens_configuration import S3ControlStorageLensConfiguration

from modules.common import AccountId, KmsKeyArn, Located, Protected, protect
from modules.storage import buckets, key, lifecycle
from sustainable_mlops.authoring import Dynamic, Field, Module, ModuleInputs, Output, Outputs, Reference, must, strings

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


class Inputs(Located, Protected):
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
    lifecycle_days: lifecycle.LifecycleDays = Field(
        default_factory=lifecycle.LifecycleDays, description="When each class of data moves or goes, in days."
    )
    reader_account_ids: list[AccountId] = Field(
        default_factory=list,
        description="Accounts that may read models/ of the artifacts bucket, and decrypt it with the key made here.",
    )
    storage_lens_export: bool = Field(
        False, description="Write Storage Lens's daily figures to the logs bucket as Parquet."
    )


class Storage(Module[Inputs]):
    """Encrypted buckets whose objects move to colder storage, or go, by what they are."""

    def build(self, var: Inputs) -> Outputs:
        """Add the key, the buckets, their lifecycle, Storage Lens and the guard over all of it."""
        self.local("dns_suffix", '${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}')
        self.local("readers", '${[for id in var.reader_account_ids : "arn:${var.partition}:iam::${id}:root"]}')
        key_arn = key.add(self, var)
        kept, logs, versioning = buckets.add(self, var, key_arn)
        lifecycle.add(self, kept, logs, versioning)
        self._storage_lens(var, kept)
        guarded = (
            "merge({ for purpose, bucket in local.all_buckets : purpose => bucket.arn }, "
            '{ for name, key in aws_kms_key.this : "kms_key" => key.arn })'
        )
        self.local("guarded", f"${{{guarded}}}")
        protect(self, "local.guarded")
        ready = ("aws_s3_bucket_policy.this", "aws_s3_bucket_server_side_encryption_configuration.this")
        arn = '"arn:${var.partition}:s3:::${bucket.bucket}"'
        each = f"purpose => {{ arn = {arn}, name = bucket.bucket }}"
        described = f"${{{{ for purpose, bucket in local.all_buckets : {each} }}}}"
        return {
            "buckets": Output(
                described,
                "Name and ARN of every bucket, by purpose: artifacts, data, logs and the extra ones.",
                depends_on=ready,
            ),
            "kms_key_arn": Output(
                key_arn, "Key that encrypts the buckets; use it for everything else of the environment."
            ),
            "prefixes": Output(
                {name: data.prefix for name, data in lifecycle.DATA_CLASSES.items()},
                "Prefix of every class of data, in the bucket that s3_uris names.",
            ),
            "s3_uris": Output(
                {
                    name: f"s3://{kept[data.bucket].bucket}/{data.prefix[:-1]}"
                    for name, data in lifecycle.DATA_CLASSES.items()
                },
                "Where every class of data belongs, as s3://bucket/prefix without a slash at the end.",
                depends_on=ready,
            ),
        }

    def _storage_lens(self, var: Inputs, kept: Reference) -> None:
        self.add(
            S3ControlStorageLensConfiguration,
            "this",
            why="Shows what these buckets hold and what of it is stale; its free metrics, not the billed ones.",
            config_id="${var.name_prefix}",
            account_id="${var.account_id}",
            tags=var.tags,
            storage_lens_configuration={
                "enabled": True,
                "account_level": {"bucket_level": {}},
                "include": {"buckets": strings(f"values({kept.address})[*].arn")},
                "data_export": Dynamic(
                    "${var.storage_lens_export ? [aws_s3_bucket.logs.arn] : []}",
                    {
                        "s3_bucket_destination": {
                            "account_id": "${var.account_id}",
                            "arn": "${data_export.value}",
                            "format": "Parquet",
                            "output_schema_version": "V_1",
                            "prefix": "storage-lens",
                            "encryption": {"sse_s3": [{}]},
                        }
                    },
                ),
            },
        )
