"""Bucket policies: moto evaluates neither conditions nor most principals and resources of their statements.

The sandbox evaluates them for requests that its enforcement of IAM has not checked, such as those of the root and those
without a signature. Known condition keys are those of the principal, of the encryption of an upload, and of TLS. A Deny
statement with other keys does not apply.
"""

from typing import Any

from flask import has_request_context, request
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from sagemaker_sandbox.base import accounts, signature
from sagemaker_sandbox.base.context import ALLOWED_BY_IAM
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import ANONYMOUS, Policy, Principal, PrincipalPolicies, ResourcePolicy, evaluate
from sagemaker_sandbox.iam.partial_requests import build_request

_HEADERS = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
#: moto's action for the requests of a multipart upload, and S3's action for them.
_POST, _PUT = "s3:PostObject", "s3:PutObject"


def apply() -> None:
    """Evaluate a bucket's policy with the sandbox's evaluator."""

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        if has_request_context() and request.environ.get(ALLOWED_BY_IAM):
            return PermissionResult.PERMITTED
        if action == _POST and has_request_context() and ("uploads" in request.args or "uploadId" in request.args):
            action = _PUT
        access_request = build_request(_find_principal(str(self.account_id)), action, resource, _list_condition_keys())
        policy = ResourcePolicy(Policy.parse(self.policy.decode()))
        decision = evaluate(access_request, PrincipalPolicies(), policy)
        if decision.explicit:
            return PermissionResult.DENIED
        return PermissionResult.PERMITTED if decision.allowed else PermissionResult.NEUTRAL

    FakeBucket.get_permission = get_permission


def _find_principal(owner: str) -> Principal:
    """Return the principal of the request that moto handles. Without a request, it is the root of the owner."""
    if not has_request_context():
        return Principal.build_root(owner)
    key = signature.parse_signature(request).key
    if not key:
        return ANONYMOUS
    return roles.find_principal(key) or Principal.build_root(accounts.find_account(request))


def _list_condition_keys() -> dict[str, str | None]:
    headers: Any = request.headers if has_request_context() else {}
    return {f"s3:{name}": headers.get(name) for name in _HEADERS}
