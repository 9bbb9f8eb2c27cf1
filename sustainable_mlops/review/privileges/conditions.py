"""Conditions of policy statements: does one imply another?"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from sustainable_mlops.plan.iam import PolicyCondition, is_unknown_text
from sustainable_mlops.review.patterns import Tristate, all_of, any_of, covers

#: Operators whose values are patterns; ARN operators match patterns even where they say "equals".
_PATTERNS = frozenset({"stringlike", "arnlike", "arnequals"})
_TEXTS = frozenset({*_PATTERNS, "stringequals"})
_BELOW = frozenset({f"{kind}lessthan{equals}" for kind in ("numeric", "date") for equals in ("", "equals")})
_ABOVE = frozenset({operator.replace("less", "greater") for operator in _BELOW})
_WILD = re.compile(r"[*?]")


def are_implied(conditions: Sequence[PolicyCondition], by: Sequence[PolicyCondition]) -> Tristate:
    """Whether every one of `conditions` holds wherever all of `by` do."""
    return all_of(any_of(_implied(condition, other) for other in by) for condition in conditions)


def _implied(wanted: PolicyCondition, given: PolicyCondition) -> Tristate:
    if wanted == given and not any(map(is_unknown_text, (wanted.operator, wanted.key, *wanted.values))):
        return True
    keys = (wanted.operator, wanted.key, given.operator, given.key)
    if not all(isinstance(key, str) for key in keys):
        return None
    if str(wanted.key).lower() != str(given.key).lower():
        return False
    theirs, loose, ours, ours_loose = *_operator(str(wanted.operator)), *_operator(str(given.operator))
    # "IfExists" also lets requests through that do not carry the key.
    if ours_loose and not loose:
        return False
    return _values_implied(theirs, wanted, ours, given)


def _operator(written: str) -> tuple[str, bool]:
    operator = written.lower()
    return operator.removesuffix("ifexists"), operator.endswith("ifexists")


def _values_implied(
    wanted_operator: str, wanted: PolicyCondition, given_operator: str, given: PolicyCondition
) -> Tristate:
    if wanted_operator in _PATTERNS and given_operator in _TEXTS:
        return _each_covered(wanted, given)
    if given_operator == "stringlike" and not any(_WILD.search(str(value)) for value in given.values):
        given_operator = "stringequals"
    if wanted_operator != given_operator:
        return False
    base = wanted_operator.rpartition(":")[2]  # without ForAllValues, ForAnyValue
    if base in ("stringnotlike", "arnnotlike", "arnnotequals"):
        return all_of(any_of(covers(theirs, ours) for theirs in given.values) for ours in wanted.values)
    if base in _PATTERNS:
        return _each_covered(wanted, given)
    if any(map(is_unknown_text, (*wanted.values, *given.values))):
        return None
    if "not" in base:
        return set(wanted.values) <= set(given.values)
    if base == "ipaddress":
        return _inside_networks(wanted, given)
    if base in _BELOW | _ABOVE:
        return _within_limit(base in _BELOW, wanted, given)
    return set(given.values) <= set(wanted.values)


def _each_covered(wanted: PolicyCondition, given: PolicyCondition) -> Tristate:
    return all_of(any_of(covers(ours, theirs) for ours in wanted.values) for theirs in given.values)


def _within_limit(below: bool, wanted: PolicyCondition, given: PolicyCondition) -> Tristate:
    try:
        limits, values = [[_quantity(str(v)) for v in one.values] for one in (wanted, given)]
    except ValueError:
        return set(given.values) <= set(wanted.values)
    if not limits or not values:
        return False
    return max(values) <= max(limits) if below else min(values) >= min(limits)


def _quantity(text: str) -> float:
    """A number, or a date as seconds: AWS takes both. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        date = datetime.fromisoformat(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _inside_networks(wanted: PolicyCondition, given: PolicyCondition) -> Tristate:
    from ipaddress import ip_network

    try:
        outer = [ip_network(str(value), strict=False) for value in wanted.values]
        inner = [ip_network(str(value), strict=False) for value in given.values]
    except ValueError:
        return set(given.values) <= set(wanted.values)
    return all(
        any(net.version == other.version and net.subnet_of(other) for other in outer)  # type: ignore[arg-type]
        for net in inner
    )
