"""S3: moto accepts names of buckets that S3 refuses. It checks only their length.

Source: "General purpose bucket naming rules", Amazon S3 user guide.
"""

import re
from typing import Any

from moto.s3.exceptions import InvalidBucketName
from moto.s3.models import S3Backend

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]|\.(?!\.))*[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def apply() -> None:
    """Check the name before the bucket is created."""
    create_bucket = S3Backend.create_bucket

    def create_named_bucket(self: Any, bucket_name: str, *arguments: Any, **options: Any) -> Any:
        if not _NAME.fullmatch(bucket_name) or _ADDRESS.fullmatch(bucket_name):
            raise InvalidBucketName
        return create_bucket(self, bucket_name, *arguments, **options)

    S3Backend.create_bucket = create_named_bucket
