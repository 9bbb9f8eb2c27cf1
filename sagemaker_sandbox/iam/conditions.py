"""Conditions of policy statements, evaluated with the condition keys of a request.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or
values". The result is unknown if the sandbox does not know the operator or the key.
"""

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sagemaker_sandbox.iam.three_valued import combine_all, combine_any, negate
from sagemaker_sandbox.iam.wildcards import UNKNOWN_TEXT, decode_literals, matches

#: Value of each known condition key of a request: several for a key such as `aws:TagKeys`, None if the request does not
#: have the key. Other keys are unknown.
ConditionKeys = Mapping[str, str | Sequence[str] | None]

_ALL, _ANY = "ForAllValues:", "ForAnyValue:"


def are_met(statement: Mapping[str, Any], keys: ConditionKeys, *, is_complete: bool = False) -> bool | None:
    """Return whether a request meets all conditions of a statement, or None if that is unknown.

    With `is_complete`, the request has no other keys than `keys`.
    """
    known_keys = {key.lower(): value for key, value in keys.items()}
    return combine_all(
        _is_met(name, str(key).lower(), expected, known_keys, is_complete=is_complete)
        for name, tests in (statement.get("Condition") or {}).items()
        for key, expected in tests.items()
    )


def _is_met(name: str, key: str, expected: Any, known_keys: ConditionKeys, *, is_complete: bool) -> bool | None:
    if key not in known_keys and not is_complete:
        return None
    value = known_keys.get(key)
    patterns = [to_text(item) for item in (expected if isinstance(expected, list) else [expected])]
    if name == "Null":
        return any((item.lower() == "true") == (value is None) for item in patterns)
    quantifier = next((prefix for prefix in (_ALL, _ANY) if name.startswith(prefix)), "")
    base, if_exists = name.removeprefix(quantifier).removesuffix("IfExists"), name.endswith("IfExists")
    negated = base not in _OPERATORS and base.replace("Not", "", 1) in _OPERATORS
    compare = _OPERATORS.get(base.replace("Not", "", 1) if negated else base)
    if compare is None:
        return False if is_complete else None
    if value is None:
        return if_exists or quantifier == _ALL or (negated and quantifier != _ANY)
    values = [value] if isinstance(value, str) else list(value)
    results = [combine_any(_compare(compare, pattern, item) for pattern in patterns) for item in values]
    if negated:
        results = [negate(result) for result in results]
    # Without a quantifier, a negated operator must hold for every value.
    return combine_all(results) if quantifier == _ALL or (negated and not quantifier) else combine_any(results)


def _compare(compare: Callable[[str, str], bool], pattern: str, value: str) -> bool | None:
    return None if UNKNOWN_TEXT in pattern else compare(pattern, value)


def to_text(value: Any) -> str:
    """Return a value of a condition or a request as IAM compares it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equals(pattern: str, value: str) -> bool:
    return decode_literals(pattern) == value


def _equals_ignoring_case(pattern: str, value: str) -> bool:
    return decode_literals(pattern).lower() == value.lower()


def _matches_arn(pattern: str, value: str) -> bool:
    """Compare the six parts of two ARNs one by one. A `*` does not match the colons between the first five."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(matches, patterns, values))


def _is_in_network(pattern: str, value: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(value) in ipaddress.ip_network(pattern, strict=False)
    return False


def _compare_numbers(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    def apply(pattern: str, value: str) -> bool:
        with suppress(InvalidOperation):
            return compare(Decimal(value), Decimal(pattern))
        return False

    return apply


def _compare_dates(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    def apply(pattern: str, value: str) -> bool:
        with suppress(ValueError):
            return compare(_parse_date(value), _parse_date(pattern))
        return False

    return apply


def _parse_date(text: str) -> datetime:
    """Return the date of an ISO 8601 text or of the seconds since 1970."""
    if text.replace(".", "", 1).isdigit() and len(text) > len("2026"):
        return datetime.fromtimestamp(float(text), UTC)
    date = datetime.fromisoformat(text)
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
#: Operators without their negations, such as `StringNotEquals`.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": _matches_arn,
    "ArnLike": _matches_arn,
    "BinaryEquals": _equals,
    "Bool": _equals_ignoring_case,
    "IpAddress": _is_in_network,
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": matches,
    **{f"Numeric{name}": _compare_numbers(compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _compare_dates(compare) for name, compare in _COMPARISONS.items()},
}
