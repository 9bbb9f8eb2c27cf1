"""Rules for plans in which any value is unknown or of another type."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from typing import Any, TypeAlias

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.rules import BY_ID, Finding, Outcome, evaluate
from tests.cases import check_cases
from tests.rules.case_tables import CaseRow, list_rows

pytestmark = pytest.mark.slow

ValuePath: TypeAlias = tuple[str | int, ...]

#: Replacements of a value: not set, or of another type.
_REPLACEMENTS: tuple[Any, ...] = (None, [], "text", 7, [None], {"key": None})


def _list_paths(value: Any, path: ValuePath = ()) -> Iterator[ValuePath]:
    """Yield every path in `value`, containers before their content."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _list_paths(below, (*path, key))


def _replace_at(value: Any, path: ValuePath, new: Any) -> Any:
    """Return a copy of `value` with `new` at `path`."""
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replace_at(copy[path[0]], path[1:], new)
    return copy


def _build_marks(path: ValuePath) -> Any:
    """Return an `after_unknown` that marks `path`."""
    if not path:
        return True
    head, below = path[0], _build_marks(path[1:])
    return {head: below} if isinstance(head, str) else [*[{}] * head, below]


def _merge_marks(marks: Any, more: Any) -> Any:
    """Return the union of two `after_unknown` marks."""
    if True in (marks is True, more is True):
        return True
    if isinstance(marks, dict) and isinstance(more, dict):
        return {key: _merge_marks(marks.get(key, {}), more.get(key, {})) for key in marks.keys() | more.keys()}
    if isinstance(marks, list) and isinstance(more, list):
        length = max(len(marks), len(more))
        return [
            _merge_marks(*pair) for pair in zip(*(m + [{}] * (length - len(m)) for m in (marks, more)), strict=True)
        ]
    return marks or more


def _name_row(row: CaseRow) -> str:
    return f"{row.rule}-{row.title}"


def _evaluate(row: CaseRow, document: dict[str, Any]) -> list[Finding]:
    return evaluate(load(json.dumps(document).encode()), [BY_ID[row.rule]])


def _list_changes(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], ValuePath]]:
    for entry in document["resource_changes"]:
        if entry["change"]["after"] is not None:
            for path in _list_paths(entry["change"]["after"]):
                yield entry["change"], path


def _is_named(document: dict[str, Any], change: dict[str, Any], path: ValuePath) -> bool:
    """Return whether another resource refers to the attribute at `path`; it would be unknown there, too."""
    address = next(entry["address"] for entry in document["resource_changes"] if entry["change"] is change)
    return f'"{address}.{path[0]}"' in json.dumps(document["configuration"])


def _list_outcomes(row: CaseRow) -> Iterator[tuple[ValuePath, set[Outcome]]]:
    """Yield the outcomes with each value of the case unknown in turn, except values that another resource names."""
    document = row.case.document()
    for change, path in _list_changes(document):
        original = dict(change)
        change["after_unknown"] = _merge_marks(original["after_unknown"], _build_marks(path))
        outcomes = {finding.outcome for finding in _evaluate(row, document)}
        change.update(original)
        if not _is_named(document, change, path):
            yield path, outcomes


@check_cases("row", list_rows("fail"), ids=_name_row, group=lambda row: row.concern)
def test_a_failed_rule_does_not_pass_if_a_value_is_unknown(row: CaseRow) -> None:
    for path, outcomes in _list_outcomes(row):
        assert outcomes != {Outcome.PASS}, path


@check_cases("row", list_rows("pass", "not_applicable"), ids=_name_row, group=lambda row: row.concern)
def test_a_passed_rule_does_not_fail_if_a_value_is_unknown(row: CaseRow) -> None:
    for path, outcomes in _list_outcomes(row):
        assert Outcome.FAIL not in outcomes, path


@check_cases("row", list_rows("pass", "fail", "unknown"), ids=_name_row, group=lambda row: row.concern)
def test_no_rule_raises_for_a_value_of_another_type(row: CaseRow) -> None:
    in_turn = cycle(_REPLACEMENTS)
    _evaluate_replacements(row, lambda: [next(in_turn)])


@pytest.mark.release
@check_cases("row", list_rows("pass", "fail", "unknown"), ids=_name_row, group=lambda row: row.concern)
def test_no_rule_raises_for_any_value_of_another_type(row: CaseRow) -> None:
    _evaluate_replacements(row, lambda: _REPLACEMENTS)


def _evaluate_replacements(row: CaseRow, choose: Callable[[], Iterable[Any]]) -> None:
    """Evaluate the rule of a case with each value of the case replaced in turn by each of the chosen values."""
    document = row.case.document()
    for change, path in _list_changes(document):
        after = change["after"]
        for odd in choose():
            change["after"] = _replace_at(after, path, odd)
            _evaluate(row, document)
        change["after"] = after
