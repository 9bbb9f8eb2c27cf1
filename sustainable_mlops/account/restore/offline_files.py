"""Files of an offline store in S3. No format of a file is read here."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

_METADATA_NAME = re.compile(r"v?(\d+)[^/]*\.metadata\.json$")


class DataFile(NamedTuple):
    """Data file of an offline store: its address, its columns, and its rows."""

    address: str
    columns: set[str]
    rows: Iterable[dict[str, Any]]


def make_damage_error(address: str, error: Exception) -> UserError:
    """Return the error of a file that cannot be read, with the first line of the cause."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    return UserError(f"{address}: cannot be read: {reason}; restore an earlier version of the object")


def find_metadata(s3: Client, folder: S3Uri) -> S3Uri | None:
    """Return the newest metadata file of a table; None if there is no table.

    The folder is that of the table, or `data` in it. The metadata is in `metadata` beside `data`.
    """
    path = f"/{folder.key.strip('/')}/"
    root = path.rpartition("/data/")[0] if "/data/" in path else path.rstrip("/")
    prefix = f"{root}/metadata/".lstrip("/")
    versions = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=folder.bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            name = _METADATA_NAME.match(item["Key"].rpartition("/")[2])
            if name is not None:
                versions.append((int(name[1]), item["LastModified"], item["Key"]))
    return S3Uri(folder.bucket, max(versions)[2]) if versions else None
