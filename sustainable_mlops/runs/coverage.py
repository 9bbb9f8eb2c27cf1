"""How often a counter lay in the interval that was estimated before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sustainable_mlops.jobs.measurement.comparison import QUANTITIES, Comparison
from sustainable_mlops.jobs.record import RunRecord


@dataclass(frozen=True)
class Row:
    """One quantity over several runs."""

    what: str
    comparisons: tuple[Comparison, ...]
    #: Runs whose estimate has no counter beside it.
    without_counter: int

    @property
    def inside(self) -> int:
        """Comparisons whose counter lay in the interval."""
        return sum(one.inside for one in self.comparisons)

    @property
    def ratio(self) -> float | None:
        """The median of estimate / counter; None of none."""
        ratios = [one.ratio for one in self.comparisons if one.ratio is not None]
        return median(ratios) if ratios else None

    @property
    def partial(self) -> int:
        """Comparisons whose counter covers less than the estimate does."""
        return sum(bool(one.not_counted) for one in self.comparisons)


@dataclass(frozen=True)
class Coverage:
    """Every quantity, and the runs that say nothing of any."""

    rows: tuple[Row, ...]
    runs: int = 0
    #: Why runs are left out, and how many.
    left_out: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the rows with every comparison."""
        rows = [
            {
                "estimate": row.what,
                "counters": len(row.comparisons),
                "inside": row.inside,
                "median_ratio": row.ratio,
                "without_counter": row.without_counter,
                "comparisons": [one.model_dump(mode="json") for one in row.comparisons],
            }
            for row in self.rows
        ]
        return {"runs": self.runs, "left_out": self.left_out, "rows": rows}


def coverage(records: Sequence[RunRecord]) -> Coverage:
    """The coverage of the intervals over runs that completed with an estimate from before their launch."""
    complete = [one for one in records if one.status == "Completed"]
    told = [one for one in complete if one.expected]
    rows = []
    for what in QUANTITIES:
        found = tuple(c for record in told for c in record.comparisons if c.what == what)
        expected = sum(what in record.expected for record in told)
        rows.append(Row(what, found, expected - len(found)))
    left_out = {
        "not completed": len(records) - len(complete),
        "no estimate in the record": len(complete) - len(told),
    }
    return Coverage(tuple(rows), len(told), {why: number for why, number in left_out.items() if number})
