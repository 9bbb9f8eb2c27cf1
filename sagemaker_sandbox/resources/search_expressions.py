"""Search expressions of the operation Search, and the records that match them."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields

#: Properties whose name ends with a key: the list that holds them, and its members for key and value.
_KEYED = {"Tags": ("Tags", "Key", "Value"), "Metrics": ("FinalMetricDataList", "MetricName", "Value")}
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def matches_expression(record: Fields, expression: Fields) -> bool:
    """Return whether a record satisfies all conditions of an expression, or any of them if the operator is Or.

    Raises ValidationError for a comparison that the type of the property does not support.
    """
    results = [_matches_condition(record, condition) for condition in expression.get("Filters", ())]
    results += [_matches_nested(record, nested) for nested in expression.get("NestedFilters", ())]
    results += [matches_expression(record, subexpression) for subexpression in expression.get("SubExpressions", ())]
    return any(results) if expression.get("Operator") == "Or" else all(results)


def check_expression(expression: Fields) -> None:
    """Raise ValidationError for a comparison without a required value."""
    for condition in _list_conditions(expression):
        comparison = condition.get("Operator", "Equals")
        if "Value" not in condition and comparison not in ("Exists", "NotExists"):
            raise ValidationError(f"Value must be specified for operator {comparison} of {condition['Name']}.")


def _list_conditions(expression: Fields) -> Iterator[Fields]:
    yield from expression.get("Filters", ())
    for nested in expression.get("NestedFilters", ()):
        yield from nested["Filters"]
    for subexpression in expression.get("SubExpressions", ()):
        yield from _list_conditions(subexpression)


def list_property_names(expression: Fields) -> Iterator[str]:
    """Yield the name of each property in an expression."""
    yield from (condition["Name"] for condition in expression.get("Filters", ()))
    yield from (nested["NestedPropertyName"] for nested in expression.get("NestedFilters", ()))
    for subexpression in expression.get("SubExpressions", ()):
        yield from list_property_names(subexpression)


def find_values(record: Any, name: str) -> list[Any]:
    """Return the values of a record under the dotted name of a property, from each item of a list."""
    if isinstance(record, list):
        return [value_or_list for item in record for value_or_list in find_values(item, name)]
    if not isinstance(record, Mapping):
        return []
    first, _, rest = name.partition(".")
    if rest and first in _KEYED:
        member, key, value = _KEYED[first]
        return [item[value] for item in record.get(member, ()) if item[key] == rest]
    if name in record:  # such as a hyperparameter, whose name may contain dots
        value_or_list = record[name]
        return list(value_or_list) if isinstance(value_or_list, list) else [value_or_list]
    return find_values(record[first], rest) if rest and first in record else []


def _matches_nested(record: Fields, nested: Fields) -> bool:
    """Return whether one object of the property satisfies all filters."""
    prefix = nested["NestedPropertyName"] + "."
    filters = [condition | {"Name": condition["Name"].removeprefix(prefix)} for condition in nested["Filters"]]
    items = find_values(record, nested["NestedPropertyName"])
    return any(all(_matches_condition(item, condition) for condition in filters) for item in items)


def _matches_condition(record: Fields, condition: Fields) -> bool:
    actual_values, comparison = find_values(record, condition["Name"]), condition.get("Operator", "Equals")
    if comparison in ("Exists", "NotExists"):
        return bool(actual_values) is (comparison == "Exists")
    if comparison == "NotEquals":
        return not _any_matches(actual_values, "Equals", condition)
    return _any_matches(actual_values, comparison, condition)


def _any_matches(actual_values: Iterable[Any], comparison: str, condition: Fields) -> bool:
    return any(_compare(actual, comparison, condition["Value"], condition["Name"]) for actual in actual_values)


def _compare(actual: Any, comparison: str, expected: str, name: str) -> bool:
    if comparison in ("Contains", "In"):
        if not isinstance(actual, str):
            raise ValidationError(f"Operator {comparison} is only supported for text properties, which {name} is not.")
        return (
            expected in actual if comparison == "Contains" else actual in [item.strip() for item in expected.split(",")]
        )
    if comparison == "Equals" and isinstance(actual, str):
        return actual == expected
    try:
        left, right = _convert_for_order(actual), _convert_for_order(expected, type_source=actual)
    except (TypeError, ValueError):
        raise ValidationError(
            f"Operator {comparison} with the value '{expected}' is not supported for {name}."
        ) from None
    return left == right if comparison == "Equals" else _ORDERED[comparison](left, right)


def _convert_for_order(value: Any, type_source: Any = None) -> float | str:
    """Return a number for numbers and times, and text for booleans. Raises TypeError or ValueError otherwise."""
    sample = type_source if type_source is not None else value
    if isinstance(sample, bool):
        return str(value).lower()
    if isinstance(sample, datetime):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(value)
