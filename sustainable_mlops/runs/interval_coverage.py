"""How often a counter lay in the interval that was estimated before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median
from typing import Any

from sustainable_mlops.jobs.figure import Basis
from sustainable_mlops.jobs.measurement.comparison import QUANTITIES, Comparison, Quantity
from sustainable_mlops.jobs.record import RunRecord

#: What a duration or a load, and with them the energy, was expected from.
_RESTS_ON: dict[Basis, str] = {"assumed": "an assumption", "estimated": "earlier runs"}


@dataclass(frozen=True)
class Row:
    """One quantity over several runs, by what its estimates rested on."""

    what: str
    rests_on: str
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
                "rests_on": row.rests_on,
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
    for what, basis in sorted(product(QUANTITIES, _RESTS_ON), key=lambda row: QUANTITIES.index(row[0])):
        these = [record for record in told if what in record.expected and _basis(record, what) == basis]
        found = tuple(c for record in these for c in record.comparisons if c.what == what)
        if these:
            rows.append(Row(what, _RESTS_ON[basis], found, len(these) - len(found)))
    left_out = {
        "not completed": len(records) - len(complete),
        "no estimate in the record": len(complete) - len(told),
    }
    return Coverage(tuple(rows), len(told), {why: number for why, number in left_out.items() if number})


def _basis(record: RunRecord, what: Quantity) -> Basis:
    """That of a figure; energy follows from duration and load, and is assumed where one of them is."""
    inputs = ("duration", "load") if what == "energy" else (what,)
    assumed = any(record.expected[one].basis == "assumed" for one in inputs if one in record.expected)
    return "assumed" if assumed else "estimated"
