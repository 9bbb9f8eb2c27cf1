"""One region of the account, as every family of its resources knows it."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.sandbox.context import Context


class Region:
    """Hold `lock` while reading or changing any resource."""

    def __init__(
        self, name: str, context: Context, take_interruption: Callable[[str], int | None] = lambda _job: None
    ) -> None:
        self.name = name
        self.context = context
        #: Job name to the checkpoints after which it is to be interrupted, if at all.
        self.take_interruption = take_interruption
        self.lock = threading.RLock()

    def object_exists(self, uri: str) -> bool:
        """Whether S3 has this object or, for an address that ends in a slash, anything under it."""
        if not is_s3(uri):
            return False
        (bucket, key), s3 = S3Uri.parse(uri), self.context.client("s3", self.name)
        try:
            if not key or key.endswith("/"):
                return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"])
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True

    def publish(self, detail_type: str, detail: Mapping[str, Any], arn: str) -> None:
        """Tell EventBridge, as SageMaker does for changes of state."""
        event = {
            "Source": "aws.sagemaker",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": [arn],
            "Time": datetime.now(UTC),
        }
        self.context.client("events", self.name).put_events(Entries=[event])
