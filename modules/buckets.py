"""Access and encryption of buckets."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdktn_provider_aws.s3_bucket_ownership_controls import S3BucketOwnershipControls
from cdktn_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock

from sustainable_mlops.authoring.expressions import Each
from sustainable_mlops.authoring.resources import Module

#: Reason why a bucket has no replication.
ONE_REGION = "Data stays in its Region; a copy doubles its footprint, and versioning protects against mistakes"
#: Settings that block public access to a bucket, or to all buckets of an account.
PUBLIC_ACCESS_BLOCK: Mapping[str, Any] = {
    "block_public_acls": True,
    "block_public_policy": True,
    "ignore_public_acls": True,
    "restrict_public_buckets": True,
}
#: Rules of a bucket's encryption with keys of S3.
SSE_S3 = [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}]


def build_sse_kms(key_arn: str) -> list[dict[str, Any]]:
    """Return the rules of a bucket's encryption with a KMS key."""
    return [
        {
            "bucket_key_enabled": True,
            "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
        }
    ]


def block_public_access(module: Module[Any], label: str, bucket_id: str, for_each: Each[Any, Any] | None = None) -> Any:
    """Block public access to a bucket and disable its ACLs. Return the public access block."""
    block = module.add(
        S3BucketPublicAccessBlock,
        label,
        for_each=for_each,
        bucket=bucket_id,
        **PUBLIC_ACCESS_BLOCK,
    )
    module.add(
        S3BucketOwnershipControls,
        label,
        for_each=for_each,
        bucket=bucket_id,
        rule={"object_ownership": "BucketOwnerEnforced"},
    )
    return block


def deny_plain_access(arn: str) -> list[dict[str, Any]]:
    """Return the statements that deny access without TLS 1.2."""

    def deny(sid: str, test: str, variable: str, value: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "effect": "Deny",
            "principals": [{"type": "*", "identifiers": ["*"]}],
            "actions": ["s3:*"],
            "resources": [arn, f"{arn}/*"],
            "condition": [{"test": test, "variable": variable, "values": [value]}],
        }

    return [
        deny("DenyPlainHttp", "Bool", "aws:SecureTransport", "false"),
        deny("DenyOldTls", "NumericLessThan", "s3:TlsVersion", "1.2"),
    ]


def deny_other_encryption(arn: str, key_arn: str, exempt_prefixes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the statements that deny uploads with other encryption than the key.

    Uploads to `exempt_prefixes` may name aws:kms without the key.

    Source: S3 API reference, PutObject: if a request has aws:kms and no key, S3 uses the managed key aws/s3, and not
    the bucket's default.
    """
    everything = {"resources": [f"{arn}/*"]}
    sse = "s3:x-amz-server-side-encryption"
    key_id = f"{sse}-aws-kms-key-id"

    def deny(sid: str, where: dict[str, Any], *condition: dict[str, Any]) -> dict[str, Any]:
        principals = [{"type": "*", "identifiers": ["*"]}]
        statement = {"sid": sid, "effect": "Deny", "principals": principals, "actions": ["s3:PutObject"]}
        return {**statement, **where, "condition": list(condition)}

    def require_null(key: str, *, absent: bool) -> dict[str, Any]:
        return {"test": "Null", "variable": key, "values": [str(absent).lower()]}

    def differs(key: str, *values: str) -> dict[str, Any]:
        return {"test": "StringNotEquals", "variable": key, "values": list(values)}

    return [
        deny(
            "DenyOtherEncryption", everything, require_null(sse, absent=False), differs(sse, "aws:kms", "aws:kms:dsse")
        ),
        deny("DenyOtherKeys", everything, require_null(key_id, absent=False), differs(key_id, key_arn)),
        deny(
            "DenyUnnamedKey",
            {"not_resources": [f"{arn}/{prefix}*" for prefix in exempt_prefixes]} if exempt_prefixes else everything,
            require_null(sse, absent=False),
            require_null(key_id, absent=True),
        ),
    ]


def allow_delivery(sid: str, service: str, path: str, account_id: str, sources: list[str]) -> dict[str, Any]:
    """Return the statement that lets an AWS service write to a path on behalf of these resources of the account."""
    return {
        "sid": sid,
        "principals": [{"type": "Service", "identifiers": [service]}],
        "actions": ["s3:PutObject"],
        "resources": [path],
        "condition": [
            {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [account_id]},
            {"test": "ArnLike", "variable": "aws:SourceArn", "values": sources},
        ],
    }
