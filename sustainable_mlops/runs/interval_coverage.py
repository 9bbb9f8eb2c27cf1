"""Share of counters inside the interval that was estimated before the run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median
from typing import Any

from sustainable_mlops.jobs.figure import Basis
from sustainable_mlops.jobs.measurement.comparison import QUANTITIES, EstimateComparison, QuantityName
from sustainable_mlops.jobs.record import RunRecord

#: Basis of the expected duration, load and energy.
_BASIS_TEXTS: dict[Basis, str] = {"assumed": "an assumption", "estimated": "earlier runs"}


@dataclass(frozen=True)
class CoverageRow:
    """One quantity over several runs, by the basis of its estimates."""

    quantity: str
    basis: str
    comparisons: tuple[EstimateComparison, ...]
    #: Number of runs with an estimate but no counter.
    without_counter: int

    @property
    def inside_count(self) -> int:
        """The number of counters inside the interval."""
        return sum(one.is_inside for one in self.comparisons)

    @property
    def median_ratio(self) -> float | None:
        """The median of estimate / counter, or None without comparisons."""
        ratios = [one.ratio for one in self.comparisons if one.ratio is not None]
        return median(ratios) if ratios else None

    @property
    def partial_count(self) -> int:
        """The number of counters that cover less than the estimate does."""
        return sum(bool(one.not_counted) for one in self.comparisons)


@dataclass(frozen=True)
class IntervalCoverage:
    """The coverage of every quantity, and the runs without one."""

    rows: tuple[CoverageRow, ...]
    runs: int = 0
    #: Number of omitted runs by reason.
    omissions: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the rows with every comparison, for JSON."""
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
    """Return the coverage of the intervals over completed runs with an estimate from before their launch."""
    complete = [one for one in records if one.status == "Completed"]
    estimated = [one for one in complete if one.expected]
    rows = []
    for quantity, basis in sorted(product(QUANTITIES, _BASIS_TEXTS), key=lambda row: QUANTITIES.index(row[0])):
        basis_records = [
            record for record in estimated if quantity in record.expected and _find_basis(record, quantity) == basis
        ]
        comparisons = tuple(c for record in basis_records for c in record.comparisons if c.quantity == quantity)
        if basis_records:
            rows.append(CoverageRow(quantity, _BASIS_TEXTS[basis], comparisons, len(basis_records) - len(comparisons)))
    left_out = {
        "not completed": len(records) - len(complete),
        "no estimate in the record": len(complete) - len(estimated),
    }
    return IntervalCoverage(
        tuple(rows), len(estimated), {reason: number for reason, number in left_out.items() if number}
    )


def _find_basis(record: RunRecord, quantity: QuantityName) -> Basis:
    """Return the basis of a figure; energy follows from duration and load, and is assumed if either is."""
    inputs = ("duration", "load") if quantity == "energy" else (quantity,)
    assumed = any(record.expected[one].basis == "assumed" for one in inputs if one in record.expected)
    return "assumed" if assumed else "estimated"
