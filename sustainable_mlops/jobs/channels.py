"""The data sets of a run: their addresses, and a digest of their objects."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sustainable_mlops.aws import Client, S3Uri, read_error_code
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.base.errors import UserError


@dataclass(frozen=True)
class Channel:
    """One data set at the time of the launch."""

    name: str
    address: str
    objects: int
    size_bytes: int
    #: Digest of each object's key below the address, ETag and size. Every upload changes the ETag of an object
    #: encrypted with KMS, so the same bytes uploaded again count as new data. A run is never skipped by mistake.
    digest: str


def find_channels(data: Mapping[str, str], bucket: str, s3: Client, field: str = "data") -> tuple[Channel, ...]:
    """Return the data sets of `data` (channel to key, prefix or s3:// address).

    `field` is the field of the job file, for messages. Raises UserError if a data set is missing.
    """
    return tuple(
        _inspect_channel(f"{field}.{name}", name, resolve_address(f"{field}.{name}", location, bucket), s3)
        for name, location in sorted(data.items())
    )


def resolve_address(field: str, location: str, bucket: str) -> str:
    """Return the address of a data set. Raises UserError for a local path or an incomplete S3 address."""
    if is_s3(location):
        return location
    if location.startswith("s3:"):
        path = location.removeprefix("s3:").lstrip("/")
        raise UserError(f"{field}: {location!r} is not an S3 address; write s3://{path}")
    if location.startswith(("./", "../", "~")):
        raise UserError(
            f"{field}: {location!r} is a path of this computer; upload it to a folder of s3://{bucket}/, "
            "and write the key of that folder"
        )
    return str(S3Uri(bucket, location.lstrip("/")))


def _inspect_channel(field: str, name: str, address: str, s3: Client) -> Channel:
    from botocore.exceptions import ClientError

    bucket, prefix = S3Uri.parse(address, field)
    folder = prefix.rpartition("/")[0]
    objects: list[tuple[str, str, int]] = []
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            objects += [
                (item["Key"].removeprefix(folder).lstrip("/"), item["ETag"], item["Size"])
                for item in page.get("Contents", [])
                if not item["Key"].endswith("/")  # the S3 console's "folders"
            ]
    except ClientError as error:
        if read_error_code(error) != "NoSuchBucket":
            raise
        raise UserError(f"{field}: the bucket {bucket} does not exist; correct the address") from None
    if not objects:
        hint = f" (aws s3 sync FOLDER {address})" if address.endswith("/") else ""
        raise UserError(f"{field}: no object under {address}; upload the data set{hint}, or correct the path")
    return Channel(
        name=name,
        address=address,
        objects=len(objects),
        size_bytes=sum(size for _, _, size in objects),
        digest=hashlib.sha256(json.dumps(sorted(objects)).encode()).hexdigest(),
    )
