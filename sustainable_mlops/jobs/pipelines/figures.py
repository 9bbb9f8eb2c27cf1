"""Figures of several jobs together."""

from collections.abc import Mapping, Sequence

from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.footprint import NAMES

_WORST = {None: 0, "A": 1, "B": 2, "C": 3}


def sum_figures(jobs: Sequence[Mapping[str, RunFigure]]) -> dict[str, RunFigure]:
    """What they took together: energy, carbon, water and cost, of those that have the figure."""
    found: dict[str, RunFigure] = {}
    for name in NAMES.values():
        parts = [figures[name] for figures in jobs if name in figures]
        if parts:
            found[name] = _sum(parts, len(jobs))
    return found


def _sum(parts: Sequence[RunFigure], jobs: int) -> RunFigure:
    largest = max(parts, key=lambda one: one.value)
    counted = f"{len(parts)} of {jobs} jobs" if len(parts) < jobs else f"{jobs} {'job' if jobs == 1 else 'jobs'}"
    return RunFigure(
        value=sum(one.value for one in parts),
        low=sum(one.value if one.low is None else one.low for one in parts),
        high=sum(one.value if one.high is None else one.high for one in parts),
        unit=largest.unit,
        basis="estimated",
        source=f"sum of {counted}",
        grade=max((one.grade for one in parts), key=lambda grade: _WORST[grade]),
        driver=largest.driver,
    )
