"""Where an MLOps platform keeps its data, models and access logs."""

from cdktn_provider_aws.s3_control_storage_lens_configuration import S3ControlStorageLensConfiguration

from modules.protection import protect
from modules.storage import buckets, key, lifecycle
from modules.storage.inputs import Inputs
from sustainable_mlops.authoring.resources import Dynamic, Module, Output, Outputs, Reference, strings


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
