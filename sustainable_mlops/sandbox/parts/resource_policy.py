"""Whether a resource policy lets another account do something."""

import fnmatch
import json
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.sandbox.errors import ValidationError


def check(policy: str) -> None:
    """Raise ValidationError for what is no JSON object."""
    try:
        document = json.loads(policy)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ValidationError("Invalid resource policy: it is not a JSON object.")


def allows(policy: str, account: str, action: str, arn: str) -> bool:
    """Whether some statement of the JSON document grants it, and none denies it. Conditions are not evaluated: a
    conditional Allow counts, a conditional Deny does not."""
    statements = _listed(json.loads(policy).get("Statement", []))
    concerned = [one for one in statements if _concerns(one, account, action, arn)]
    denied = any(one.get("Effect") == "Deny" and not one.get("Condition") for one in concerned)
    return not denied and any(one.get("Effect") == "Allow" for one in concerned)


def _concerns(statement: Mapping[str, Any], account: str, action: str, arn: str) -> bool:
    principal = statement.get("Principal")
    principals = _listed(principal.get("AWS", []) if isinstance(principal, Mapping) else principal)
    return (
        any(one in ("*", account) or f"::{account}:" in one for one in principals)
        and any(fnmatch.fnmatchcase(action.lower(), one.lower()) for one in _listed(statement.get("Action")))
        and any(fnmatch.fnmatchcase(arn, one) for one in _listed(statement.get("Resource")))
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
