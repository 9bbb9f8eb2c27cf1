"""MLflow tracking servers, with the schedules that stop and start them."""

from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import ServiceActivity
from sustainable_mlops.footprint.quantities import Quantity, make_bounded, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.fixed_prices import make_service_part, read_fixed_prices
from sustainable_mlops.footprint.services.plan_side import PlanSide
from sustainable_mlops.plan import UNKNOWN, Resource
from sustainable_mlops.plan.schedules import find_calling_schedules
from sustainable_mlops.plan.timetable import CapacityAction, compute_spans

_CALLS = {"sagemaker:stopMlflowTrackingServer": 0.0, "sagemaker:startMlflowTrackingServer": 1.0}
#: Share of a month in which a server runs if users start it and a schedule stops it: 8 hours on 21 days.
_STARTED_BY_USERS = make_bounded(0.0, 8 * 21 / HOURS_PER_MONTH, 1.0, "share of the time that users let the server run")
_ALWAYS = make_exact(1.0)


def read_tracking_server(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the server for the share of the time in which its schedules let it run."""
    share = _compute_share(resource, side)
    return [
        make_service_part(part.activity.item, part.activity.region, share)
        if isinstance(part.activity, ServiceActivity)
        else part
        for part in read_fixed_prices(resource, side)
    ]


def _compute_share(resource: Resource, side: PlanSide) -> Quantity:
    """Return the share of the time in which the server runs; 1 if a schedule is unknown."""
    actions = []
    for call, capacity in _CALLS.items():
        for schedule, calls_server in find_calling_schedules(call, resource, "tracking_server_name", side.joins):
            values = side.get_values(schedule)
            expression, zone = values.text("schedule_expression"), values.text("schedule_expression_timezone")
            if calls_server is UNKNOWN or not isinstance(expression, str) or zone is UNKNOWN:
                return _ALWAYS
            if calls_server:
                actions.append(CapacityAction(expression, capacity, capacity, zone or "UTC"))
    starts = [action for action in actions if action.minimum]
    if actions and not starts:
        return _STARTED_BY_USERS
    try:
        spans = compute_spans(1.0, 0.0, 1.0, tuple(actions))
    except ValueError:
        return _ALWAYS
    return make_exact(sum(span.share * span.fixed for span in spans))
