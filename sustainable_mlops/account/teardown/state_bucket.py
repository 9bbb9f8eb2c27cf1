"""State bucket of an environment, which a teardown keeps."""

import json
import shlex
import sys
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.account.applied_environment import find_account, read_settings
from sustainable_mlops.aws import AccountClients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform


def describe_state_bucket(terraform: Terraform) -> str | None:
    """Return a text about the state bucket, which a teardown keeps; None if the state is not in a bucket.

    It has the command that deletes the bucket, unless the bucket has other states, or may have them.
    """
    try:
        backend = json.loads((terraform.data / "terraform.tfstate").read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, KeyError):
        return None
    if backend["type"] != "s3":
        return None
    bucket, region = backend["config"]["bucket"], backend["config"].get("region")
    stays = f"The state bucket {bucket} stays, with every version of the state."
    account = find_account(read_settings(terraform), {}, ()) or AccountClients(region or "")
    try:
        with aws.translate_aws_errors(f"state bucket {bucket}"):
            s3 = account.client("s3", region)
            keys = _list_keys(s3, bucket)
    except UserError as error:
        return f"{stays} It may have other states: {error}"
    states = sorted(keys - {backend["config"]["key"], f"{backend['config']['key']}.tflock"})
    if states:
        steps = " modules/bootstrap/README.md#after-the-first-apply has the steps that delete the bucket."
        is_bootstrap = any(key.startswith("bootstrap/") for key in states)
        return f"{stays} It also has {', '.join(states)}.{steps if is_bootstrap else ''}"
    # `aws s3 rb --force` leaves old versions, and so the bucket; `aws s3api delete-objects` takes a thousand at most.
    delete = (
        f"import boto3; b = boto3.resource('s3', {s3.meta.region_name!r}).Bucket({bucket!r}); "
        "b.object_versions.delete(); b.delete()"
    )
    return f'{stays} To delete it, run:\n{terraform.command_prefix}{shlex.quote(sys.executable)} -c "{delete}"'


def _list_keys(s3: Any, bucket: str) -> set[str]:
    """Return the keys of the objects in a bucket, without old versions of deleted objects."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {one["Key"] for page in pages for one in page.get("Contents", [])}
