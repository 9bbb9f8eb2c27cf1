"""Events of S3 objects. Source: Amazon S3 user guide, "EventBridge event message structure"."""

import secrets
import string
import time
from typing import Any

from sagemaker_sandbox.services.eventbridge.event import create_event

_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
}
_DELETED = "Object Deleted"


def create_object_event(account: str, bucket: Any, detail_type: str, name: str, key: Any) -> dict[str, Any]:
    """Return the event of an object. `name` is moto's name of the event, such as `s3:ObjectCreated:Put`."""
    description = {"key": key.name, "size": key.size, "etag": key.etag.replace('"', "")}
    if key.version_id not in (None, "null"):
        description["version-id"] = key.version_id
    description["sequencer"] = f"{time.time_ns():018X}"
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": description,
        "request-id": "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(16)),
        "requester": account,
        "source-ip-address": "127.0.0.1",
    }
    reason = _REASONS.get(name.partition(":")[2])
    detail |= {"reason": reason} if reason else {}
    if detail_type == _DELETED:
        del description["size"]
        detail["deletion-type"] = "Permanently Deleted"
    return create_event("aws.s3", detail_type, account, bucket.region_name, [bucket.arn], detail)
