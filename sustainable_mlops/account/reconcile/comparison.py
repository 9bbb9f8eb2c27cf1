"""Comparison of estimates with reported emissions: ratios, missing months and their reasons."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from sustainable_mlops.account.reconcile.estimates import EmissionsEstimate, EmissionsKey
from sustainable_mlops.account.reconcile.months import ReportMonth
from sustainable_mlops.account.reconcile.reports import MARKET_BASED, EmissionsReport, ReportedEmissions
from sustainable_mlops.footprint import CarbonRatio, FootprintFigure
from sustainable_mlops.footprint.calibration import LOCATION_BASED

#: Meaning and limits of a ratio of totals.
LIMITS = (
    "A ratio compares totals of an account, a Region and a service: AWS reports neither resources nor tags.",
    "The ratio is right only if the plans and the records contain everything that ran there. Other instances raise it.",
    "It says nothing about one endpoint: errors of several resources can cancel out. It tests a single resource only "
    "if that resource is nearly all of the estimate.",
    f"Ratios use location-based totals ({LOCATION_BASED}), as the estimate does. Market-based totals ({MARKET_BASED}) "
    "contain AWS's energy purchases, so no ratio uses them.",
    "AWS's totals also contain buildings and networks, and are estimates themselves. They change with the version of "
    "AWS's method.",
)
_LITRES_PER_M3 = 1000.0
_MONTHS_OF_YEAR = 12


class MonthComparison(NamedTuple):
    """Estimated and reported carbon of one month; None for a figure that does not exist."""

    key: EmissionsKey
    month: ReportMonth
    estimate: FootprintFigure | None
    reported: ReportedEmissions | None

    @property
    def ratio(self) -> float | None:
        """Reported over estimated carbon, or None."""
        if self.estimate is None or self.reported is None or not self.estimate.central > 0:
            return None
        return self.reported.location_based / self.estimate.central if self.reported.location_based > 0 else None

    @property
    def is_inside(self) -> bool | None:
        """True if the reported value is inside the interval of the estimate; None without both."""
        if self.estimate is None or self.reported is None:
            return None
        return self.estimate.low <= self.reported.location_based <= self.estimate.high

    def to_dict(self) -> dict[str, Any]:
        """Return the values for JSON, in kg of CO2e."""
        return self.key._asdict() | {
            "month": str(self.month),
            "estimate": self.estimate.to_dict() if self.estimate else None,
            "location_based": self.reported.location_based if self.reported else None,
            "market_based": self.reported.market_based if self.reported else None,
            "model_version": self.reported.model_version if self.reported else None,
            "ratio": self.ratio,
            "inside_interval": self.is_inside,
        }


class MissingMonth(NamedTuple):
    """A month without a ratio, and the reason."""

    key: EmissionsKey
    month: ReportMonth
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Return the month and the reason for JSON."""
        return self.key._asdict() | {"month": str(self.month), "reason": self.reason}


