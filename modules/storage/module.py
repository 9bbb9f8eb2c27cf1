"""Storage of an MLOps platform: data, models and access logs."""

from typing import Any

from cdktn_provider_aws.s3_control_storage_lens_configuration import S3ControlStorageLensConfiguration

from modules.iam_statements import get_dns_suffix
from modules.location_check import check_location
from modules.protection import protect
from modules.storage import buckets, key, lifecycle
from modules.storage.inputs import Inputs, build_bucket_arn
from sustainable_mlops.authoring.expressions import Dynamic, list_of, map_of, merge, when
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class StorageModule(Module[Inputs]):
    """Encrypted buckets with lifecycle rules for each class of data."""

    def build(self, var: Inputs) -> Outputs:
        """Add the key, the buckets, their lifecycle, Storage Lens and the deletion protection."""
        self.local("dns_suffix", get_dns_suffix(var))
        self.local(
            "readers", list_of(var.reader_account_ids, lambda account: f"arn:{var.partition}:iam::{account}:root")
        )
        key_arn = key.add(self)
        data_buckets, logs, versioning = buckets.add(self, key_arn)
        lifecycle.add(self, data_buckets, logs, versioning)
        self._add_storage_lens(var, logs)
        everything = self.locals.all_buckets
        guarded = self.local(
            "guarded",
            merge(
                map_of(everything, lambda _purpose, bucket: bucket.arn),
                map_of(self.resources.aws_kms_key.this, lambda own: own.arn, key=lambda _name, _own: "kms_key"),
            ),
        )
        protect(self, guarded)
        ready = tuple(
            getattr(self.resources, f"aws_s3_bucket_{part}").this
            for part in ("policy", "server_side_encryption_configuration")
        )
        check_location(self)
        return {
            "buckets": Output(
                map_of(
                    everything,
                    lambda _purpose, bucket: {
                        "arn": f"arn:{var.partition}:s3:::{bucket.bucket}",
                        "name": bucket.bucket,
                    },
                ),
                "Name and ARN of every bucket, by purpose: artifacts, data, logs and additional buckets.",
                depends_on=ready,
            ),
            "kms_key_arn": Output(
                key_arn, "KMS key of the buckets. Use it for all other resources of the environment."
            ),
            "prefixes": Output(
                {name: data.prefix for name, data in lifecycle.DATA_CLASSES.items()},
                "Prefix of every class of data, in the bucket of s3_uris.",
            ),
            "s3_uris": Output(
                {
                    name: f"s3://{data_buckets[data.bucket].bucket}/{data.prefix[:-1]}"
                    for name, data in lifecycle.DATA_CLASSES.items()
                },
                "Location of every class of data, as s3://bucket/prefix without a slash at the end.",
                depends_on=ready,
            ),
        }

    def _add_storage_lens(self, var: Inputs, logs: Any) -> None:
        nothing: list[str] = []
        self.add(
            S3ControlStorageLensConfiguration,
            "this",
            why="Shows the content of the buckets and stale data, with the free metrics only.",
            config_id=var.name_prefix,
            account_id=var.account_id,
            tags=var.tags,
            depends_on=[self.resources.aws_s3_bucket.this, self.resources.aws_s3_bucket.logs],
            storage_lens_configuration={
                "enabled": True,
                "account_level": {"bucket_level": {}},
                "include": {"buckets": list_of(self.locals.purposes, lambda purpose: build_bucket_arn(var, purpose))},
                "data_export": Dynamic(
                    when(var.storage_lens_export, [logs.arn], nothing),
                    lambda data_export: {
                        "s3_bucket_destination": {
                            "account_id": var.account_id,
                            "arn": data_export.value,
                            "format": "Parquet",
                            "output_schema_version": "V_1",
                            "prefix": "storage-lens",
                            "encryption": {"sse_s3": [{}]},
                        }
                    },
                ),
            },
        )
