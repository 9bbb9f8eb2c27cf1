"""IAM actions of an operation, if they differ from its name. Source: AWS's Service Authorization Reference."""

from collections.abc import Mapping
from typing import Any

#: Prefixes of IAM actions by signing name, if the two differ.
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}

#: Operations of S3 on a bucket's configuration, by the action. An operation that deletes a configuration has the action
#: that writes it.
_S3_CONFIGURATIONS = {
    "BucketAccelerateConfiguration": "AccelerateConfiguration",
    "BucketAnalyticsConfiguration": "AnalyticsConfiguration",
    "BucketCors": "BucketCORS",
    "BucketEncryption": "EncryptionConfiguration",
    "BucketIntelligentTieringConfiguration": "IntelligentTieringConfiguration",
    "BucketInventoryConfiguration": "InventoryConfiguration",
    "BucketLifecycle": "LifecycleConfiguration",
    "BucketLifecycleConfiguration": "LifecycleConfiguration",
    "BucketMetricsConfiguration": "MetricsConfiguration",
    "BucketNotificationConfiguration": "BucketNotification",
    "BucketOwnershipControls": "BucketOwnershipControls",
    "BucketReplication": "ReplicationConfiguration",
    "BucketTagging": "BucketTagging",
    "ObjectLockConfiguration": "BucketObjectLockConfiguration",
    "PublicAccessBlock": "BucketPublicAccessBlock",
}
_ACTIONS = {
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("lambda", "InvokeAsync"): "lambda:InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "lambda:InvokeFunction",
    ("s3", "CompleteMultipartUpload"): "s3:PutObject",
    ("s3", "CopyObject"): "s3:PutObject",
    ("s3", "CreateMultipartUpload"): "s3:PutObject",
    ("s3", "DeleteObjects"): "s3:DeleteObject",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "ListMultipartUploads"): "s3:ListBucketMultipartUploads",
    ("s3", "ListObjectVersions"): "s3:ListBucketVersions",
    ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "ListParts"): "s3:ListMultipartUploadParts",
    ("s3", "SelectObjectContent"): "s3:GetObject",
    ("s3", "UploadPart"): "s3:PutObject",
    ("s3", "UploadPartCopy"): "s3:PutObject",
    ("s3control", "DeletePublicAccessBlock"): "s3:PutAccountPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
    ("s3control", "PutPublicAccessBlock"): "s3:PutAccountPublicAccessBlock",
    ("sns", "PublishBatch"): "sns:Publish",
    ("sqs", "ChangeMessageVisibilityBatch"): "sqs:ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "sqs:DeleteMessage",
    ("sqs", "SendMessageBatch"): "sqs:SendMessage",
}
#: Operations without an action: every principal may call them.
UNRESTRICTED = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
#: Actions with another name if the request names a version of an object.
_VERSIONED = {
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
}


def find_action(service: str, signing_name: str, operation: str, parameters: Mapping[str, Any]) -> str:
    """Return the action of an operation. `service` is botocore's name of the service."""
    action = _ACTIONS.get((service, operation)) or _find_configuration_action(service, operation)
    action = action or f"{_PREFIXES.get(signing_name, signing_name)}:{operation}"
    if action in _VERSIONED and parameters.get("VersionId"):
        verb, _, rest = action.partition("Object")
        return f"{verb}ObjectVersion{rest}"
    return action


def _find_configuration_action(service: str, operation: str) -> str | None:
    if service != "s3":
        return None
    for verb, own in (("Get", "Get"), ("Put", "Put"), ("Delete", "Put")):
        if operation.startswith(verb):
            noun = _S3_CONFIGURATIONS.get(operation.removeprefix(verb))
            return f"s3:{own}{noun}" if noun else None
    return None
