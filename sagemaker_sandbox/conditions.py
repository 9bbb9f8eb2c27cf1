"""Conditions of policy statements, against what is known of a request.

Source: IAM user guide, "IAM JSON policy elements: Condition operators". An operator or a key that the sandbox knows
nothing of leaves the answer open.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

#: Condition keys to the value that a request carries, None where it carries none. Other keys are unknown.
Context = Mapping[str, str | None]


def are_met(statement: Mapping[str, Any], context: Context) -> bool | None:
    """Return whether a request meets all conditions of a statement; None where that is not known."""
    known = {key.lower(): value for key, value in context.items()}
    answers = [
        _is_met(operator, str(key).lower(), wanted, known)
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, wanted in tests.items()
    ]
    if False in answers:
        return False
    return None if None in answers else True


def _is_met(operator: str, key: str, wanted: Any, known: Context) -> bool | None:
    if key not in known:
        return None
    value, values = known[key], [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    if operator == "Null":
        return any((one.lower() == "true") == (value is None) for one in values)
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    negated = name.replace("Not", "", 1) in _OPERATORS and "Not" in name
    matches = _OPERATORS.get(name.replace("Not", "", 1) if negated else name)
    if matches is None:
        return None
    if value is None:
        return if_exists or negated
    return any(matches(one, value) for one in values) != negated


def _equals(pattern: str, value: str) -> bool:
    return pattern == value


def _equals_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _like(pattern: str, value: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Compare the six parts of two ARNs one by one: a `*` does not reach over a colon of the first five."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(_like, patterns, values))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _equals_ignoring_case,
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": _like,
}
