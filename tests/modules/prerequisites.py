"""Existing resources that root modules with endpoints need, because SageMaker checks them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.sandbox.support import create_tar, make_role, push_images

_ROLE = re.compile(r"arn:aws:iam::123456789012:role/([\w+=,.@-]+)")
_KEY = re.compile(r"arn:aws:kms:eu-north-1:123456789012:key/([\w-]+)")
_ADDRESS = re.compile(r"s3://([\w.-]+)/([\w./-]*)")
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
#: A model that returns empty text.
_MODEL = "def model_fn(folder):\n    return None\ndef transform_fn(*_):\n    return '', 'text/plain'\n"


@contextmanager
def provided_prerequisites(sandbox: Any, text: str) -> Iterator[None]:
    """Create prerequisites and delete the buckets afterwards: other examples create buckets of the same names."""
    s3, buckets = sandbox.client("s3"), create_prerequisites(sandbox, text)
    try:
        yield
    finally:
        for bucket in buckets:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=item["Key"])
            s3.delete_bucket(Bucket=bucket)


def create_prerequisites(sandbox: Any, text: str) -> set[str]:
    """Create the roles, images, keys, buckets and model archives that a text names, and return the new buckets."""
    for role in sorted(set(_ROLE.findall(text))):
        make_role(sandbox, role)
        sandbox.client("iam").put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(_ALL))
    push_images(sandbox, text)
    for key in sorted(set(_KEY.findall(text))):
        create_key(sandbox, key)
    s3, buckets = sandbox.client("s3"), set[str]()
    for bucket, key in sorted(set(_ADDRESS.findall(text))):
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
            buckets.add(bucket)
        if key.endswith(".tar.gz"):
            s3.put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=_MODEL))
    return buckets


def create_key(sandbox: Any, key: str) -> None:
    """Create a KMS key with this id, if missing."""
    kms = sandbox.client("kms")
    if key not in [one["KeyId"] for one in kms.list_keys()["Keys"]]:
        kms.create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": key}])
