"""Whether a resource matches a search expression, as the operation Search takes it."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: Properties of which the rest of the name is one key, to the list that holds them and its members of key and value.
_KEYED = {"Tags": ("Tags", "Key", "Value"), "Metrics": ("FinalMetricDataList", "MetricName", "Value")}
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def matches(record: Fields, expression: Fields) -> bool:
    """Whether a record satisfies all conditions of an expression, or any where its operator is Or.

    Raises ValidationError for a comparison that the type of the property does not have.
    """
    found = [_holds(record, condition) for condition in expression.get("Filters", ())]
    found += [_nested(record, nested) for nested in expression.get("NestedFilters", ())]
    found += [matches(record, below) for below in expression.get("SubExpressions", ())]
    return any(found) if expression.get("Operator") == "Or" else all(found)


def check(expression: Fields) -> None:
    """Raise ValidationError for a comparison without the value that it needs."""
    for condition in _conditions(expression):
        how = condition.get("Operator", "Equals")
        if "Value" not in condition and how not in ("Exists", "NotExists"):
            raise ValidationError(f"Value must be specified for operator {how} of {condition['Name']}.")


def _conditions(expression: Fields) -> Iterator[Fields]:
    yield from expression.get("Filters", ())
    for nested in expression.get("NestedFilters", ()):
        yield from nested["Filters"]
    for below in expression.get("SubExpressions", ()):
        yield from _conditions(below)


def names(expression: Fields) -> Iterator[str]:
    """The name of every property that an expression looks at."""
    yield from (condition["Name"] for condition in expression.get("Filters", ()))
    yield from (nested["NestedPropertyName"] for nested in expression.get("NestedFilters", ()))
    for below in expression.get("SubExpressions", ()):
        yield from names(below)


def values(record: Any, name: str) -> list[Any]:
    """What a record has under a property's dotted name; of lists, what each item has."""
    if isinstance(record, list):
        return [found for item in record for found in values(item, name)]
    if not isinstance(record, Mapping):
        return []
    first, _, rest = name.partition(".")
    if rest and first in _KEYED:
        member, key, value = _KEYED[first]
        return [item[value] for item in record.get(member, ()) if item[key] == rest]
    if name in record:  # such as a hyperparameter, whose name may have dots
        found = record[name]
        return list(found) if isinstance(found, list) else [found]
    return values(record[first], rest) if rest and first in record else []


def _nested(record: Fields, nested: Fields) -> bool:
    """Whether one object of the property satisfies all the filters."""
    prefix = nested["NestedPropertyName"] + "."
    filters = [condition | {"Name": condition["Name"].removeprefix(prefix)} for condition in nested["Filters"]]
    found = values(record, nested["NestedPropertyName"])
    return any(all(_holds(item, condition) for condition in filters) for item in found)


def _holds(record: Fields, condition: Fields) -> bool:
    found, how = values(record, condition["Name"]), condition.get("Operator", "Equals")
    if how in ("Exists", "NotExists"):
        return bool(found) is (how == "Exists")
    if how == "NotEquals":
        return not _any(found, "Equals", condition)
    return _any(found, how, condition)


def _any(found: Iterable[Any], how: str, condition: Fields) -> bool:
    return any(_compare(actual, how, condition["Value"], condition["Name"]) for actual in found)


def _compare(actual: Any, how: str, wanted: str, name: str) -> bool:
    if how in ("Contains", "In"):
        if not isinstance(actual, str):
            raise ValidationError(f"Operator {how} is only supported for text properties, which {name} is not.")
        return wanted in actual if how == "Contains" else actual in [one.strip() for one in wanted.split(",")]
    if how == "Equals" and isinstance(actual, str):
        return actual == wanted
    try:
        left, right = _comparable(actual), _comparable(wanted, like=actual)
    except (TypeError, ValueError):
        raise ValidationError(f"Operator {how} with the value '{wanted}' is not supported for {name}.") from None
    return left == right if how == "Equals" else _ORDERED[how](left, right)


def _comparable(value: Any, like: Any = None) -> float | str:
    """A number; moments are epoch seconds, truth is text. Raises TypeError or ValueError."""
    kind = like if like is not None else value
    if isinstance(kind, bool):
        return str(value).lower()
    if isinstance(kind, datetime):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(value)
