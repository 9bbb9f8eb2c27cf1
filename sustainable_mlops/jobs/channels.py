"""The data sets of a run: where they are, and a digest of what is there."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sustainable_mlops.aws import Client, S3Uri, error_code
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.errors import UserError


@dataclass(frozen=True)
class Channel:
    """One data set, as it is now."""

    name: str
    address: str
    objects: int
    size_bytes: int
    #: Of each object's key below the address, ETag and size. The ETag of an object encrypted with KMS changes with
    #: every upload, so the same bytes uploaded again count as new data: a run is never wrongly taken for done.
    digest: str


def find_channels(data: Mapping[str, str], bucket: str, s3: Client, field: str = "data") -> tuple[Channel, ...]:
    """The data sets of `data` (channel to key, prefix or s3:// address), which the job file has in `field`.

    Raises UserError where one is missing.
    """
    return tuple(
        _channel(f"{field}.{name}", name, given if is_s3(given) else str(S3Uri(bucket, given.lstrip("/"))), s3)
        for name, given in sorted(data.items())
    )


def _channel(told: str, name: str, address: str, s3: Client) -> Channel:
    from botocore.exceptions import ClientError

    bucket, prefix = S3Uri.parse(address)
    below = prefix.rpartition("/")[0]
    objects: list[tuple[str, str, int]] = []
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            objects += [
                (item["Key"].removeprefix(below).lstrip("/"), item["ETag"], item["Size"])
                for item in page.get("Contents", [])
                if not item["Key"].endswith("/")  # the S3 console's "folders"
            ]
    except ClientError as error:
        if error_code(error) != "NoSuchBucket":
            raise
        raise UserError(f"{told}: there is no bucket {bucket}") from None
    if not objects:
        how = f" (aws s3 sync FOLDER {address})" if address.endswith("/") else ""
        raise UserError(f"{told}: nothing is stored under {address}; put the data set there{how}, or correct the path")
    return Channel(
        name=name,
        address=address,
        objects=len(objects),
        size_bytes=sum(size for _, _, size in objects),
        digest=hashlib.sha256(json.dumps(sorted(objects)).encode()).hexdigest(),
    )