class GroupRatio(NamedTuple):
    """Ratio of an account, a Region and a service over all months that have both figures."""

    key: EmissionsKey
    months: tuple[ReportMonth, ...]
    low: float
    ratio: float
    high: float
    #: Name and share of the largest item of the estimate.
    largest: tuple[str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the ratio for JSON."""
        largest = None if self.largest is None else {"name": self.largest[0], "share": self.largest[1]}
        months = [str(month) for month in self.months]
        return self.key._asdict() | {
            "months": months,
            "low": self.low,
            "ratio": self.ratio,
            "high": self.high,
            "largest": largest,
        }


class WaterComparison(NamedTuple):
    """Water of a calendar year in cubic metres. `estimate` is None if the year is not estimated completely."""

    key: EmissionsKey
    year: int
    estimate: float | None
    reported: float

    @property
    def ratio(self) -> float | None:
        """Reported over estimated water, or None."""
        return self.reported / self.estimate if self.estimate else None

    def to_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        return self.key._asdict() | {
            "year": self.year,
            "estimate": self.estimate,
            "reported": self.reported,
            "ratio": self.ratio,
        }


class Reconciliation(NamedTuple):
    """All results of a reconciliation."""

    source: str
    rows: tuple[MonthComparison, ...]
    groups: tuple[GroupRatio, ...]
    missing: tuple[MissingMonth, ...]
    water: tuple[WaterComparison, ...]
    left_out: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {
            "source": self.source,
            "method": {"ratio": LOCATION_BASED, "without_ratio": MARKET_BASED, "unit": "kgCO2e"},
            "rows": [row.to_dict() for row in self.rows],
            "ratios": [group.to_dict() for group in self.groups],
            "missing": [month.to_dict() for month in self.missing],
            "water": [year.to_dict() for year in self.water],
            "left_out": list(self.left_out),
            "limits": list(LIMITS),
        }

    def build_calibration(self) -> tuple[CarbonRatio, ...]:
        """Return the ratios for a calibration file, by service and Region over all accounts."""
        locations = dict.fromkeys((group.key.service, group.key.region) for group in self.groups)
        return tuple(_combine_ratios(self, service, region) for service, region in locations)


def compare_emissions(
    estimate: EmissionsEstimate, report: EmissionsReport, months: Sequence[ReportMonth], today: date
) -> Reconciliation:
    """Compare the estimate with the report in each of the months.

    Accounts, Regions and services that only the report has are rows without an estimate.
    """
    keys = dict.fromkeys([*estimate.list_keys(), *sorted({key for key, month in report.carbon if month in months})])
    rows = [
        MonthComparison(key, month, _find_total(estimate, key, month), report.carbon.get((key, month)))
        for key in keys
        for month in months
    ]
    return Reconciliation(
        report.source,
        tuple(row for row in rows if row.estimate is not None or row.reported is not None),
        tuple(_list_groups(estimate, rows)),
        tuple(_list_missing(estimate, rows, today)),
        tuple(_list_water(estimate, report, months)),
        tuple(dict.fromkeys(estimate.left_out)),
    )


def _find_total(estimate: EmissionsEstimate, key: EmissionsKey, month: ReportMonth) -> FootprintFigure | None:
    total = estimate.sum_month(key, month)
    return None if total is None else total.get("total")


def _list_groups(estimate: EmissionsEstimate, rows: Sequence[MonthComparison]) -> Iterator[GroupRatio]:
    for key in dict.fromkeys(row.key for row in rows):
        compared = [row for row in rows if row.key == key and row.ratio is not None]
        if not compared:
            continue
        months = tuple(row.month for row in compared)
        yield GroupRatio(key, months, *_compute_ratios(compared), estimate.find_largest_item(key, months))


def _compute_ratios(rows: Sequence[MonthComparison]) -> tuple[float, float, float]:
    """Return the lowest ratio of a month, the ratio of the sums, and the highest ratio of a month."""
    ratios = [row.ratio for row in rows if row.ratio is not None]
    reported = sum(row.reported.location_based for row in rows if row.reported is not None)
    estimated = sum(row.estimate.central for row in rows if row.estimate is not None)
    ratio = reported / estimated
    return min(*ratios, ratio), ratio, max(*ratios, ratio)


def _combine_ratios(reconciliation: Reconciliation, service: str, region: str) -> CarbonRatio:
    rows = [
        row
        for row in reconciliation.rows
        if (row.key.service, row.key.region) == (service, region) and row.ratio is not None
    ]
    months = tuple(str(month) for month in sorted({row.month for row in rows}))
    return CarbonRatio(service, region, months, *_compute_ratios(rows))


def _list_missing(estimate: EmissionsEstimate, rows: Sequence[MonthComparison], today: date) -> Iterator[MissingMonth]:
    """Yield each month without a ratio, for accounts, Regions and services with an estimate."""
    with_estimate = set(estimate.list_keys())
    for row in rows:
        if row.ratio is None and row.key in with_estimate:
            yield MissingMonth(row.key, row.month, _explain_missing(row, today))


def _explain_missing(row: MonthComparison, today: date) -> str:
    if row.reported is None and today < row.month.publication:
        return f"AWS publishes it by {row.month.publication}"
    if row.reported is None:
        return "AWS reports nothing for it: nothing ran, or the account or the export does not cover it"
    if row.estimate is None or not row.estimate.central > 0:
        return "it has no estimate"
    return "AWS reports 0, which is less than half a gram"


def _list_water(
    estimate: EmissionsEstimate, report: EmissionsReport, months: Sequence[ReportMonth]
) -> Iterator[WaterComparison]:
    for (key, year), reported in sorted(report.water.items()):
        months_of_year = [month for month in months if month.year == year]
        totals = [estimate.sum_month(key, month) for month in months_of_year]
        litres = [figure.central for total in totals if total is not None and (figure := total.get("water"))]
        is_complete = len(litres) == _MONTHS_OF_YEAR
        yield WaterComparison(key, year, sum(litres) / _LITRES_PER_M3 if is_complete else None, reported)
