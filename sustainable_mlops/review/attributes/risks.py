"""Risks of the attributes with a path in the list of rows, which a plan weakens."""

import json
from collections.abc import Iterator
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Block, Unknown
from sustainable_mlops.review.attributes.row import AttributeRow
from sustainable_mlops.review.attributes.table import list_rows
from sustainable_mlops.review.attributes.weakening import gains_any, list_added
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.patterns import Tristate
from sustainable_mlops.review.risk import UNKNOWN_IDS, WEAKER_IDS, Level, Risk, format_path

#: Longer values are left out of descriptions.
_MAX_VALUE_LENGTH = 120


def find_protection_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each protection that a plan weakens."""
    for pair in comparison.changes:
        if pair.before is not None and pair.after is not None:
            yield from find_weakenings(pair.before, pair, pair.after, comparison)


def find_weakenings(before: Block, pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each protection that is weaker in `after`, the new values of `pair`, than in `before`."""
    for row, old, new, is_weaker in _evaluate(before, pair, after, comparison):
        if is_weaker is True or is_weaker is UNKNOWN:
            yield _build_weakening(row, pair, old, new, is_known=is_weaker is True)


def list_incomparable_paths(pair: ResourcePair, comparison: Comparison) -> list[str]:
    """Return the paths of the protections whose values before and after the change cannot be compared."""
    if pair.before is None or pair.after is None:
        return []
    results = _evaluate(pair.before, pair, pair.after, comparison)
    return [path for row, *_, is_weaker in results if is_weaker is None for path in row.paths]


def _evaluate(
    before: Block, pair: ResourcePair, after: Block, comparison: Comparison
) -> Iterator[tuple[AttributeRow, Any, Any, Tristate | Unknown]]:
    """Yield each row of a type that changes, with both values and the result of its test."""
    if after.values is UNKNOWN and pair.new is not None and pair.new.mapped_reader is not None:
        return  # reported as a whole
    for row in list_rows(pair.type):
        old, new = row.read(before), row.read(after)
        if old is new and old is not UNKNOWN:
            continue  # in most cases unset on both sides
        if row.has_several_paths:
            new |= {path: old[path] for path in new if new[path] is UNKNOWN and _is_computed(pair, path, comparison)}
        if old is UNKNOWN and new is UNKNOWN and _is_computed(pair, row.path, comparison):
            continue
        if not row.types and new is UNKNOWN:
            # An unconfigured attribute may be unknown too, if the provider computes it.
            new = None if _is_computed(pair, row.path, comparison) else new
        if row.compensated_by and after.get(row.compensated_by) not in (None, "", False):
            continue
        yield row, old, new, row.evaluate(old, new)


def _build_weakening(row: AttributeRow, pair: ResourcePair, old: Any, new: Any, *, is_known: bool) -> Risk:
    area = row.area
    if not is_known:
        description = row.unknown_description
        return Risk(UNKNOWN_IDS[area], area, Level.LOOK, pair.address, description, is_known=False)
    description = f"{format_path(row.path)}:{_describe_values(old, new, row)} {row.consequence}"
    fix = "Restore the previous value, or accept the risk."
    return Risk(row.id or WEAKER_IDS[area], area, row.get_level(old, new), pair.address, description, fix)


def _describe_values(old: object, new: object, row: AttributeRow) -> str:
    """Return the change of a value, or the added values of a list, if they are short."""
    if isinstance(old, list) or isinstance(new, list):
        added = ", ".join(list_added(old, new)) if row.is_weaker is gains_any else ""
        return f" adds {added}:" if 0 < len(added) <= _MAX_VALUE_LENGTH else ""
    values = f" {_format_value(old, row)} → {_format_value(new, row)}:"
    return "" if row.has_several_paths or len(values) > _MAX_VALUE_LENGTH else values


def _is_computed(pair: ResourcePair, path: str, comparison: Comparison) -> bool:
    """Return whether the configuration does not set the attribute, so that the provider computes it."""
    return pair.new is not None and comparison.plan.is_configured(pair.new, path.partition(".*")[0]) is False


def _format_value(value: object, row: AttributeRow) -> str:
    value = row.default if value is None else value
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return str(value).lower() if isinstance(value, bool) else "not set" if value is None else str(value)
