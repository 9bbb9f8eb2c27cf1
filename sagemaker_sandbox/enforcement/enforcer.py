"""Refusal of requests that IAM does not allow."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug import Request, Response

from sagemaker_sandbox.base import accounts, signature
from sagemaker_sandbox.base.client import INTERNAL_USER_AGENT
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import ALLOWED_BY_IAM, DEFAULT_REGION
from sagemaker_sandbox.base.error_responses import serialize_error
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.enforcement import principals, resource_policies, web_identity
from sagemaker_sandbox.enforcement.actions import UNRESTRICTED
from sagemaker_sandbox.enforcement.condition_keys import build_global_keys
from sagemaker_sandbox.enforcement.operations import RequestedOperation, parse_operation
from sagemaker_sandbox.enforcement.principals import Caller
from sagemaker_sandbox.enforcement.required_permissions import RequiredPermission, list_required_permissions
from sagemaker_sandbox.enforcement.resource_policies import Resource
from sagemaker_sandbox.enforcement.vpc_endpoints import VpcEndpoint, find_endpoint
from sagemaker_sandbox.iam.evaluation import (
    AccessDecision,
    AccessRequest,
    Policy,
    ResourcePolicy,
    evaluate,
    record_grants,
)
from sagemaker_sandbox.iam.grants import GrantRecorder
from sagemaker_sandbox.moto_patches.sts_assumed_roles import add_organization_role
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.service_model import load_service_model

#: Form of the access keys that AWS issues.
_ISSUED_KEY = re.compile(r"A[KS]IA[A-Z0-9]{16}")
#: Error codes by service; others depend on the protocol.
_CODES = {
    "cloudwatch": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "sns": "AuthorizationError",
    "sqs": "AccessDenied",
}
_JSON_PROTOCOLS = ("json", "rest-json")


class NotAuthorizedError(ApiError):
    """A request that IAM does not allow."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class Enforcer:
    """Check of each request. Credentials that IAM and STS have not issued are those of the root, and unrestricted.

    `describe_sagemaker` returns the policy of a model package group and the tags of any resource of SageMaker, by ARN.
    """

    def __init__(
        self,
        clock: Clock,
        describe_sagemaker: Callable[[str], tuple[str | None, Mapping[str, str]]],
        grants: GrantRecorder,
    ) -> None:
        self._clock = clock
        self._describe_sagemaker = describe_sagemaker
        self._grants = grants

    def check_request(self, request: Request) -> Response | None:
        """Return the error of a request that is not allowed, or None."""
        signed = signature.parse_signature(request)
        if signed.service in ("", "sts") and (parameters := web_identity.read_parameters(request)) is not None:
            return self._check_web_identity(parameters)  # STS ignores a signature: the token decides
        caller = principals.find_caller(signed.key) if signed.key else None
        if caller is None and _ISSUED_KEY.fullmatch(signed.key) and not signed.key.endswith("EXAMPLE"):
            return self._refuse_key(request)
        if caller is None and (signed.service != "sts" or INTERNAL_USER_AGENT in request.headers.get("User-Agent", "")):
            return None
        operation = parse_operation(request)
        if operation is None or (operation.service, operation.name) in UNRESTRICTED:
            return None
        if caller is None and operation.name != "AssumeRole":
            return None
        if operation.name == "AssumeRole":
            add_organization_role(str(operation.parameters.get("RoleArn", "")))
        caller = caller or principals.build_root(accounts.find_account(request))
        region = signed.region or DEFAULT_REGION
        refusal = self._check_permissions(operation, caller, region, request.headers.get("User-Agent", ""))
        if refusal is not None:
            return _build_response(request, operation, refusal)
        request.environ[ALLOWED_BY_IAM] = True
        return None

    def check_role(self, role: str, region: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Raise NotAuthorizedError if the role lacks a permission for an operation that SageMaker calls with the role.

        List operations need no permission, because SageMaker reads its own resources.
        """
        if operation.startswith("List"):
            return
        call = RequestedOperation("sagemaker", "sagemaker", operation, parameters)
        refusal = self._check_permissions(call, principals.build_service_session(role), region, INTERNAL_USER_AGENT)
        if refusal is not None:
            raise NotAuthorizedError("AccessDeniedException", 400, refusal)

    def _check_permissions(
        self, operation: RequestedOperation, caller: Caller, region: str, user_agent: str
    ) -> str | None:
        """Return AWS's message if a permission of an operation is missing. Else record the grants, and return None."""
        allowed: list[AccessRequest] = []
        endpoint = find_endpoint(caller.network, operation.service, region)
        for permission in list_required_permissions(operation, caller.principal.account, region):
            access_request, decision = self._decide_access(
                user_agent, caller, permission, operation.service, region, endpoint
            )
            if not decision.allowed:
                return decision.explain(access_request)
            allowed.append(access_request)
        for access_request in allowed:
            record_grants(self._grants, access_request, caller.policies)
        return None

    def _check_web_identity(self, parameters: Mapping[str, str]) -> Response | None:
        """Return the error of a token that the role does not trust, or None."""
        try:
            web_identity.check_trust(parameters, self._clock.now())
        except web_identity.WebIdentityError as error:
            return serialize_error(error, "sts", "application/x-www-form-urlencoded", web_identity.ACTION)
        return None

    def _decide_access(
        self,
        user_agent: str,
        caller: Caller,
        permission: RequiredPermission,
        service: str,
        region: str,
        endpoint: VpcEndpoint | None,
    ) -> tuple[AccessRequest, AccessDecision]:
        resource = self._find_resource(permission.resource)
        keys: dict[str, Any] = {
            **build_global_keys(caller.principal, caller.tags, region, self._clock.now(), user_agent),
            **permission.keys,
            **{f"aws:ResourceTag/{key}": value for key, value in resource.tags.items()},
            **resource.keys,
            **(endpoint.keys if endpoint is not None else {}),
        }
        if owner := resource.account or caller.principal.account:
            keys |= {"aws:ResourceAccount": owner, "s3:ResourceAccount": owner}
        access_request = AccessRequest(caller.principal, permission.action, permission.resource, resource.account, keys)
        # A role that a request passes is the resource; its trust policy is for AssumeRole.
        is_trust = resource.policy is not None and not resource.policy.names_resources
        policy = None if is_trust and not permission.action.startswith("sts:") else resource.policy
        # Another AWS service calls IAM and KMS itself, so that these calls do not use the endpoint.
        is_own_call = permission.action.startswith(f"{service}:") or not permission.action.startswith(("iam:", "kms:"))
        endpoint_policy = endpoint.policy if endpoint is not None and is_own_call else None
        return access_request, evaluate(access_request, caller.policies, policy, endpoint_policy)

    def _find_resource(self, arn: str) -> Resource:
        parts = Arn.parse_or_none(arn)
        if parts is None or parts.service != "sagemaker":
            return resource_policies.find_resource(arn)
        document, tags = self._describe_sagemaker(arn)
        return Resource(parts.account, ResourcePolicy(Policy.parse(document)) if document else None, tags)

    def _refuse_key(self, request: Request) -> Response | None:
        """Return AWS's error for an access key that does not exist or was deleted."""
        operation = parse_operation(request)
        if operation is None:
            return None
        code = {"s3": "InvalidAccessKeyId", "ec2": "AuthFailure"}.get(operation.service) or (
            "UnrecognizedClientException" if _is_json(operation) else "InvalidClientTokenId"
        )
        error = NotAuthorizedError(code, 403, "The security token included in the request is invalid.")
        return _serialize(request, operation, error)


def _build_response(request: Request, operation: RequestedOperation, message: str) -> Response:
    is_json = _is_json(operation)
    code = _CODES.get(operation.service) or ("AccessDeniedException" if is_json else "AccessDenied")
    if operation.service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    status = 400 if code == "AccessDeniedException" and _get_protocol(operation) == "json" else 403
    return _serialize(request, operation, NotAuthorizedError(code, status, message))


def _serialize(request: Request, operation: RequestedOperation, error: ApiError) -> Response:
    content_type = request.headers.get("Content-Type", "")
    if _get_protocol(operation).startswith("rest-"):
        content_type = ""
    response = serialize_error(error, operation.service, content_type, operation.name)
    if request.method == "HEAD":
        response.set_data(b"")
    return response


def _is_json(operation: RequestedOperation) -> bool:
    return _get_protocol(operation) in _JSON_PROTOCOLS


def _get_protocol(operation: RequestedOperation) -> str:
    return str(load_service_model(operation.service).metadata["protocol"])
