"""Conditions of policy statements, evaluated with the known condition keys of a request.

Source: IAM user guide, "IAM JSON policy elements: Condition operators". The result is unknown if the sandbox does not
know the operator or the key.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

#: Value of each known condition key of a request, None if the request does not have the key. Other keys are unknown.
ConditionKeys = Mapping[str, str | None]


def are_met(statement: Mapping[str, Any], keys: ConditionKeys) -> bool | None:
    """Return whether a request meets all conditions of a statement, or None if that is unknown."""
    known_keys = {key.lower(): value for key, value in keys.items()}
    results = [
        _is_met(operator, str(key).lower(), expected, known_keys)
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, expected in tests.items()
    ]
    if False in results:
        return False
    return None if None in results else True


def _is_met(operator: str, key: str, expected: Any, known_keys: ConditionKeys) -> bool | None:
    if key not in known_keys:
        return None
    value, values = known_keys[key], [str(item) for item in (expected if isinstance(expected, list) else [expected])]
    if operator == "Null":
        return any((item.lower() == "true") == (value is None) for item in values)
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    negated = name.replace("Not", "", 1) in _OPERATORS and "Not" in name
    matches = _OPERATORS.get(name.replace("Not", "", 1) if negated else name)
    if matches is None:
        return None
    if value is None:
        return if_exists or negated
    return any(matches(item, value) for item in values) != negated


def _equals(pattern: str, value: str) -> bool:
    return pattern == value


def _equals_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _like(pattern: str, value: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Compare the six parts of two ARNs one by one. A `*` does not match the colons between the first five."""
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
