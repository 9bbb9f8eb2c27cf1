"""IAM policy documents: the decision of their statements for an action on a resource.

Conditions are evaluated as far as the caller knows the request's condition keys. The sandbox assumes that requests are
allowed: an Allow whose conditions may be met counts, and a Deny whose conditions may not be met does not.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.iam import conditions
from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.elements import covers_action, covers_resource, make_list

Statement = Mapping[str, Any]


class Decision(StrEnum):
    """A decision in the words of IAM's policy simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


def parse_statements(document: str) -> list[Statement]:
    """Return the statements of a policy. Raises ValidationError if the document is not a JSON object."""
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise ValidationError("Invalid policy: it is not a JSON object.")
    return [statement for statement in make_list(policy.get("Statement")) if isinstance(statement, dict)]


def select_statements(statements: Iterable[Statement], action: str, resource: str | None) -> list[Statement]:
    """Return the statements that apply to the action and the resource.

    None as the resource selects the statements for any resource.
    """
    matching = [statement for statement in statements if covers_action(statement, action)]
    return [statement for statement in matching if resource is None or covers_resource(statement, resource)]


def decide(statements: Iterable[Statement], keys: ConditionKeys = MappingProxyType({})) -> Decision:
    """Return the decision of statements that apply to a request."""
    effects = [(statement.get("Effect"), conditions.are_met(statement, keys)) for statement in statements]
    if ("Deny", True) in effects:
        return Decision.EXPLICIT_DENY
    allowed = any(effect == "Allow" and is_met is not False for effect, is_met in effects)
    return Decision.ALLOWED if allowed else Decision.IMPLICIT_DENY


def allows_account(
    document: str, account: str, action: str, resource: str, keys: ConditionKeys = MappingProxyType({})
) -> bool:
    """Return whether a resource policy allows an account the action on the resource."""
    statements = select_statements(parse_statements(document), action, resource)
    return (
        decide((statement for statement in statements if _contains_account(statement.get("Principal"), account)), keys)
        is Decision.ALLOWED
    )


def allows_service(
    document: str, service: str, action: str, resource: str | None, keys: ConditionKeys = MappingProxyType({})
) -> bool:
    """Return whether a resource policy allows a service the action on the resource.

    `service` is a principal, such as `events.amazonaws.com`. The resource is None for a trust policy, whose statements
    name none. A statement for every principal with a condition does not apply to services: usually, the condition
    requires the owner's account.
    """
    statements = select_statements(parse_statements(document), action, resource)
    return (
        decide((statement for statement in statements if _contains_service(statement, service)), keys)
        is Decision.ALLOWED
    )


def _contains_service(statement: Statement, service: str) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, Mapping) and service in make_list(principal.get("Service")):
        return True
    everyone = make_list(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    return "*" in everyone and not statement.get("Condition")


def _contains_account(principal: Any, account: str) -> bool:
    principals = make_list(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    return any(principal_id in ("*", account) or f"::{account}:" in str(principal_id) for principal_id in principals)
