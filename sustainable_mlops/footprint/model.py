"""Estimate of an activity. `docs/footprint.md` explains the formulas."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances, prices
from sustainable_mlops.footprint.activities import (
    ONE,
    Activity,
    FleetActivity,
    JobActivity,
    ServerlessActivity,
    ServiceActivity,
    StorageActivity,
)
from sustainable_mlops.footprint.calculation import Calculation, find_location
from sustainable_mlops.footprint.calibration import find_service
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import UNITS, FootprintEstimate, FootprintFigure, span_estimates, span_figures
from sustainable_mlops.footprint.instance_calculations import (
    calculate_fleet,
    calculate_serverless,
    describe_unknown_duty,
    make_job_fleet,
)
from sustainable_mlops.footprint.quantities import Quantity, make_exact
from sustainable_mlops.footprint.service_costs import calculate_service
from sustainable_mlops.footprint.storage_and_transfer import calculate_storage, calculate_transfer


def estimate(activity: Activity, coefficients: Coefficients | None = None) -> FootprintEstimate:
    """Return the estimate of `activity` for a month; for a job or fleet with `runs`, for these runs.

    Raises UserError for an instance type or storage class that is not in the catalogue; `estimate_plan` lists those
    instead.
    """
    return _estimate_cached(activity, coefficients or Coefficients.get_current(), False)


def estimate_change(before: Activity, after: Activity) -> Mapping[str, FootprintFigure]:
    """Return the difference `after` - `before` for a month, by metric, without metrics that either side lacks.

    Shared inputs vary on both sides together, see `propagate_change`. Raises UserError as `estimate` does.
    """
    if before != after:
        return _estimate_change_cached(before, after, Coefficients.get_current())
    same = estimate(after).figures
    return {metric: FootprintFigure(0.0, 0.0, 0.0, figure.grade, "", UNITS[metric]) for metric, figure in same.items()}


def find_highest_cost(activity: Activity) -> float | None:
    """Return the expected cost of a month on the most expensive instance type; None if a price is unknown."""
    costs = [
        _estimate_cached(choice, Coefficients.get_current(), False).get("cost") for choice in _list_choices(activity)
    ]
    return max((cost.central for cost in costs if cost is not None), default=None) if None not in costs else None


def estimate_per_thousand_requests(activity: FleetActivity | ServerlessActivity) -> FootprintEstimate | None:
    """Return the estimate of 1,000 requests, or None if there may be no requests.

    Source: SCI, ISO/IEC 21031:2024, with R = 1,000 requests.
    """
    if activity.requests is None or activity.requests.low < 1:
        return None
    return _estimate_cached(activity, Coefficients.get_current(), True)


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
) -> FootprintEstimate:
    """Return the estimate of one job; `duty` is the busy share of its time, from measured runs of its kind.

    Before the run, give `seconds` as a `Quantity` whose high end is the runtime limit. After the run, give the values
    that SageMaker reports, `TrainingTimeInSeconds` and `BillableTimeInSeconds`: the bill then contains the spot
    discount.
    """
    duration = make_exact(seconds, "time of the job") if isinstance(seconds, int | float) else seconds
    hours, number = duration * (1 / 3600), make_exact(float(count))
    job = JobActivity(instance_type, region, hours, number, spot=spot, volume_gb=volume_gb, duty=duty)
    if billable_seconds is None:
        return estimate(job)
    billable = make_exact(billable_seconds / 3600, "time billed")
    job_estimate = estimate(make_job_fleet(job)._replace(price_share=ONE, rework=ONE, billable_hours=billable))
    instance = instances.find(instance_type)
    unknown = describe_unknown_duty(job, instance) if instance is not None else None
    return job_estimate if unknown is None else job_estimate._replace(unknowns=(*job_estimate.unknowns, unknown))


@lru_cache(maxsize=16384)
def _estimate_cached(activity: Activity, coefficients: Coefficients, per_request: bool) -> FootprintEstimate:
    if len(choices := _list_choices(activity)) > 1:
        return span_estimates(
            [_estimate_cached(choice, coefficients, per_request) for choice in choices], _describe_choices(choices)
        )
    calculation = _make_calculation(activity, coefficients)
    if per_request and isinstance(activity, FleetActivity | ServerlessActivity) and activity.requests is not None:
        calculation.divide_by_requests(activity.requests)
    return calculation.compute_estimate()


@lru_cache(maxsize=16384)
def _estimate_change_cached(
    before: Activity, after: Activity, coefficients: Coefficients
) -> Mapping[str, FootprintFigure]:
    pairs = list(product(_list_choices(after), _list_choices(before)))
    if len(pairs) > 1:
        text = _describe_choices(max(_list_choices(after), _list_choices(before), key=len))
        return span_figures([_estimate_change_cached(start, end, coefficients) for end, start in pairs], text)
    return _make_calculation(after, coefficients).compute_change(_make_calculation(before, coefficients))


def _list_choices(activity: Activity) -> list[Activity]:
    """Return the activity on each of its instance types, the expected one first."""
    if not isinstance(activity, FleetActivity | JobActivity) or not activity.fallback_types:
        return [activity]
    return [
        activity._replace(instance_type=name, fallback_types=())
        for name in (activity.instance_type, *activity.fallback_types)
    ]


def _describe_choices(choices: Sequence[Activity]) -> str:
    names = [choice.instance_type for choice in choices if isinstance(choice, FleetActivity | JobActivity)]
    return f"instance type by capacity: {', else '.join(names)}"


def _make_calculation(activity: Activity, coefficients: Coefficients) -> Calculation:
    location = find_location(activity.region, coefficients)
    if coefficients.carbon_ratios:
        ratio = coefficients.find_carbon_ratio(find_service(activity), activity.region)
        location = location if ratio is None else location._replace(carbon_ratio=ratio)
    if isinstance(activity, ServerlessActivity):
        return calculate_serverless(activity, location, coefficients)
    if isinstance(activity, StorageActivity):
        return calculate_storage(activity, location, coefficients)
    if isinstance(activity, ServiceActivity):
        return calculate_service(activity, location)
    if isinstance(activity, FleetActivity | JobActivity):
        instance = instances.find(activity.instance_type)
        if instance is None:
            raise UserError(
                f"instance type {activity.instance_type}: {instances.explain_unknown(activity.instance_type)}"
            )
        fleet = make_job_fleet(activity) if isinstance(activity, JobActivity) else activity
        calculation = calculate_fleet(fleet, instance, prices.find(activity.instance_type), location, coefficients)
        if isinstance(activity, JobActivity) and (unknown := describe_unknown_duty(activity, instance)) is not None:
            calculation.add_note(unknown)
        return calculation
    return calculate_transfer(activity, location, coefficients)
