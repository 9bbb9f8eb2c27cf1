"""The estimate of an activity. `docs/footprint.md` explains the formulas."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from sustainable_mlops.catalogue import instances, prices
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import ONE, Activity, Fleet, Job, Serverless, Storage
from sustainable_mlops.footprint.calculation import Calculation, place
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import UNITS, Estimate, Figure
from sustainable_mlops.footprint.machines import fleet_of_job, of_fleet, of_serverless, unknown_duty
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.storage_and_transfer import of_storage, of_transfer


def estimate(activity: Activity, coefficients: Coefficients | None = None) -> Estimate:
    """The estimate of `activity` for a month (a `Job` or `Fleet` with `runs`: for its runs).

    Raises UserError on an instance type or storage class that nobody knows; `of_plan` lists those instead.
    """
    return _estimate(activity, coefficients or Coefficients.ours(), False)


def change(before: Activity, after: Activity) -> Mapping[str, Figure]:
    """What `after` uses more a month than `before`, by metric; without those that either side cannot give.

    What both rest on moves both at once, see `propagate_change`. Raises UserError as `estimate` does.
    """
    if before != after:
        return _change(before, after, Coefficients.ours())
    same = estimate(after).figures
    return {metric: Figure(0.0, 0.0, 0.0, figure.grade, "", UNITS[metric]) for metric, figure in same.items()}


def per_thousand_requests(activity: Fleet | Serverless, coefficients: Coefficients | None = None) -> Estimate | None:
    """The estimate of 1,000 requests (SCI, ISO/IEC 21031:2024, R = 1,000 requests); None where there may be none."""
    if activity.requests is None or activity.requests.low < 1:
        return None
    return _estimate(activity, coefficients or Coefficients.ours(), True)


def estimate_job(
    instance_type: str,
    count: int,
    seconds: float | Quantity,
    region: str | None,
    *,
    spot: bool = False,
    billable_seconds: float | None = None,
    volume_gb: float = 0.0,
    duty: Quantity | None = None,
) -> Estimate:
    """The estimate of one job; `duty` is the share of its time that it works, where runs of its kind were measured.

    Before it runs, give `seconds` as a `Quantity` (the cap is its high end). Afterwards give what SageMaker reports,
    `TrainingTimeInSeconds` and `BillableTimeInSeconds`: then the discount of spot is in the bill already.
    """
    known = exactly(seconds, "time of the job") if isinstance(seconds, int | float) else seconds
    hours, machines = known * (1 / 3600), exactly(float(count))
    job = Job(instance_type, region, hours, machines, spot=spot, volume_gb=volume_gb, duty=duty)
    if billable_seconds is None:
        return estimate(job)
    billable = exactly(billable_seconds / 3600, "time billed")
    found = estimate(replace(fleet_of_job(job), paid=ONE, rework=ONE, billable_hours=billable))
    instance = instances.find(instance_type)
    unknown = unknown_duty(job, instance) if instance is not None else None
    return found if unknown is None else replace(found, unknowns=(*found.unknowns, unknown))


@lru_cache(maxsize=16384)
def _estimate(activity: Activity, coefficients: Coefficients, per_request: bool) -> Estimate:
    calculation = _calculation(activity, coefficients)
    if per_request and isinstance(activity, Fleet | Serverless) and activity.requests is not None:
        calculation.per_thousand(activity.requests)
    return calculation.result()


@lru_cache(maxsize=16384)
def _change(before: Activity, after: Activity, coefficients: Coefficients) -> Mapping[str, Figure]:
    return _calculation(after, coefficients).since(_calculation(before, coefficients))


def _calculation(activity: Activity, coefficients: Coefficients) -> Calculation:
    where = place(activity.region, coefficients)
    if isinstance(activity, Serverless):
        return of_serverless(activity, where, coefficients)
    if isinstance(activity, Storage):
        return of_storage(activity, where, coefficients)
    if isinstance(activity, Fleet | Job):
        instance = instances.find(activity.instance_type)
        if instance is None:
            raise UserError(f"instance type {activity.instance_type}: {instances.why_unknown(activity.instance_type)}")
        fleet = fleet_of_job(activity) if isinstance(activity, Job) else activity
        calculation = of_fleet(fleet, instance, prices.find(activity.instance_type), where, coefficients)
        if isinstance(activity, Job) and (unknown := unknown_duty(activity, instance)) is not None:
            calculation.notes(unknown)
        return calculation
    return of_transfer(activity, where, coefficients)
