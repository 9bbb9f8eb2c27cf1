"""Rules for plans in which any value is unknown or of another type."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.rules import BY_ID, Finding, Outcome, evaluate
from tests.rules.case_tables import Row, rows, tables

pytestmark = pytest.mark.slow

Place: TypeAlias = tuple[str | int, ...]

#: Replacements of a value: not set, or of another type.
_ODD: tuple[Any, ...] = (None, [], "text", 7, [None], {"key": None})


def _paths(value: Any, path: Place = ()) -> Iterator[Place]:
    """Yield every path in `value`, containers before their content."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _paths(below, (*path, key))


def _put(value: Any, path: Place, new: Any) -> Any:
    """Return a copy of `value` with `new` at `path`."""
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], new)
    return copy


def _marks(path: Place) -> Any:
    """Return an `after_unknown` that marks `path`."""
    if not path:
        return True
    head, below = path[0], _marks(path[1:])
    return {head: below} if isinstance(head, str) else [*[{}] * head, below]


def _both(marks: Any, more: Any) -> Any:
    """Return the union of two `after_unknown` marks."""
    if True in (marks is True, more is True):
        return True
    if isinstance(marks, dict) and isinstance(more, dict):
        return {key: _both(marks.get(key, {}), more.get(key, {})) for key in marks.keys() | more.keys()}
    if isinstance(marks, list) and isinstance(more, list):
        length = max(len(marks), len(more))
        return [_both(*pair) for pair in zip(*(m + [{}] * (length - len(m)) for m in (marks, more)), strict=True)]
    return marks or more


def _evaluate(row: Row, document: dict[str, Any]) -> list[Finding]:
    return evaluate(load(json.dumps(document).encode()), [BY_ID[row.rule]])


def _changes(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Place]]:
    for entry in document["resource_changes"]:
        if entry["change"]["after"] is not None:
            for path in _paths(entry["change"]["after"]):
                yield entry["change"], path


def _is_named(document: dict[str, Any], change: dict[str, Any], path: Place) -> bool:
    """Return whether another resource refers to the attribute at `path`; it would be unknown there, too."""
    address = next(entry["address"] for entry in document["resource_changes"] if entry["change"] is change)
    return f'"{address}.{path[0]}"' in json.dumps(document["configuration"])


def _unknown_each(row: Row) -> Iterator[tuple[Place, set[Outcome]]]:
    """Yield the outcomes with each value of the case unknown in turn, except values that another resource names."""
    document = row.case.document()
    for change, path in _changes(document):
        kept = dict(change)
        change["after_unknown"] = _both(kept["after_unknown"], _marks(path))
        outcomes = {finding.outcome for finding in _evaluate(row, document)}
        change.update(kept)
        if not _is_named(document, change, path):
            yield path, outcomes


@pytest.mark.parametrize("row", list(rows("fail")), ids=lambda row: f"{row.rule}-{row.title}")
def test_a_failed_rule_does_not_pass_if_a_value_is_unknown(row: Row) -> None:
    for path, outcomes in _unknown_each(row):
        assert outcomes != {Outcome.PASS}, path


@pytest.mark.parametrize("row", list(rows("pass", "not_applicable")), ids=lambda row: f"{row.rule}-{row.title}")
def test_a_passed_rule_does_not_fail_if_a_value_is_unknown(row: Row) -> None:
    for path, outcomes in _unknown_each(row):
        assert Outcome.FAIL not in outcomes, path


@pytest.mark.parametrize("rule", sorted(tables()))
def test_no_rule_raises_for_values_of_another_type(rule: str) -> None:
    for row in rows("pass", "fail", "unknown"):
        if row.rule != rule:
            continue
        document = row.case.document()
        for change, path in _changes(document):
            after = change["after"]
            for odd in _ODD:
                change["after"] = _put(after, path, odd)
                _evaluate(row, document)
            change["after"] = after
