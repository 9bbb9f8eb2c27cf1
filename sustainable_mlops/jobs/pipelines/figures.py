"""Sums of the figures of several jobs."""

from collections.abc import Mapping, Sequence

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.footprint import NAMES

_GRADE_ORDER = {None: 0, "A": 1, "B": 2, "C": 3}


def sum_figures(jobs: Sequence[Mapping[str, RunFigure]]) -> dict[str, RunFigure]:
    """Return the sums of energy, carbon, water and cost over the jobs that have the figure."""
    sums: dict[str, RunFigure] = {}
    for name in NAMES.values():
        parts = [figures[name] for figures in jobs if name in figures]
        if parts:
            sums[name] = _sum_parts(parts, len(jobs))
    return sums


def _sum_parts(parts: Sequence[RunFigure], jobs: int) -> RunFigure:
    largest = max(parts, key=lambda part: part.value)
    job_count = f"{len(parts)} of {jobs} jobs" if len(parts) < jobs else format_number_of(jobs, "job")
    return RunFigure(
        value=sum(part.value for part in parts),
        low=sum(part.value if part.low is None else part.low for part in parts),
        high=sum(part.value if part.high is None else part.high for part in parts),
        unit=largest.unit,
        basis="estimated",
        source=f"sum of {job_count}",
        grade=max((part.grade for part in parts), key=lambda grade: _GRADE_ORDER[grade]),
        driver=largest.driver,
    )
