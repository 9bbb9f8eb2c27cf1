"""S3: tags of a bucket, from its creation to its deletion.

- moto ignores the tags of CreateBucket. Version 6 of the Terraform provider sends them there, so its second plan would
  add them once more.
- moto keeps the tags of a deleted bucket. A new bucket of the same name would get them.
"""

from typing import Any
from xml.etree import ElementTree as ET

from moto.s3.exceptions import DuplicateTagKeys, NoSystemTags
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


def apply() -> None:
    """Create and delete the tags with their bucket."""
    delete_bucket = S3Backend.delete_bucket
    bucket_response_put = S3Response._bucket_response_put

    def delete_bucket_and_tags(self: Any, bucket_name: str) -> Any:
        bucket = delete_bucket(self, bucket_name)
        if bucket is not None:
            self.tagger.delete_all_tags_for_resource(bucket.arn)
        return bucket

    def put_bucket_and_tags(self: Any, request: Any, bucket_name: str, querystring: Any) -> Any:
        tags = _read_creation_tags(self.body)
        is_new = bucket_name not in self.backend.buckets
        response = bucket_response_put(self, request, bucket_name, querystring)
        if tags and is_new:
            self.backend.put_bucket_tagging(bucket_name, tags)
        return response

    S3Backend.delete_bucket = delete_bucket_and_tags
    S3Response._bucket_response_put = put_bucket_and_tags


def _read_creation_tags(body: bytes | str) -> dict[str, str]:
    """Return the tags of a CreateBucketConfiguration; none for any other body. Raises S3's errors for wrong tags."""
    if "<CreateBucketConfiguration" not in (body if isinstance(body, str) else body.decode(errors="replace")):
        return {}
    tags: dict[str, str] = {}
    for tag in ET.fromstring(body).iterfind("{*}Tags/{*}Tag"):  # noqa: S314 the user's own request
        key = tag.findtext("{*}Key", "")
        if key in tags:
            raise DuplicateTagKeys
        if key.startswith("aws:"):
            raise NoSystemTags
        tags[key] = tag.findtext("{*}Value", "")
    return tags
