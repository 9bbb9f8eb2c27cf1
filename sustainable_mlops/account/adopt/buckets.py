"""Buckets with their settings, each as it exists."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError, ImportedResource
from sustainable_mlops.account.adopt.fields import Fields, Nested, add_tags, convert, make_layout, read_tags
from sustainable_mlops.account.adopt.policies import render_policy
from sustainable_mlops.account.adopt.reader import Candidate, Reader

KIND = "bucket"
ACTIONS = (
    "s3:ListAllMyBuckets",
    "s3:GetBucketLocation",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetLifecycleConfiguration",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketCORS",
)
TYPES = (
    "aws_s3_bucket",
    "aws_s3_bucket_cors_configuration",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
)
_VERSIONING: Fields = {
    "VersioningConfiguration": Nested("versioning_configuration", {"Status": "status", "MFADelete": "mfa_delete"})
}
_ENCRYPTION: Fields = {
    "Rules": Nested(
        "rule",
        {
            "ApplyServerSideEncryptionByDefault": Nested(
                "apply_server_side_encryption_by_default",
                {"SSEAlgorithm": "sse_algorithm", "KMSMasterKeyID": "kms_master_key_id"},
            ),
            "BucketKeyEnabled": "bucket_key_enabled",
            "BlockedEncryptionTypes": None,
        },
    )
}
_ACCESS: Fields = {
    "BlockPublicAcls": "block_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "IgnorePublicAcls": "ignore_public_acls",
    "RestrictPublicBuckets": "restrict_public_buckets",
}
_OWNERSHIP: Fields = {"Rules": Nested("rule", {"ObjectOwnership": "object_ownership"})}
_AGE: Fields = {"Date": "date", "Days": "days", "StorageClass": "storage_class"}
_NONCURRENT: Fields = {
    "NoncurrentDays": "noncurrent_days",
    "NewerNoncurrentVersions": "newer_noncurrent_versions",
    "StorageClass": "storage_class",
}
_SIZES: Fields = {
    "ObjectSizeGreaterThan": "object_size_greater_than",
    "ObjectSizeLessThan": "object_size_less_than",
    "Prefix": "prefix",
}
_LIFECYCLE: Fields = {
    "TransitionDefaultMinimumObjectSize": "transition_default_minimum_object_size",
    "Rules": Nested(
        "rule",
        {
            "ID": "id",
            "Status": "status",
            "Prefix": "prefix",
            "Filter": Nested(
                "filter",
                {
                    **_SIZES,
                    "Tag": Nested("tag", {"Key": "key", "Value": "value"}),
                    "And": Nested("and", {**_SIZES, "Tags": "tags"}),
                },
                keep_empty=True,
            ),
            "Expiration": Nested("expiration", {**_AGE, "ExpiredObjectDeleteMarker": "expired_object_delete_marker"}),
            "Transitions": Nested("transition", _AGE),
            "NoncurrentVersionExpiration": Nested("noncurrent_version_expiration", _NONCURRENT),
            "NoncurrentVersionTransitions": Nested("noncurrent_version_transition", _NONCURRENT),
            "AbortIncompleteMultipartUpload": Nested(
                "abort_incomplete_multipart_upload", {"DaysAfterInitiation": "days_after_initiation"}
            ),
        },
    ),
}
_LOGGING: Fields = {
    "TargetBucket": "target_bucket",
    "TargetPrefix": "target_prefix",
    "TargetObjectKeyFormat": Nested(
        "target_object_key_format",
        {
            "SimplePrefix": Nested("simple_prefix", {}, keep_empty=True),
            "PartitionedPrefix": Nested("partitioned_prefix", {"PartitionDateSource": "partition_date_source"}),
        },
    ),
}
_CORS: Fields = {
    "CORSRules": Nested(
        "cors_rule",
        {
            "ID": "id",
            "AllowedHeaders": "allowed_headers",
            "AllowedMethods": "allowed_methods",
            "AllowedOrigins": "allowed_origins",
            "ExposeHeaders": "expose_headers",
            "MaxAgeSeconds": "max_age_seconds",
        },
    )
}
_NOTIFICATION_TARGET: Fields = {"Id": "id", "Events": "events", "Prefix": "filter_prefix", "Suffix": "filter_suffix"}
_NOTIFICATION: Fields = {
    "EventBridge": "eventbridge",
    "TopicConfigurations": Nested("topic", {**_NOTIFICATION_TARGET, "TopicArn": "topic_arn"}),
    "QueueConfigurations": Nested("queue", {**_NOTIFICATION_TARGET, "QueueArn": "queue_arn"}),
    "LambdaFunctionConfigurations": Nested(
        "lambda_function", {**_NOTIFICATION_TARGET, "LambdaFunctionArn": "lambda_function_arn"}
    ),
}


def read_buckets(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected buckets of the Region."""
    yield from reader.read_each(KIND, _list_candidates(reader))


def _list_candidates(reader: Reader) -> Iterator[Candidate]:
    partition = reader.account.client("s3").meta.partition
    # AWS returns the Region of each bucket only if the request has a parameter.
    for bucket in reader.account.list_all("s3", "list_buckets", "Buckets", MaxBuckets=1000):
        name = bucket["Name"]
        if bucket.get("BucketRegion", reader.region) != reader.region:
            continue
        identifiers = [f"arn:{partition}:s3:::{name}"]
        if reader.check_selection(KIND, name, identifiers=identifiers, tags=partial(_read_tags, reader, name)):
            yield name, partial(_read_bucket, reader, name)


