"""Tables of cases in one test item, because collection and report of an item take longer than most cases."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from itertools import product
from typing import Any, NamedTuple

import pytest

#: Exceptions that end a row. The next rows still run.
_ENDINGS = (Exception, pytest.fail.Exception, pytest.skip.Exception)


class _Row(NamedTuple):
    """One case: its arguments, its ID if it has one, and the group whose item runs it."""

    values: dict[str, Any]
    name: str | None = None
    group: str | None = None


def check_cases(
    names: str | Sequence[str],
    cases: Iterable[Any],
    *,
    ids: Callable[[Any], Any] | Iterable[str] | None = None,
    group: Callable[..., str] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that makes one test item of all cases, with the arguments of `pytest.mark.parametrize`.

    `group` returns the group of a case, and each group is one item. Several decorators on one test combine their cases;
    only the first may have groups. The report of a failure has the ID or the values of its case. The cases share the
    fixtures of the item.
    """
    rows = list(_list_rows(names, cases, ids, group))

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        function, inner = getattr(test, "case_table", (test, [_Row({})]))
        all_rows = [_join_rows(*pair) for pair in product(rows, inner)]
        if not all_rows:
            raise ValueError(f"{function.__name__}: the table has no case")
        item = _build_item(function, all_rows)
        groups = dict.fromkeys(row.group for row in rows)
        return item if group is None else pytest.mark.parametrize("group", groups)(item)

    return decorate


def _build_item(function: Callable[..., None], rows: list[_Row]) -> Callable[..., None]:
    """Return a test that runs the rows, or those of one group. The other arguments of the function are fixtures."""

    @wraps(function)
    def item(subtests: pytest.Subtests, group: str | None = None, **fixtures: Any) -> None:
        __tracebackhide__ = True
        for row in rows:
            if row.group != group:
                continue
            try:
                function(**row.values, **fixtures)
            except _ENDINGS as error:
                # A subtest takes as long as an item, so only rows that fail have one.
                with subtests.test(row.name, **{} if row.name else row.values):
                    raise error

    names = ["subtests"] if rows[0].group is None else ["subtests", "group"]
    parameters = [value for name, value in inspect.signature(function).parameters.items() if name not in rows[0].values]
    parameters += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    item.__dict__.update(__signature__=inspect.Signature(parameters), case_table=(function, rows))
    return item


def _list_rows(
    names: str | Sequence[str],
    cases: Iterable[Any],
    ids: Callable[[Any], Any] | Iterable[str] | None,
    group: Callable[..., str] | None,
) -> Iterator[_Row]:
    """Yield the cases with their IDs, as `pytest.mark.parametrize` reads them."""
    arguments = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    titles = None if ids is None or callable(ids) else iter(ids)
    for case in cases:
        name = next(titles) if titles else None
        values = case if len(arguments) > 1 else (case,)
        if isinstance(case, pytest.ParameterSet):
            if case.marks:
                raise ValueError(f"{case}: a case of a table cannot have a mark of its own")
            values, name = case.values, str(case.id) if case.id else name
        if callable(ids) and name is None:
            name = "-".join(str(ids(value)) for value in values)
        yield _Row(dict(zip(arguments, values, strict=True)), name, group(*values) if group else None)


def _join_rows(outer: _Row, inner: _Row) -> _Row:
    """Return a row with the arguments and the IDs of both. The values stand for a missing ID."""
    values = outer.values | inner.values
    if outer.name is None and inner.name is None:
        return _Row(values, None, outer.group)
    names = [str(row.values) if row.name is None else row.name for row in (outer, inner) if row.values]
    return _Row(values, "; ".join(names), outer.group)
