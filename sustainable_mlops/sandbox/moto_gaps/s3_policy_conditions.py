"""Bucket policies with conditions: moto applies every Deny statement, whatever its condition.

The usual "no request without TLS" would so deny every object, and "no upload without this key" every upload. The
sandbox stands for requests over TLS by the account's own principals and evaluates no conditions: a conditional Deny
does not apply.
"""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket


def close() -> None:
    """Evaluate a bucket's policy without its conditional Deny statements."""

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        applying = [one for one in statements if one["Effect"] == "Allow" or not one.get("Condition")]
        return IAMPolicy(json.dumps(policy | {"Statement": applying})).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission
