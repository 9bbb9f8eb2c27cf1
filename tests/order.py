"""Which test runs when: what takes minutes first, so that no run ends with one process at work and the others idle."""

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeVar

import pytest

Item = TypeVar("Item")


@pytest.hookimpl(trylast=True)  # what is deselected is gone by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each process of `--dist worksteal`, which begins with an equal run of the list, its share of the long."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes == 1:
        return
    applied = [item for item in items if item.get_closest_marker("apply")]
    others = [item for item in items if not item.get_closest_marker("apply")]
    long = [item for item in others if any(map(item.get_closest_marker, ("plan", "slow")))]
    short = [item for item in others if not any(map(item.get_closest_marker, ("plan", "slow")))]
    groups = [list(tests) for of in (applied, long) for _, tests in groupby(of, key=_together)]
    items[:] = distribute(groups, short, processes)


def _together(item: pytest.Item) -> str:
    """The tests of a file stay together, as they share fixtures; what applies one of many examples goes by itself."""
    alone = item.get_closest_marker("apply") and hasattr(item, "callspec")
    return item.nodeid if alone else str(item.path)


def distribute(long: Sequence[Iterable[Item]], short: Sequence[Item], processes: int) -> list[Item]:
    """One list whose equal parts, one a process, begin with groups of the long in turn and end with the short."""
    shares = [[item for group in long[first::processes] for item in group] for first in range(processes)]
    remaining, rest = len(short) + sum(map(len, shares)), list(short)
    items: list[Item] = []
    for number, share in enumerate(shares):
        more = max(0, remaining // (processes - number) - len(share))
        part, rest = [*share, *rest[:more]], rest[more:]
        remaining -= len(part)
        items += part
    return [*items, *rest]
