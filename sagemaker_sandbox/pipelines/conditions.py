"""Conditions of Condition steps."""

import operator
from collections.abc import Callable
from typing import Any

from sagemaker_sandbox.pipelines.expressions import ExpressionScope, resolve
from sagemaker_sandbox.pipelines.services import Fields, StepError

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
    "In": lambda value, values: value in _require_list(values),
}


def _require_list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError
    return values


def find_problem(condition: Any) -> str | None:
    """Return the problem in the form of a condition, or None."""
    if not isinstance(condition, dict):
        return "a condition is not a JSON object"
    kind = condition.get("Type")
    members = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if members is None:
        return f"unknown condition type {kind!r}"
    if set(condition) != {"Type", *members}:
        return f"a condition of type {kind} has the members {', '.join(('Type', *members))}"
    inner = condition["Conditions"] if kind == "Or" else [condition["Condition"]] if kind == "Not" else []
    if not isinstance(inner, list):
        return "Conditions is not a list"
    return next((problem for item in inner if (problem := find_problem(item))), None)


def holds(condition: Fields, scope: ExpressionScope) -> bool:
    """Return whether a condition holds. Raises StepError if it cannot be evaluated."""
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], scope)
    if kind == "Or":
        return any(holds(inner, scope) for inner in condition["Conditions"])
    left, right = (resolve(condition[member], scope) for member in _MEMBERS[kind])
    try:
        return bool(_COMPARISONS[kind](left, right))
    except TypeError:
        raise StepError(f"ClientError: {kind} cannot compare {left!r} with {right!r}.") from None


_MEMBERS: dict[str, tuple[str, ...]] = dict.fromkeys(_COMPARISONS, ("LeftValue", "RightValue")) | {
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}
