"""Usage of an endpoint at a load, or the reason why it cannot serve the load."""

from dataclasses import replace
from math import inf
from typing import Any

from sustainable_mlops.advice.comparison.shapes import EndpointShape, ShapeCapacity
from sustainable_mlops.advice.limits import list_obstacles
from sustainable_mlops.advice.options import estimate_hours_on
from sustainable_mlops.advice.requirements import ServingRequirements
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.month import DAYS_PER_MONTH, HOURS_PER_MONTH
from sustainable_mlops.footprint import Quantity, make_bounded, make_exact
from sustainable_mlops.footprint.coefficients import load_assumptions

_SECONDS_PER_DAY = 86_400


def adapt_requirements(
    capacity: ShapeCapacity, requirements: ServingRequirements, accelerated_s: float
) -> ServingRequirements:
    """Return the requirements for this capacity: a request takes `accelerated_s` on an accelerator."""
    has_accelerator = capacity.instance is not None and capacity.instance.accelerator is not None
    return replace(requirements, duration_s=accelerated_s) if has_accelerator else requirements


def compute_max_requests_per_day(capacity: ShapeCapacity, requirements: ServingRequirements) -> float:
    """Return the maximum requests a day if all instances or workers are busy at the busiest moment."""
    max_concurrency = _find_reachable_maximum(capacity, requirements) * _count_concurrent_requests(capacity)
    return (
        max_concurrency
        * _SECONDS_PER_DAY
        * requirements.hours_per_day
        / 24
        / (requirements.duration_s * requirements.peak)
    )


def _find_reachable_maximum(capacity: ShapeCapacity, requirements: ServingRequirements) -> float:
    """Return the maximum that scaling reaches: the minimum if an instance is full before its policy adds another."""
    if (
        capacity.target_requests_per_minute is not None
        and capacity.target_requests_per_minute * requirements.duration_s > 60 * _count_concurrent_requests(capacity)
    ):
        return max(1.0, capacity.minimum)
    return capacity.maximum


def _count_concurrent_requests(capacity: ShapeCapacity) -> int:
    """Return the requests that a worker or an instance processes at the same time."""
    if capacity.instance is None:
        return 1
    return capacity.instance.accelerators or capacity.instance.vcpu


def find_refusal(shape: EndpointShape, capacity: ShapeCapacity, requirements: ServingRequirements) -> str:
    """Return the reason why the endpoint cannot meet the requirements with its defaults; empty if it can."""
    for reason in list_obstacles(shape.kind, requirements):
        return reason
    if capacity.memory_mb < requirements.memory_mb:
        return (
            f"the model needs about {requirements.memory_mb:,.0f} MB of memory, and it has {capacity.memory_mb:,.0f} MB"
        )
    if capacity.instance is not None and instances.is_offered(capacity.instance.name, requirements.region) is False:
        return f"{requirements.region} does not offer {capacity.instance.name}"
    if requirements.requests_per_day > (maximum := compute_max_requests_per_day(capacity, requirements)):
        return f"with its defaults it serves at most {maximum:,.0f} requests a day with this peak"
    return ""


def make_usage(
    shape: EndpointShape, capacity: ShapeCapacity, requirements: ServingRequirements, *, bounded: bool = True
) -> dict[str, Any]:
    """Return the usage of the endpoint by the keys of a usage file.

    Unless `bounded`, the endpoint has as many instances or workers as it needs.
    """
    requests, duration = (
        make_exact(requirements.requests_per_day * DAYS_PER_MONTH),
        make_exact(requirements.duration_s),
    )
    usage = {"requests_per_month": requests, "duration_seconds": duration}
    if capacity.instance is None:
        return usage
    concurrency = _count_concurrent_requests(capacity)
    count = _estimate_count(capacity, requirements, _find_reachable_maximum(capacity, requirements) if bounded else inf)
    hours = make_exact(HOURS_PER_MONTH)
    if shape.kind == "asynchronous":
        hours = usage["hours_per_month"] = estimate_hours_on(shape.kind, requirements, concurrency)
    busy_h = requirements.requests_per_day * DAYS_PER_MONTH * requirements.duration_s / 3600 / concurrency
    low, share, high = (
        min(1.0, busy_h / (hours.central * number)) for number in (count.high, count.central, count.low)
    )
    usage["duty"] = make_bounded(low, share, high, "busy share of the time, from the requests", "B", "of the time")
    return usage | {"instances": count}


def _estimate_count(capacity: ShapeCapacity, requirements: ServingRequirements, maximum: float) -> Quantity:
    """Return the average number of instances, at least as many as the work needs.

    It follows from the requests per instance in the scaling policy, else from the load that scaling aims at.
    """
    minimum = max(1.0, capacity.minimum)
    average = requirements.average_concurrency / _count_concurrent_requests(capacity)
    if capacity.target_requests_per_minute is not None:
        requests_per_minute = requirements.requests_per_day / (requirements.hours_per_day * 60)
        usual = max(requests_per_minute / capacity.target_requests_per_minute, average)
        ends = (usual, usual, usual * requirements.peak)
    else:
        load = load_assumptions()["target_load"]
        ends = (average / load.high, average / load.central, average / load.low)
    low, central, high = (min(max(one, minimum), max(maximum, minimum)) for one in ends)
    return make_bounded(low, central, high, "instances, as scaling follows the requests", "B", "instances")
