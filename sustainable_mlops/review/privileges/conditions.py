"""Comparison of policy conditions: one condition implies another."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.iam import PolicyCondition, is_unknown_text
from sustainable_mlops.review.patterns import Tristate, combine_all, combine_any, covers

#: Operators whose values are patterns. ARN operators match patterns even if their name contains "equals".
_PATTERNS = frozenset({"stringlike", "arnlike", "arnequals"})
_TEXTS = frozenset({*_PATTERNS, "stringequals"})
_BELOW = frozenset({f"{kind}lessthan{equals}" for kind in ("numeric", "date") for equals in ("", "equals")})
_ABOVE = frozenset({operator.replace("less", "greater") for operator in _BELOW})
_WILD = LazyPattern(r"[*?]")
#: Keys that may have several values in one request. For other keys, `ForAnyValue:` changes nothing, and `ForAllValues:`
#: only allows requests without the key.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
_MULTIVALUED_KEYS = LazyPattern(r".+:(?:.*s|calledvia|principalservicenameslist|amr)", re.I)


def are_implied(conditions: Sequence[PolicyCondition], by: Sequence[PolicyCondition]) -> Tristate:
    """Return whether each of `conditions` holds wherever all of `by` hold."""
    return combine_all(combine_any(_is_implied(condition, other) for other in by) for condition in conditions)


def _is_implied(expected: PolicyCondition, actual: PolicyCondition) -> Tristate:
    if expected == actual and not any(map(is_unknown_text, (expected.operator, expected.key, *expected.values))):
        return True
    keys = (expected.operator, expected.key, actual.operator, actual.key)
    if not all(isinstance(key, str) for key in keys):
        return None
    if str(expected.key).lower() != str(actual.key).lower():
        return False
    expected_operator, is_expected_loose, actual_operator, is_actual_loose = (
        *_split_operator(str(expected.operator), str(expected.key)),
        *_split_operator(str(actual.operator), str(actual.key)),
    )
    # "IfExists" also allows requests without the key.
    if is_actual_loose and not is_expected_loose:
        return False
    return _are_values_implied(expected_operator, expected, actual_operator, actual)


def _split_operator(text: str, key: str) -> tuple[str, bool]:
    """Return the operator without its suffix, and whether it allows requests without the key."""
    operator, allows_missing_key = text.lower().removesuffix("ifexists"), text.lower().endswith("ifexists")
    if not _MULTIVALUED_KEYS.fullmatch(key):
        allows_missing_key |= operator.startswith("forallvalues:")
        operator = operator.removeprefix("forallvalues:").removeprefix("foranyvalue:")
    return operator, allows_missing_key


def _are_values_implied(
    expected_operator: str, expected: PolicyCondition, actual_operator: str, actual: PolicyCondition
) -> Tristate:
    if expected_operator in _PATTERNS and actual_operator in _TEXTS:
        return _covers_each(expected, actual)
    if actual_operator == "stringlike" and not any(_WILD.search(str(value)) for value in actual.values):
        actual_operator = "stringequals"
    if expected_operator != actual_operator:
        return False
    base = expected_operator.rpartition(":")[2]  # without ForAllValues, ForAnyValue
    if base in ("stringnotlike", "arnnotlike", "arnnotequals"):
        return combine_all(
            combine_any(covers(actual_value, expected_value) for actual_value in actual.values)
            for expected_value in expected.values
        )
    if base in _PATTERNS:
        return _covers_each(expected, actual)
    if any(map(is_unknown_text, (*expected.values, *actual.values))):
        return None
    if "not" in base:
        return set(expected.values) <= set(actual.values)
    if base == "ipaddress":
        return _is_inside_networks(expected, actual)
    if base in _BELOW | _ABOVE:
        return _is_within_limit(base in _BELOW, expected, actual)
    return set(actual.values) <= set(expected.values)


def _covers_each(expected: PolicyCondition, actual: PolicyCondition) -> Tristate:
    return combine_all(
        combine_any(covers(expected_value, actual_value) for expected_value in expected.values)
        for actual_value in actual.values
    )


def _is_within_limit(below: bool, expected: PolicyCondition, actual: PolicyCondition) -> Tristate:
    try:
        limits, values = [[_parse_quantity(str(v)) for v in condition.values] for condition in (expected, actual)]
    except ValueError:
        return set(actual.values) <= set(expected.values)
    if not limits or not values:
        return False
    return max(values) <= max(limits) if below else min(values) >= min(limits)


def _parse_quantity(text: str) -> float:
    """Return a number, or a date as seconds. Raises ValueError for other texts."""
    try:
        return float(text)
    except ValueError:
        date = datetime.fromisoformat(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _is_inside_networks(expected: PolicyCondition, actual: PolicyCondition) -> Tristate:
    from ipaddress import ip_network

    try:
        outer = [ip_network(str(value), strict=False) for value in expected.values]
        inner = [ip_network(str(value), strict=False) for value in actual.values]
    except ValueError:
        return set(actual.values) <= set(expected.values)
    return all(
        any(net.version == other.version and net.subnet_of(other) for other in outer)  # type: ignore[arg-type]
        for net in inner
    )
