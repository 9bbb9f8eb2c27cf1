"""IAM's policy documents: what their statements say of an action on a resource.

Conditions are evaluated as far as the caller says what the request carries. Of all else the sandbox stands for requests
that are allowed: an Allow whose conditions may be met counts, and a Deny whose conditions may not be met does not.
"""

import json
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sagemaker_sandbox import conditions
from sagemaker_sandbox.conditions import Context
from sagemaker_sandbox.errors import ValidationError

Statement = Mapping[str, Any]


class Decision(StrEnum):
    """In the words of IAM's simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


def statements(document: str) -> list[Statement]:
    """The statements of a policy. Raises ValidationError for what is no JSON object."""
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise ValidationError("Invalid policy: it is not a JSON object.")
    return [one for one in _listed(policy.get("Statement")) if isinstance(one, dict)]


def concerning(of: Iterable[Statement], action: str, resource: str | None) -> list[Statement]:
    """The statements that are about this action on this resource; None stands for whichever they name."""
    about = [one for one in of if _says(one, "Action", action, re.IGNORECASE)]
    return [one for one in about if resource is None or _says(one, "Resource", resource)]


def decide(concerned: Iterable[Statement], context: Context = MappingProxyType({})) -> Decision:
    """What statements that are about a request come to."""
    met = [(one.get("Effect"), conditions.are_met(one, context)) for one in concerned]
    if ("Deny", True) in met:
        return Decision.EXPLICIT_DENY
    allowed = any(effect == "Allow" and answer is not False for effect, answer in met)
    return Decision.ALLOWED if allowed else Decision.IMPLICIT_DENY


def allows_account(
    document: str, account: str, action: str, resource: str, context: Context = MappingProxyType({})
) -> bool:
    """Return whether a resource's policy lets an account do this."""
    concerned = concerning(statements(document), action, resource)
    return decide((one for one in concerned if _names(one.get("Principal"), account)), context) is Decision.ALLOWED


def allows_service(
    document: str, service: str, action: str, resource: str, context: Context = MappingProxyType({})
) -> bool:
    """Whether a resource's policy lets a service do this, such as `events.amazonaws.com`.

    What everybody may on a condition, a service may not: the usual condition is to be of the owner's account.
    """
    concerned = concerning(statements(document), action, resource)
    return decide((one for one in concerned if _names_service(one, service)), context) is Decision.ALLOWED


def _names_service(statement: Statement, service: str) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, Mapping) and service in _listed(principal.get("Service")):
        return True
    everybody = _listed(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    return "*" in everybody and not statement.get("Condition")


def _names(principal: Any, account: str) -> bool:
    principals = _listed(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    return any(one in ("*", account) or f"::{account}:" in str(one) for one in principals)


def _says(statement: Statement, element: str, value: str, flags: int = 0) -> bool:
    if f"Not{element}" in statement:
        return not any(_matches(one, value, flags) for one in _listed(statement[f"Not{element}"]))
    return any(_matches(one, value, flags) for one in _listed(statement.get(element)))


def _matches(pattern: Any, value: str, flags: int) -> bool:
    """`*` stands for any text, `?` for one character, and nothing else for anything but itself."""
    expression = re.escape(str(pattern)).replace(r"\*", ".*").replace(r"\?", ".")
    return value == "*" == pattern or re.fullmatch(expression, value, flags | re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
