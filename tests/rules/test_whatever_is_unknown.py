"""No rule stumbles over what a plan may leave open, or holds in another shape than the rule expects."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.rules import BY_ID, Finding, Outcome, evaluate
from tests.rules.tables import Row, rows, tables

pytestmark = pytest.mark.slow

Place: TypeAlias = tuple[str | int, ...]

#: What stands in the place of a value: unknown until apply, not set, or of another kind.
_ODD: tuple[Any, ...] = (None, [], "text", 7, [None], {"key": None})


def _paths(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every place in `value`, containers before what is in them."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _paths(below, (*path, key))


def _put(value: Any, path: Place, new: Any) -> Any:
    """A copy of `value` with `new` at `path`."""
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], new)
    return copy


def _marks(path: Place) -> Any:
    """`after_unknown` that marks `path`."""
    if not path:
        return True
    head, below = path[0], _marks(path[1:])
    return {head: below} if isinstance(head, str) else [*[{}] * head, below]


def _both(marks: Any, more: Any) -> Any:
    """Marks of `after_unknown` and some more."""
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
    """Whether another resource refers to what is at `path`: it would be unknown there, too."""
    address = next(entry["address"] for entry in document["resource_changes"] if entry["change"] is change)
    return f'"{address}.{path[0]}"' in json.dumps(document["configuration"])


def _unknown_each(row: Row) -> Iterator[tuple[Place, set[Outcome]]]:
    """What the rule says with each value of the case in turn unknown, but those that another resource names, too."""
    document = row.case.document()
    for change, path in _changes(document):
        kept = dict(change)
        change["after_unknown"] = _both(kept["after_unknown"], _marks(path))
        outcomes = {finding.outcome for finding in _evaluate(row, document)}
        change.update(kept)
        if not _is_named(document, change, path):
            yield path, outcomes


@pytest.mark.parametrize("row", list(rows("fail")), ids=lambda row: f"{row.rule}-{row.title}")
def test_a_broken_rule_is_not_kept_because_something_is_unknown(row: Row) -> None:
    for path, outcomes in _unknown_each(row):
        assert outcomes != {Outcome.PASS}, path


@pytest.mark.parametrize("row", list(rows("pass", "not_applicable")), ids=lambda row: f"{row.rule}-{row.title}")
def test_a_rule_that_is_kept_is_not_broken_because_something_is_unknown(row: Row) -> None:
    for path, outcomes in _unknown_each(row):
        assert Outcome.FAIL not in outcomes, path


@pytest.mark.parametrize("rule", sorted(tables()))
def test_no_rule_raises_on_values_of_another_kind(rule: str) -> None:
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
