"""What a root module of an endpoint takes as given: SageMaker looks for all of it."""

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
#: A model that says nothing.
_MODEL = "def model_fn(folder):\n    return None\ndef transform_fn(*_):\n    return '', 'text/plain'\n"


@contextmanager
def furnished(sandbox: Any, text: str) -> Iterator[None]:
    """As `furnish`; the buckets go again, as other examples make those of the same names."""
    s3, made = sandbox.client("s3"), furnish(sandbox, text)
    try:
        yield
    finally:
        for bucket in made:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for found in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=found["Key"])
            s3.delete_bucket(Bucket=bucket)


def furnish(sandbox: Any, text: str) -> set[str]:
    """Have the roles, images, keys, buckets and archives of models that the text names; the buckets that it made."""
    for role in sorted(set(_ROLE.findall(text))):
        make_role(sandbox, role)
        sandbox.client("iam").put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(_ALL))
    push_images(sandbox, text)
    for key in sorted(set(_KEY.findall(text))):
        make_key(sandbox, key)
    s3, made = sandbox.client("s3"), set[str]()
    for bucket, key in sorted(set(_ADDRESS.findall(text))):
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
            made.add(bucket)
        if key.endswith(".tar.gz"):
            s3.put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=_MODEL))
    return made


def make_key(sandbox: Any, key: str) -> None:
    """A KMS key of that id."""
    kms = sandbox.client("kms")
    if key not in [one["KeyId"] for one in kms.list_keys()["Keys"]]:
        kms.create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": key}])
