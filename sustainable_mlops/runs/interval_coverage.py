"""How often a counter lay in the interval that was estimated before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median
from typing import Any

from sustainable_mlops.jobs.figure import Basis
from sustainable_mlops.jobs.measurement.comparison import QUANTITIES, EstimateComparison, QuantityName
from sustainable_mlops.jobs.record import RunRecord

#: What a duration or a load, and with them the energy, was expected from.
_BASIS_TEXTS: dict[Basis, str] = {"assumed": "an assumption", "estimated": "earlier runs"}


@dataclass(frozen=True)
class CoverageRow:
    """One quantity over several runs, by what its estimates rested on."""

    quantity: str
    basis: str
    comparisons: tuple[EstimateComparison, ...]
    #: Runs whose estimate has no counter beside it.
    without_counter: int

    @property
    def inside_count(self) -> int:
        """Comparisons whose counter lay in the interval."""
        return sum(one.is_inside for one in self.comparisons)

    @property
    def median_ratio(self) -> float | None:
        """The median of estimate / counter; None of none."""
        ratios = [one.ratio for one in self.comparisons if one.ratio is not None]
        return median(ratios) if ratios else None

    @property
    def partial_count(self) -> int:
        """Comparisons whose counter covers less than the estimate does."""
        return sum(bool(one.not_counted) for one in self.comparisons)


@dataclass(frozen=True)
class IntervalCoverage:
    """Every quantity, and the runs that say nothing of any."""

    rows: tuple[CoverageRow, ...]
    runs: int = 0
    #: Why runs are left out, and how many.
    omissions: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the rows with every comparison."""
        rows = [
            {
                "estimate": row.quantity,
                "rests_on": row.basis,
                "counters": len(row.comparisons),
                "inside": row.inside_count,
                "median_ratio": row.median_ratio,
                "without_counter": row.without_counter,
                "comparisons": [one.model_dump(mode="json") for one in row.comparisons],
            }
            for row in self.rows
        ]
        return {"runs": self.runs, "left_out": self.omissions, "rows": rows}


def measure_coverage(records: Sequence[RunRecord]) -> IntervalCoverage:
    """The coverage of the intervals over runs that completed with an estimate from before their launch."""
    complete = [one for one in records if one.status == "Completed"]
    told = [one for one in complete if one.expected]
    rows = []
    for what, basis in sorted(product(QUANTITIES, _BASIS_TEXTS), key=lambda row: QUANTITIES.index(row[0])):
        these = [record for record in told if what in record.expected and _find_basis(record, what) == basis]
        found = tuple(c for record in these for c in record.comparisons if c.quantity == what)
        if these:
            rows.append(CoverageRow(what, _BASIS_TEXTS[basis], found, len(these) - len(found)))
    left_out = {
        "not completed": len(records) - len(complete),
        "no estimate in the record": len(complete) - len(told),
    }
    return IntervalCoverage(tuple(rows), len(told), {why: number for why, number in left_out.items() if number})


def _find_basis(record: RunRecord, what: QuantityName) -> Basis:
    """That of a figure; energy follows from duration and load, and is assumed where one of them is."""
    inputs = ("duration", "load") if what == "energy" else (what,)
    assumed = any(record.expected[one].basis == "assumed" for one in inputs if one in record.expected)
    return "assumed" if assumed else "estimated"
