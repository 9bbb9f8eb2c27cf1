"""The instances that an apply starts of a fleet which sleeps: AWS makes no endpoint without any."""

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import ZERO, FleetActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import format_number
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import Quantity, exact_quantity
from sustainable_mlops.footprint.services.plan_side import to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource

_CREATE_ACTIONS = ("create", "replace")
_BAKE_TIME_PATH = "deployment_config.0.blue_green_update_policy.0.termination_wait_in_seconds"


def describe_start_up(endpoint: Resource, name: str, block: Block, region: str | None) -> str:
    """What the apply of `endpoint` uses once of a variant that sleeps afterwards; empty where it starts none.

    An endpoint is made with the number that its configuration names, and an update begins with it again (API reference,
    ProductionVariant); autoscaling takes it to none when no request waits.
    """
    updates = endpoint.action == "update" and _has_new_configuration(endpoint)
    count = block.number("initial_instance_count")
    many = 1.0 if count is None else to_known_number(count)
    instance_type = block.text("instance_type")
    if not (updates or endpoint.action in _CREATE_ACTIONS) or not many or not isinstance(instance_type, str):
        return ""
    stays = _estimate_stay(endpoint if updates else None)
    volume = to_known_number(block.number("volume_size_in_gb")) or 0.0
    try:
        taken = estimate(FleetActivity(instance_type, region, exact_quantity(many), stays, ZERO, volume_gb=volume))
    except UserError:
        return ""  # its part says why
    figures = [str(figure) for metric in ("total", "cost") if (figure := taken.get(metric))]
    low, central, high = (format_number(hours) for hours in (stays.low, stays.central, stays.high))
    return (
        f"{endpoint.address}, {name}: an apply starts {many:g} x {instance_type}, taken to stay for {central} h "
        f"({low} to {high}) until autoscaling finds no backlog: once {' and '.join(figures)}, in no figure of a month"
    )


def _has_new_configuration(endpoint: Resource) -> bool:
    """Whether it follows another configuration than before, which may be not known until apply."""
    was, now = (values.text("endpoint_config_name") for values in (endpoint.old, endpoint.new))
    return now is UNKNOWN or now != was


def _estimate_stay(updated: Resource | None) -> Quantity:
    """Hours from the start of an instance to its end; an update waits as well until the new ones have proved good."""
    wake, idle = load_assumptions()["wake_hours"], load_assumptions()["scale_in_seconds"]
    bakes = (to_known_number(updated.new.number(_BAKE_TIME_PATH)) or 0.0) if updated is not None else 0.0
    low, central, high = (
        start + (after + bakes) / 3600
        for start, after in ((wake.low, idle.low), (wake.central, idle.central), (wake.high, idle.high))
    )
    return Quantity(low, central, high, max(wake.grade, idle.grade), "time that an apply's instances stay")
