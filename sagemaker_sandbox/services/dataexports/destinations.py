"""Destination of an export: a bucket whose policy allows Data Exports to write."""

from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.iam import permissions
from sagemaker_sandbox.iam.partial_requests import allows_service
from sagemaker_sandbox.resources.resources import Fields

_PRINCIPAL = "bcm-data-exports.amazonaws.com"


def check_destination(account: str, arn: str, definition: Fields) -> None:
    """Raise ValidationError unless the bucket exists in its Region and lets Data Exports write for this export.

    Source: Data Exports user guide, "Setting up an Amazon S3 bucket for data exports". The message is AWS's.
    """
    destination = definition["DestinationConfigurations"]["S3Destination"]
    bucket = _find_bucket(str(destination.get("S3BucketOwner") or account), str(destination["S3Bucket"]))
    if bucket is None or not _allows_writes(bucket, arn, definition):
        raise ValidationError("S3 bucket permission validation failed")
    if bucket.region_name != destination["S3Region"]:
        raise ValidationError(f"S3Region is {destination['S3Region']}, but the bucket is in {bucket.region_name}.")


def build_folder(definition: Fields) -> str:
    """Return the folder of the export in its bucket."""
    prefix = str(definition["DestinationConfigurations"]["S3Destination"]["S3Prefix"]).strip("/")
    return "/".join(filter(None, (prefix, str(definition["Name"]))))


def _allows_writes(bucket: Any, arn: str, definition: Fields) -> bool:
    if bucket.policy is None:
        return False
    key = f"arn:aws:s3:::{bucket.name}/{build_folder(definition)}/data"
    source_keys = permissions.build_source_keys(arn)
    return allows_service(bucket.policy.decode(), _PRINCIPAL, "s3:PutObject", key, source_keys)


def _find_bucket(owner: str, name: str) -> Any:
    """Return moto's bucket, or None if the account has none of this name."""
    from moto.s3.models import s3_backends

    return s3_backends[owner]["aws"].buckets.get(name)
