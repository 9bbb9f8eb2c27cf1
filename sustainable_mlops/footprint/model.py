"""The estimate of a thing. `docs/footprint.md` explains the formulas."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from sustainable_mlops.catalogue import instances, prices
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import ONE, Fleet, Job, Serverless, Storage, Thing
from sustainable_mlops.footprint.calculation import Calculation, place
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import UNITS, Estimate, Figure
from sustainable_mlops.footprint.machines import fleet_of_job, of_fleet, of_serverless, unknown_duty
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.storage_and_transfer import of_storage, of_transfer


def estimate(thing: Thing, coefficients: Coefficients | None = None) -> Estimate:
    """The estimate of `thing` for a month (a `Job` or `Fleet` with `runs`: for its runs).

    Raises UserError on an instance type or storage class that nobody knows; `of_plan` lists those instead.
    """
    return _estimate(thing, coefficients or Coefficients.ours(), False)


def change(before: Thing, after: Thing) -> Mapping[str, Figure]:
    """What `after` uses more a month than `before`, by metric; without those that either side cannot give.

    What both rest on moves both at once, see `propagate_change`. Raises UserError as `estimate` does.
    """
    if before != after:
        return _change(before, after, Coefficients.ours())
    same = estimate(after).figures
    return {metric: Figure(0.0, 0.0, 0.0, figure.grade, "", UNITS[metric]) for metric, figure in same.items()}


def per_thousand_requests(thing: Fleet | Serverless, coefficients: Coefficients | None = None) -> Estimate | None:
    """The estimate of 1,000 requests (SCI, ISO/IEC 21031:2024, R = 1,000 requests); None where there may be none."""
    if thing.requests is None or thing.requests.low < 1:
        return None
    return _estimate(thing, coefficients or Coefficients.ours(), True)


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
def _estimate(thing: Thing, coefficients: Coefficients, per_request: bool) -> Estimate:
    calculation = _calculation(thing, coefficients)
    if per_request and isinstance(thing, Fleet | Serverless) and thing.requests is not None:
        calculation.per_thousand(thing.requests)
    return calculation.result()


@lru_cache(maxsize=16384)
def _change(before: Thing, after: Thing, coefficients: Coefficients) -> Mapping[str, Figure]:
    return _calculation(after, coefficients).since(_calculation(before, coefficients))


def _calculation(thing: Thing, coefficients: Coefficients) -> Calculation:
    where = place(thing.region, coefficients)
    if isinstance(thing, Serverless):
        return of_serverless(thing, where, coefficients)
    if isinstance(thing, Storage):
        return of_storage(thing, where, coefficients)
    if isinstance(thing, Fleet | Job):
        instance = instances.find(thing.instance_type)
        if instance is None:
            raise UserError(f"instance type {thing.instance_type}: {instances.why_unknown(thing.instance_type)}")
        fleet = fleet_of_job(thing) if isinstance(thing, Job) else thing
        calculation = of_fleet(fleet, instance, prices.find(thing.instance_type), where, coefficients)
        if isinstance(thing, Job) and (unknown := unknown_duty(thing, instance)) is not None:
            calculation.notes(unknown)
        return calculation
    return of_transfer(thing, where, coefficients)
