"""Instances that an apply starts for a fleet that later sleeps; AWS creates no endpoint without instances."""

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint.activities import ZERO, FleetActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import format_number
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import Quantity, make_exact
from sustainable_mlops.footprint.services.plan_side import to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource, list_instance_choices

_CREATE_ACTIONS = ("create", "replace")
_BAKE_TIME_PATH = "deployment_config.0.blue_green_update_policy.0.termination_wait_in_seconds"


def describe_start_up(endpoint: Resource, name: str, block: Block, region: str | None) -> str:
    """Return a description of what the apply of `endpoint` uses once; empty if it starts no instances.

    An endpoint starts with the number of instances in its configuration, and so does an update (API reference,
    ProductionVariant). Autoscaling reduces it to zero when no request waits.
    """
    is_updated = endpoint.action == "update" and _has_new_configuration(endpoint)
    count = block.number("initial_instance_count")
    start_count = 1.0 if count is None else to_known_number(count)
    instance_type = list_instance_choices(block)[0].instance_type
    if not (is_updated or endpoint.action in _CREATE_ACTIONS) or not start_count or not isinstance(instance_type, str):
        return ""
    stays = _estimate_stay(endpoint if is_updated else None)
    volume = to_known_number(block.number("volume_size_in_gb")) or 0.0
    try:
        start_up = estimate(
            FleetActivity(instance_type, region, make_exact(start_count), stays, ZERO, volume_gb=volume)
        )
    except UserError:
        return ""  # the part of the endpoint has the reason
    figures = [str(figure) for metric in ("total", "cost") if (figure := start_up.get(metric))]
    low, central, high = (format_number(hours) for hours in (stays.low, stays.central, stays.high))
    return (
        f"{endpoint.address}, {name}: an apply starts {start_count:g} x {instance_type} for about {central} h "
        f"({low} to {high}) until autoscaling finds no backlog: once "
        f"{' and '.join(figures)}, outside the monthly figures"
    )


def _has_new_configuration(endpoint: Resource) -> bool:
    """Return whether the endpoint gets another configuration; also if it is unknown until apply."""
    before, after = (values.text("endpoint_config_name") for values in (endpoint.old, endpoint.new))
    return after is UNKNOWN or after != before


def _estimate_stay(updated_endpoint: Resource | None) -> Quantity:
    """Return the hours from the start of an instance to its end; an update also waits for the bake time."""
    wake, idle = load_assumptions()["wake_hours"], load_assumptions()["scale_in_seconds"]
    bakes = (
        (to_known_number(updated_endpoint.new.number(_BAKE_TIME_PATH)) or 0.0) if updated_endpoint is not None else 0.0
    )
    low, central, high = (
        start + (after + bakes) / 3600
        for start, after in ((wake.low, idle.low), (wake.central, idle.central), (wake.high, idle.high))
    )
    return Quantity(
        low, central, high, max(wake.grade, idle.grade), "hours that the instances of an apply stay on", unit="h"
    )
