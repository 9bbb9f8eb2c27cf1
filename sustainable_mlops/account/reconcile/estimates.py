"""Estimated emissions of months: the plans of environments, and the records of runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sustainable_mlops.account.reconcile.months import ReportMonth
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint import FootprintEstimate, FootprintFigure, ResourceUsage, estimate_plan
from sustainable_mlops.footprint.calibration import SAGEMAKER, find_service
from sustainable_mlops.footprint.figures import UNITS, sum_estimates
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.footprint import NAMES
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.plan import Plan

#: Metrics that are compared with reports.
_METRICS = ("total", "water")


class EmissionsKey(NamedTuple):
    """Scope of a reported total: an account, a Region and a service."""

    account: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.service} in {self.region} of account {self.account}"


class EstimateItem(NamedTuple):
    """One resource or run in a month. `name` is its address or the name of its job."""

    key: EmissionsKey
    month: ReportMonth
    name: str
    estimate: FootprintEstimate


class EstimateSources(NamedTuple):
    """Plans with their usage, and records of runs. `account` is the account of plans and of records without an ARN."""

    plans: Sequence[Plan]
    usage: ResourceUsage | None
    records: Sequence[RunRecord] | None
    account: str


@dataclass
class EmissionsEstimate:
    """Estimate of all months, and the items that it leaves out."""

    items: list[EstimateItem]
    left_out: list[str] = field(default_factory=list)

    def list_keys(self) -> list[EmissionsKey]:
        """Return the accounts, Regions and services with an estimate."""
        return sorted({item.key for item in self.items})

    def sum_month(self, key: EmissionsKey, month: ReportMonth) -> FootprintEstimate | None:
        """Return the estimate of one month, or None without any item."""
        estimates = [item.estimate for item in self.items if (item.key, item.month) == (key, month)]
        return sum_estimates(estimates) if estimates else None

    def find_largest_item(self, key: EmissionsKey, months: Sequence[ReportMonth]) -> tuple[str, float] | None:
        """Return the name of the item with the most carbon in these months, and its share of the total."""
        totals: dict[str, float] = {}
        for item in self.items:
            figure = item.estimate.get("total")
            if item.key == key and item.month in months and figure is not None:
                totals[item.name] = totals.get(item.name, 0.0) + figure.central
        whole = sum(totals.values())
        if not whole:
            return None
        name = max(totals, key=lambda one: totals[one])
        return name, totals[name] / whole


def estimate_emissions(sources: EstimateSources, months: Sequence[ReportMonth]) -> EmissionsEstimate:
    """Estimate the emissions of plans and records in these months.

    A resource of a plan counts in each month, with its hours instead of 730. Jobs count by their records; the jobs of a
    plan count only if no records are given.
    """
    estimate = EmissionsEstimate([])
    for plan in sources.plans:
        for name, part in _list_parts(plan, sources.usage):
            if part.kind == "job" and sources.records is not None:
                continue
            estimate.items += _estimate_part(name, part, sources.account, months, estimate.left_out)
    for record in sources.records or ():
        estimate.items += _estimate_record(record, sources.account, months, estimate.left_out)
    return estimate


def _list_parts(plan: Plan, usage: ResourceUsage | None) -> Iterator[tuple[str, ResourcePart]]:
    """Yield each part of each resource that exists after the plan."""
    for resource in estimate_plan(plan, usage).resources:
        for change in resource.changes:
            if change.after is not None:
                yield resource.address, change.after


def _estimate_part(
    name: str, part: ResourcePart, account: str, months: Sequence[ReportMonth], left_out: list[str]
) -> Iterator[EstimateItem]:
    service = find_service(part.activity) if part.activity is not None else None
    if part.estimate is None or service is None or part.activity is None or part.activity.region is None:
        if part.unknown is not None:
            left_out.append(f"{name}: {part.unknown.reason}")
        return
    key = EmissionsKey(account, part.activity.region, service)
    for month in months:
        yield EstimateItem(key, month, name, part.estimate.multiply(month.hours / HOURS_PER_MONTH))


def _estimate_record(
    record: RunRecord, account: str, months: Sequence[ReportMonth], left_out: list[str]
) -> Iterator[EstimateItem]:
    """Yield the run in each month with a share of its time."""
    figures = {metric: figure for metric in _METRICS if (figure := record.figures.get(NAMES[metric])) is not None}
    start, end = record.started_at, record.ended_at
    if "total" not in figures or start is None or end is None:
        if record.is_ended and start is not None:
            left_out.append(f"{record.job_name}: its record has no estimate")
        return
    key = EmissionsKey(record.account or account, record.region, SAGEMAKER)
    estimate = FootprintEstimate({metric: _convert_figure(metric, figures[metric], record) for metric in figures})
    seconds = (end - start).total_seconds()
    for month in months:
        overlap = (min(end, month.end) - max(start, month.start)).total_seconds()
        is_whole = month.start <= end < month.end and seconds <= 0
        if overlap > 0 or is_whole:
            yield EstimateItem(key, month, record.job_name, estimate.multiply(1.0 if is_whole else overlap / seconds))


def _convert_figure(metric: str, figure: RunFigure, record: RunRecord) -> FootprintFigure:
    """Return a figure of a record, without the factor of its calibration file."""
    factor = 1 / record.calibration if record.calibration and metric == "total" else 1.0
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    return FootprintFigure(low, figure.value, high, figure.grade or "C", figure.driver, UNITS[metric]).multiply(factor)