def _read_tags(reader: Reader, bucket: str) -> dict[str, str]:
    response = _get_setting(reader, bucket, "tagging", "NoSuchTagSet")
    return read_tags(response.get("TagSet", []))


def _get_setting(reader: Reader, bucket: str, setting: str, *absent: str) -> dict[str, Any]:
    """Return one setting of a bucket; empty if the bucket does not have it."""
    operation = setting if setting.startswith("get_") else f"get_bucket_{setting}"
    response = reader.account.call("s3", operation, absent=absent, Bucket=bucket) or {}
    return {member: value for member, value in response.items() if member != "ResponseMetadata"}


def _read_bucket(reader: Reader, name: str) -> AdoptedObject | None:
    """Return one bucket with the settings that it has, or None if it is in another Region."""
    location = reader.account.call("s3", "get_bucket_location", Bucket=name).get("LocationConstraint")
    if {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(location, location) != reader.region:
        return None
    label = reader.choose_label("aws_s3_bucket", name)
    body = add_tags({"bucket": name}, _read_tags(reader, name))
    body["lifecycle"] = {"prevent_destroy": True, "ignore_changes": ["force_destroy"]}
    resources, notes = [ImportedResource("aws_s3_bucket", label, name, body)], []
    for resource_type, response, fields in _read_settings(reader, name):
        try:
            arguments = convert(response, fields)
        except ExclusionError as error:
            notes.append(f"{resource_type.removeprefix('aws_s3_bucket_')} stays unmanaged: {error}")
            continue
        if arguments:
            arguments = {"bucket": f"${{{resources[0].address}.id}}", **arguments}
            resources.append(ImportedResource(resource_type, label, name, arguments, make_layout(fields)))
    if policy := _get_setting(reader, name, "policy", "NoSuchBucketPolicy").get("Policy"):
        arguments = {"bucket": f"${{{resources[0].address}.id}}", "policy": render_policy(json.loads(policy))}
        resources.append(ImportedResource("aws_s3_bucket_policy", label, name, arguments))
    return AdoptedObject(KIND, name, tuple(resources), notes=tuple(notes))


def _read_settings(reader: Reader, name: str) -> Iterator[tuple[str, Mapping[str, Any], Fields]]:
    """Yield the resource type, the response and the table of each setting of a bucket."""
    yield "aws_s3_bucket_versioning", _read_versioning(reader, name), _VERSIONING
    missing = "ServerSideEncryptionConfigurationNotFoundError"
    encryption = _get_setting(reader, name, "encryption", missing).get("ServerSideEncryptionConfiguration", {})
    yield "aws_s3_bucket_server_side_encryption_configuration", encryption, _ENCRYPTION
    access = _get_setting(reader, name, "get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
    yield "aws_s3_bucket_public_access_block", access.get("PublicAccessBlockConfiguration", {}), _ACCESS
    ownership = _get_setting(reader, name, "ownership_controls", "OwnershipControlsNotFoundError")
    yield "aws_s3_bucket_ownership_controls", ownership.get("OwnershipControls", {}), _OWNERSHIP
    lifecycle = _get_setting(reader, name, "lifecycle_configuration", "NoSuchLifecycleConfiguration")
    yield "aws_s3_bucket_lifecycle_configuration", _flatten_rules(lifecycle), _LIFECYCLE
    yield "aws_s3_bucket_logging", _get_setting(reader, name, "logging").get("LoggingEnabled", {}), _LOGGING
    notification = _get_setting(reader, name, "notification_configuration")
    yield "aws_s3_bucket_notification", _flatten_notification(notification), _NOTIFICATION
    yield "aws_s3_bucket_cors_configuration", _get_setting(reader, name, "cors", "NoSuchCORSConfiguration"), _CORS


def _read_versioning(reader: Reader, name: str) -> dict[str, Any]:
    """Return the versioning of a bucket; empty if it was never enabled."""
    versioning = _get_setting(reader, name, "versioning")
    if "Status" not in versioning:
        return {}
    mfa = {"MFADelete": "Enabled"} if versioning.get("MFADelete") == "Enabled" else {}
    return {"VersioningConfiguration": {"Status": versioning["Status"], **mfa}}


def _flatten_rules(lifecycle: Mapping[str, Any]) -> dict[str, Any]:
    """Return a lifecycle with dates as text and tags as a map, as Terraform has them."""
    rules = []
    for rule in lifecycle.get("Rules", []):
        changed = {**rule, "Transitions": [_format_date(one) for one in rule.get("Transitions", [])]}
        changed["Expiration"] = _format_date(rule.get("Expiration", {}))
        if "And" in rule.get("Filter", {}):
            both = rule["Filter"]["And"]
            changed["Filter"] = {"And": {**both, "Tags": read_tags(both.get("Tags", []))}}
        rules.append(changed)
    return {**lifecycle, "Rules": rules}


def _format_date(age: Mapping[str, Any]) -> dict[str, Any]:
    return {**age, "Date": age["Date"].strftime("%Y-%m-%dT00:00:00Z")} if "Date" in age else dict(age)


def _flatten_notification(notification: Mapping[str, Any]) -> dict[str, Any]:
    """Return notifications with the filter of each one as `Prefix` and `Suffix`."""
    flat: dict[str, Any] = {"EventBridge": True} if "EventBridgeConfiguration" in notification else {}
    for member in ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations"):
        flat[member] = []
        for one in notification.get(member, []):
            rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
            filter_rules = {rule["Name"].capitalize(): rule["Value"] for rule in rules}
            flat[member].append({key: value for key, value in one.items() if key != "Filter"} | filter_rules)
    return flat
