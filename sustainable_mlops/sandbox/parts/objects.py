"""Whether S3 holds what a request names. These ask over HTTP: never call them with a Region's lock held."""

from typing import Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri, is_s3


def object_exists(s3: Any, uri: str) -> bool:
    """Whether S3 has this object or, for an address that ends in a slash, anything under it."""
    if not is_s3(uri):
        return False
    bucket, key = S3Uri.parse(uri)
    try:
        if not key or key.endswith("/"):
            return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"])
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True
