"""S3: moto keeps the tags of a bucket that is deleted, and the next one of that name begins with them."""

from typing import Any

from moto.s3.models import S3Backend


def close() -> None:
    """Let the tags go with their bucket."""
    delete_bucket = S3Backend.delete_bucket

    def delete_bucket_and_tags(self: Any, bucket_name: str) -> Any:
        bucket = delete_bucket(self, bucket_name)
        if bucket is not None:
            self.tagger.delete_all_tags_for_resource(bucket.arn)
        return bucket

    S3Backend.delete_bucket = delete_bucket_and_tags
