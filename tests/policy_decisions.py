"""Decisions of policies on requests of which a test gives some condition keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.evaluation import AccessDecision, Policy, Principal, PrincipalPolicies, evaluate
from sagemaker_sandbox.iam.partial_requests import NO_KEYS, build_request

_ROLE = Principal.build_session("arn:aws:iam::123456789012:role/test", "test")


def decide(
    policy: Policy | Iterable[Mapping[str, Any]], action: str, resource: str | None, keys: ConditionKeys = NO_KEYS
) -> AccessDecision:
    """Return the decision of one policy or its statements on a request of a role. Other keys are unknown."""
    if not isinstance(policy, Policy):
        policy = Policy(tuple(policy))
    return evaluate(build_request(_ROLE, action, resource, keys), PrincipalPolicies([policy]))
