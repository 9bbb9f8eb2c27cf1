"""The instances that an apply starts of a fleet which sleeps: AWS makes no endpoint without any."""

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import NONE, Fleet
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import shown
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.services.plan_side import known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource

_CREATED = ("create", "replace")
_BAKES = "deployment_config.0.blue_green_update_policy.0.termination_wait_in_seconds"


def of_apply(endpoint: Resource, name: str, block: Block, region: str | None) -> str:
    """What the apply of `endpoint` uses once of a variant that sleeps afterwards; empty where it starts none.

    An endpoint is made with the number that its configuration names, and an update begins with it again (API reference,
    ProductionVariant); autoscaling takes it to none when no request waits.
    """
    updates = endpoint.action == "update" and _follows_another(endpoint)
    count = block.number("initial_instance_count")
    many = 1.0 if count is None else known_number(count)
    instance_type = block.text("instance_type")
    if not (updates or endpoint.action in _CREATED) or not many or not isinstance(instance_type, str):
        return ""
    stays = _stays(endpoint if updates else None)
    volume = known_number(block.number("volume_size_in_gb")) or 0.0
    try:
        taken = estimate(Fleet(instance_type, region, exactly(many), stays, NONE, volume_gb=volume))
    except UserError:
        return ""  # its part says why
    figures = [str(figure) for metric in ("total", "cost") if (figure := taken.get(metric))]
    low, central, high = (shown(hours) for hours in (stays.low, stays.central, stays.high))
    return (
        f"{endpoint.address}, {name}: an apply starts {many:g} x {instance_type}, taken to stay for {central} h "
        f"({low} to {high}) until autoscaling finds no backlog: once {' and '.join(figures)}, in no figure of a month"
    )


def _follows_another(endpoint: Resource) -> bool:
    """Whether it follows another configuration than before, which may be not known until apply."""
    was, now = (values.text("endpoint_config_name") for values in (endpoint.old, endpoint.new))
    return now is UNKNOWN or now != was


def _stays(updated: Resource | None) -> Quantity:
    """Hours from the start of an instance to its end; an update waits as well until the new ones have proved good."""
    wake, idle = assumptions()["wake_hours"], assumptions()["scale_in_seconds"]
    bakes = (known_number(updated.new.number(_BAKES)) or 0.0) if updated is not None else 0.0
    low, central, high = (
        start + (after + bakes) / 3600
        for start, after in ((wake.low, idle.low), (wake.central, idle.central), (wake.high, idle.high))
    )
    return Quantity(low, central, high, max(wake.grade, idle.grade), "time that an apply's instances stay")
