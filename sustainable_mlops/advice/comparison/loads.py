"""What a load makes of a shape: how it is used, or why it cannot take it."""

from dataclasses import replace
from math import inf
from typing import Any

from sustainable_mlops.advice.comparison.shapes import EndpointShape, ShapeMachines
from sustainable_mlops.advice.limits import list_obstacles
from sustainable_mlops.advice.options import DAYS_PER_MONTH, estimate_hours_on
from sustainable_mlops.advice.requirements import ServingRequirements
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Quantity, bounded_quantity, exact_quantity
from sustainable_mlops.footprint.coefficients import load_assumptions

_SECONDS_PER_DAY = 86_400


def adapt_requirements(machines: ShapeMachines, need: ServingRequirements, accelerated_s: float) -> ServingRequirements:
    """The need as these machines meet it: a request takes `accelerated_s` where there is an accelerator."""
    accelerated = machines.instance is not None and machines.instance.accelerator is not None
    return replace(need, duration_s=accelerated_s) if accelerated else need


def compute_max_requests_per_day(machines: ShapeMachines, need: ServingRequirements) -> float:
    """Requests a day that the machines can take at the busiest moment, all at work."""
    most = _find_reachable_maximum(machines, need) * _count_concurrent_requests(machines)
    return most * _SECONDS_PER_DAY * need.hours_per_day / 24 / (need.duration_s * need.peak)


def _find_reachable_maximum(machines: ShapeMachines, need: ServingRequirements) -> float:
    """Machines that scaling comes to: no more than the least where one is full before its policy adds another."""
    if (
        machines.target_requests_per_minute is not None
        and machines.target_requests_per_minute * need.duration_s > 60 * _count_concurrent_requests(machines)
    ):
        return max(1.0, machines.minimum)
    return machines.maximum


def _count_concurrent_requests(machines: ShapeMachines) -> int:
    """Requests that a worker or an instance works on at the same time."""
    if machines.instance is None:
        return 1
    return machines.instance.accelerators or machines.instance.vcpu


def find_refusal(shape: EndpointShape, machines: ShapeMachines, need: ServingRequirements) -> str:
    """Why the shape cannot serve `need` by its defaults; empty where it can."""
    for reason in list_obstacles(shape.kind, need):
        return reason
    if machines.memory_mb < need.memory_mb:
        return f"the model takes about {need.memory_mb:,.0f} MB of memory, and it has {machines.memory_mb:,.0f} MB"
    if machines.instance is not None and instances.is_offered(machines.instance.name, need.region) is False:
        return f"{need.region} has no {machines.instance.name}"
    if need.requests_per_day > (most := compute_max_requests_per_day(machines, need)):
        return f"by default it takes at most {most:,.0f} requests a day with this peak"
    return ""


def make_usage(
    shape: EndpointShape, machines: ShapeMachines, need: ServingRequirements, *, bounded: bool = True
) -> dict[str, Any]:
    """How the shape is used, by the keys of a usage file; unless `bounded`, with as many machines as it takes."""
    requests, duration = exact_quantity(need.requests_per_day * DAYS_PER_MONTH), exact_quantity(need.duration_s)
    found = {"requests_per_month": requests, "duration_seconds": duration}
    if machines.instance is None:
        return found
    at_once = _count_concurrent_requests(machines)
    count = _estimate_count(machines, need, _find_reachable_maximum(machines, need) if bounded else inf)
    hours = exact_quantity(730.0)
    if shape.kind == "asynchronous":
        hours = found["hours_per_month"] = estimate_hours_on(shape.kind, need, at_once)
    busy_h = need.requests_per_day * DAYS_PER_MONTH * need.duration_s / 3600 / at_once
    low, share, high = (
        min(1.0, busy_h / (hours.central * number)) for number in (count.high, count.central, count.low)
    )
    found["duty"] = bounded_quantity(low, share, high, "share of the time busy, from the requests", "B")
    return found | {"instances": count}


def _estimate_count(machines: ShapeMachines, need: ServingRequirements, most: float) -> Quantity:
    """Instances on average: by the requests that a policy lets each have, else by the load that scaling aims at.

    Never fewer than do the work.
    """
    least = max(1.0, machines.minimum)
    average = need.average_concurrency / _count_concurrent_requests(machines)
    if machines.target_requests_per_minute is not None:
        a_minute = need.requests_per_day / (need.hours_per_day * 60)
        usual = max(a_minute / machines.target_requests_per_minute, average)
        ends = (usual, usual, usual * need.peak)
    else:
        load = load_assumptions()["target_load"]
        ends = (average / load.high, average / load.central, average / load.low)
    low, central, high = (min(max(one, least), max(most, least)) for one in ends)
    return bounded_quantity(low, central, high, "instances, as scaling follows the requests", "B")
