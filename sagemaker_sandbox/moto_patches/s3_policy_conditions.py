"""Bucket policies with conditions or NotResource: moto applies every such Deny statement.

Here a Deny applies if the request is known to meet its conditions. These are conditions on the encryption of an upload,
and on TLS: requests to the sandbox count as TLS. Deny statements with other conditions do not apply.
"""

import json
from typing import Any

from flask import has_request_context, request
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from sagemaker_sandbox.context import ALLOWED_BY_IAM
from sagemaker_sandbox.iam import conditions, policies

_HEADERS = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
#: moto's action for the requests of a multipart upload, and S3's action for them.
_POST, _PUT = "s3:PostObject", "s3:PutObject"


def apply() -> None:
    """Evaluate a bucket's policy without the Deny statements whose conditions the request does not meet."""

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        if has_request_context() and request.environ.get(ALLOWED_BY_IAM):
            return PermissionResult.PERMITTED
        if action == _POST and has_request_context() and ("uploads" in request.args or "uploadId" in request.args):
            action = _PUT
        matching, keys = (
            policies.select_statements(policies.parse_statements(self.policy), action, resource),
            _list_condition_keys(),
        )
        applying = [_translate_for_moto(statement) for statement in matching if conditions.are_met(statement, keys)]
        return IAMPolicy(json.dumps({"Statement": applying})).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission


def _translate_for_moto(statement: policies.Statement) -> dict[str, Any]:
    """Return a statement that is about the request, and whose conditions it meets, in terms that moto evaluates."""
    rest = {name: value for name, value in statement.items() if name not in ("Condition", "NotResource")}
    return rest | {"Resource": "*"}


def _list_condition_keys() -> dict[str, str | None]:
    headers: Any = request.headers if has_request_context() else {}
    return {"aws:SecureTransport": "true"} | {f"s3:{name}": headers.get(name) for name in _HEADERS}
