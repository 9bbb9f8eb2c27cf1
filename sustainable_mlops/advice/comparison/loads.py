"""Usage of an endpoint at a load, or the reason why it cannot serve the load."""

from dataclasses import replace
from math import inf
from typing import Any

from sustainable_mlops.advice.comparison.shapes import EndpointShape, ShapeMachines
from sustainable_mlops.advice.limits import list_obstacles
from sustainable_mlops.advice.options import estimate_hours_on
from sustainable_mlops.advice.requirements import ServingRequirements
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.month import DAYS_PER_MONTH, HOURS_PER_MONTH
from sustainable_mlops.footprint import Quantity, bounded_quantity, exact_quantity
from sustainable_mlops.footprint.coefficients import load_assumptions

_SECONDS_PER_DAY = 86_400


def adapt_requirements(
    machines: ShapeMachines, requirements: ServingRequirements, accelerated_s: float
) -> ServingRequirements:
    """Return the requirements for these machines: a request takes `accelerated_s` on an accelerator."""
    has_accelerator = machines.instance is not None and machines.instance.accelerator is not None
    return replace(requirements, duration_s=accelerated_s) if has_accelerator else requirements


def compute_max_requests_per_day(machines: ShapeMachines, requirements: ServingRequirements) -> float:
    """Return the maximum requests a day if all machines work at the busiest moment."""
    max_concurrency = _find_reachable_maximum(machines, requirements) * _count_concurrent_requests(machines)
    return (
        max_concurrency
        * _SECONDS_PER_DAY
        * requirements.hours_per_day
        / 24
        / (requirements.duration_s * requirements.peak)
    )


def _find_reachable_maximum(machines: ShapeMachines, requirements: ServingRequirements) -> float:
    """Return the machines that scaling reaches: the minimum if an instance is full before its policy adds another."""
    if (
        machines.target_requests_per_minute is not None
        and machines.target_requests_per_minute * requirements.duration_s > 60 * _count_concurrent_requests(machines)
    ):
        return max(1.0, machines.minimum)
    return machines.maximum


def _count_concurrent_requests(machines: ShapeMachines) -> int:
    """Return the requests that a worker or an instance processes at the same time."""
    if machines.instance is None:
        return 1
    return machines.instance.accelerators or machines.instance.vcpu


def find_refusal(shape: EndpointShape, machines: ShapeMachines, requirements: ServingRequirements) -> str:
    """Return the reason why the endpoint cannot meet the requirements with its defaults; empty if it can."""
    for reason in list_obstacles(shape.kind, requirements):
        return reason
    if machines.memory_mb < requirements.memory_mb:
        return (
            f"the model needs about {requirements.memory_mb:,.0f} MB of memory, and it has {machines.memory_mb:,.0f} MB"
        )
    if machines.instance is not None and instances.is_offered(machines.instance.name, requirements.region) is False:
        return f"{requirements.region} does not offer {machines.instance.name}"
    if requirements.requests_per_day > (maximum := compute_max_requests_per_day(machines, requirements)):
        return f"with its defaults it serves at most {maximum:,.0f} requests a day with this peak"
    return ""


def make_usage(
    shape: EndpointShape, machines: ShapeMachines, requirements: ServingRequirements, *, bounded: bool = True
) -> dict[str, Any]:
    """Return the usage of the endpoint by the keys of a usage file.

    Unless `bounded`, the endpoint has as many machines as it needs.
    """
    requests, duration = (
        exact_quantity(requirements.requests_per_day * DAYS_PER_MONTH),
        exact_quantity(requirements.duration_s),
    )
    usage = {"requests_per_month": requests, "duration_seconds": duration}
    if machines.instance is None:
        return usage
    concurrency = _count_concurrent_requests(machines)
    count = _estimate_count(machines, requirements, _find_reachable_maximum(machines, requirements) if bounded else inf)
    hours = exact_quantity(HOURS_PER_MONTH)
    if shape.kind == "asynchronous":
        hours = usage["hours_per_month"] = estimate_hours_on(shape.kind, requirements, concurrency)
    busy_h = requirements.requests_per_day * DAYS_PER_MONTH * requirements.duration_s / 3600 / concurrency
    low, share, high = (
        min(1.0, busy_h / (hours.central * number)) for number in (count.high, count.central, count.low)
    )
    usage["duty"] = bounded_quantity(low, share, high, "busy share of the time, from the requests", "B", "of the time")
    return usage | {"instances": count}


def _estimate_count(machines: ShapeMachines, requirements: ServingRequirements, maximum: float) -> Quantity:
    """Return the average number of instances, at least as many as the work needs.

    It follows from the requests per instance in the scaling policy, else from the load that scaling aims at.
    """
    minimum = max(1.0, machines.minimum)
    average = requirements.average_concurrency / _count_concurrent_requests(machines)
    if machines.target_requests_per_minute is not None:
        requests_per_minute = requirements.requests_per_day / (requirements.hours_per_day * 60)
        usual = max(requests_per_minute / machines.target_requests_per_minute, average)
        ends = (usual, usual, usual * requirements.peak)
    else:
        load = load_assumptions()["target_load"]
        ends = (average / load.high, average / load.central, average / load.low)
    low, central, high = (min(max(one, minimum), max(maximum, minimum)) for one in ends)
    return bounded_quantity(low, central, high, "instances, as scaling follows the requests", "B", "instances")
