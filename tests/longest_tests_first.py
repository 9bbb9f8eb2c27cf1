"""Order of the tests: long ones first, so that no process works alone at the end of a run."""

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, TypeVar

import pytest

Item = TypeVar("Item")


@pytest.hookimpl(trylast=True)  # runs after deselection
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each process of `--dist worksteal`, which starts with an equal part of the list, its share of long tests."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes == 1:
        return
    apply_tests = [item for item in items if item.get_closest_marker("apply")]
    others = [item for item in items if not item.get_closest_marker("apply")]
    long = [item for item in others if any(map(item.get_closest_marker, ("plan", "slow")))]
    short = [item for item in others if not any(map(item.get_closest_marker, ("plan", "slow")))]
    groups = [list(tests) for of in (apply_tests, long) for _, tests in groupby(of, key=_find_group)]
    items[:] = distribute(groups, short, processes)


def _find_group(item: pytest.Item) -> str:
    """Return the group of a test: its file, which shares fixtures, or itself for one of many applied examples."""
    alone = item.get_closest_marker("apply") and hasattr(item, "callspec") and not _uses_module_fixture(item)
    return item.nodeid if alone else str(item.path)


def _uses_module_fixture(item: pytest.Item) -> bool:
    """Return whether the test uses a fixture of its file. Each process that runs tests of the file creates it."""
    function: Any = item
    definitions: dict[str, Any] = function._fixtureinfo.name2fixturedefs
    return any(fixtures[-1].scope == "module" for fixtures in definitions.values())


def distribute(long: Sequence[Iterable[Item]], short: Sequence[Item], processes: int) -> list[Item]:
    """Return a list whose equal parts, one for each process, begin with long tests and end with short ones."""
    shares = [[item for group in long[first::processes] for item in group] for first in range(processes)]
    remaining, rest = len(short) + sum(map(len, shares)), list(short)
    items: list[Item] = []
    for number, share in enumerate(shares):
        more = max(0, remaining // (processes - number) - len(share))
        part, rest = [*share, *rest[:more]], rest[more:]
        remaining -= len(part)
        items += part
    return [*items, *rest]
