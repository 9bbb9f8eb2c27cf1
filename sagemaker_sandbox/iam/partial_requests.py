"""Decisions on requests of which the sandbox knows the principal and some condition keys."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.evaluation import (
    AccessDecision,
    AccessRequest,
    OtherKeys,
    Policy,
    Principal,
    PrincipalPolicies,
    ResourcePolicy,
    evaluate,
)

#: Policy of a principal that may do everything.
ALL_ACTIONS = Policy.parse({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
NO_KEYS: ConditionKeys = MappingProxyType({})


def build_request(
    principal: Principal,
    action: str,
    resource: str | None,
    keys: ConditionKeys = NO_KEYS,
    *,
    owner: str = "",
    tags: Mapping[str, str] = MappingProxyType({}),
) -> AccessRequest:
    """Return a request with the keys of its principal, and unknown other keys.

    `owner` is the account of the resource if it matters, and `tags` are those of the principal.
    """
    # Requests to the sandbox count as TLS.
    known_keys: dict[str, Any] = {**principal.build_keys(tags), "aws:SecureTransport": "true", **keys}
    return AccessRequest(principal, action, resource, owner, known_keys, OtherKeys.UNKNOWN)


def decide_service_access(
    document: str,
    service: str,
    action: str,
    resource: str | None,
    keys: ConditionKeys = NO_KEYS,
    *,
    names_resources: bool = True,
) -> AccessDecision:
    """Return the decision of a resource's policy on a request of a service, such as `events.amazonaws.com`.

    `names_resources` is False for a trust policy, whose statements name no resource.
    """
    policy = ResourcePolicy(Policy.parse(document), names_resources=names_resources)
    return evaluate(build_request(Principal("", service), action, resource, keys), PrincipalPolicies(), policy)


def allows_service(
    document: str, service: str, action: str, resource: str | None, keys: ConditionKeys = NO_KEYS
) -> bool:
    """Return whether a resource's policy allows a service the action."""
    return decide_service_access(document, service, action, resource, keys).allowed


def decide_root_access(
    document: str, account: str, action: str, resource: str, keys: ConditionKeys = NO_KEYS
) -> AccessDecision:
    """Return the decision of a resource's policy alone on a request of the root of the same account."""
    request = build_request(Principal.build_root(account), action, resource, keys)
    return evaluate(request, PrincipalPolicies(), ResourcePolicy(Policy.parse(document)))
