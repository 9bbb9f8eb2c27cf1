"""Scheduled actions: storage with their target, and their due times."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.autoscaling.dimensions import NAMESPACE
from sagemaker_sandbox.endpoints.autoscaling.errors import LimitExceededError, ObjectNotFoundError
from sagemaker_sandbox.endpoints.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.endpoints.autoscaling.target import ScalableTarget, ScheduledAction, TargetKey
from sagemaker_sandbox.endpoints.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart
from sagemaker_sandbox.services.eventbridge import occurrences
from sagemaker_sandbox.services.eventbridge.occurrences import Occurrences, Once, Rate
from sustainable_mlops.aws import cron

#: Quota of scheduled actions of one target.
_MAX_ACTIONS = 200
_EXPRESSION = re.compile(r"(rate|cron|at)\(.*\)")
#: Messages of AWS for an invalid expression of each kind.
_MESSAGES = {"cron": "Invalid CRON expression", "at": "Invalid schedule at DateTime expression"}


class ScheduledActions(ServicePart):
    """Operations Put-, Describe- and DeleteScheduledAction."""

    service = "application-autoscaling"

    def __init__(self, region: AccountRegion, targets: ScalableTargets) -> None:
        super().__init__(region)
        self._targets = targets
        self._next_due: dict[str, _NextOccurrence] = {}

    @emulated_operation
    def put_scheduled_action(self, request: Fields) -> Fields:
        """Create a scheduled action, or update an existing one.

        The start and end times are removed if the request does not state them.
        """
        with self.region.lock:
            target = self._targets.get_registered(TargetKey.from_request(request))
            existing = target.actions.get(request["ScheduledActionName"])
            if existing is None and len(target.actions) >= _MAX_ACTIONS:
                raise LimitExceededError(
                    f"The number of scheduled actions per scalable target cannot exceed {_MAX_ACTIONS}"
                )
            action = self._build_action(target, existing, request)
            _check_action(action)
            target.actions[action.name] = action
            self._next_due.pop(action.arn, None)
        self.region.clock.wake()
        return {}

    @emulated_operation
    def describe_scheduled_actions(self, request: Fields) -> Fields:
        """Return scheduled actions in the order of their creation."""
        names = request.get("ScheduledActionNames")
        with self.region.lock:
            descriptions = [
                target.key.to_fields() | action.describe()
                for target in self._targets
                for action in target.actions.values()
                if not names or action.name in names
            ]
            return build_page(request, "ScheduledActions", filter_by_target(request, descriptions))

    @emulated_operation
    def delete_scheduled_action(self, request: Fields) -> Fields:
        """Delete a scheduled action. The bounds that it has set remain."""
        key, name = TargetKey.from_request(request), request["ScheduledActionName"]
        with self.region.lock:
            target = self._targets.find_target(key)
            if target is None or name not in target.actions:
                raise ObjectNotFoundError(f"No scheduled action found for {key}, scheduled action name: {name}")
            self._next_due.pop(target.actions.pop(name).arn, None)
        return {}

    def next(self, after: datetime) -> datetime | None:
        """Return the time of the first due action. Requires the lock of the Region."""
        moments = (self._get_next_due(action, after) for target in self._targets for action in target.actions.values())
        return min((moment for moment in moments if moment is not None), default=None)

    def list_due(self, moment: datetime) -> Iterator[tuple[ScalableTarget, ScheduledAction]]:
        """Yield the actions due at the moment, in the order of their creation.

        Requires the lock of the Region.
        """
        for target in self._targets:
            for action in list(target.actions.values()):
                if self._get_next_due(action, moment - TICK) == moment:
                    yield target, action

    def _get_next_due(self, action: ScheduledAction, after: datetime) -> datetime | None:
        """Return the next due time of an action from a cache, because the clock asks at each step."""
        cached = self._next_due.get(action.arn)
        if cached is None or not cached.is_valid_for(after):
            cached = self._next_due[action.arn] = _NextOccurrence(after, _find_due(action, after))
        return cached.moment

    def _build_action(
        self, target: ScalableTarget, existing: ScheduledAction | None, request: Fields
    ) -> ScheduledAction:
        """Build the action from the request; members that it omits keep their values."""
        now = self.region.clock.now()
        schedule = request.get("Schedule") or (existing.schedule if existing else "")
        if not schedule:
            raise ValidationError("Schedule must be set")
        bounds = request.get("ScalableTargetAction")
        if bounds is None and existing is None:
            raise ValidationError("ScalableTargetAction must be set")
        if bounds is None and existing is not None:
            bounds = {"MinCapacity": existing.min_capacity, "MaxCapacity": existing.max_capacity}
        assert bounds is not None
        name = request["ScheduledActionName"]
        arn = (
            f"arn:aws:autoscaling:{self.region.name}:{self.region.account_id}:scheduledAction:{uuid.uuid4()}:resource/"
            f"{NAMESPACE}/{target.key.resource_id}:scheduledActionName/{name}"
        )
        return ScheduledAction(
            name,
            existing.arn if existing else arn,
            schedule,
            request.get("Timezone") or (existing.time_zone if existing else ""),
            bounds.get("MinCapacity"),
            bounds.get("MaxCapacity"),
            _parse_time(request.get("StartTime")),
            _parse_time(request.get("EndTime")),
            existing.created if existing else now,
            existing.rate_start if existing and existing.schedule == schedule else now,
        )


class _NextOccurrence(NamedTuple):
    """Cached next due time; valid from `valid_from` until that time."""

    valid_from: datetime
    moment: datetime | None

    def is_valid_for(self, after: datetime) -> bool:
        """Return whether the cached time is also the next one after this moment."""
        return self.valid_from <= after and (self.moment is None or after < self.moment)


def _find_due(action: ScheduledAction, after: datetime) -> datetime | None:
    """Return the first due time after the moment, between the start and end of the action.

    The first one is the start time; the others follow the schedule.
    """
    schedule, start = _parse_schedule(action), action.start_time
    if isinstance(schedule, Once):
        return schedule.next(after)
    if isinstance(schedule, Rate) and start is None:
        schedule = schedule._replace(first=action.rate_start + schedule.period)  # assumed: AWS does not document it
    moment = schedule.next(max(after, start) if start else after)
    if start is not None and start > after:
        moment = start
    return None if moment is None or (action.end_time is not None and moment > action.end_time) else moment


def _parse_schedule(action: ScheduledAction) -> Occurrences:
    return occurrences.parse_schedule(
        action.schedule, action.time_zone or "UTC", action.start_time or action.rate_start
    )


def _check_action(action: ScheduledAction) -> None:
    """Raise ValidationError for an action that could never be due, or has no effect."""
    if not _EXPRESSION.fullmatch(action.schedule):
        raise ValidationError(
            "Invalid schedule expression. Schedule expressions must have the following syntax: rate(<number>\\s?"
            "(minutes?|hours?|days?)), cron(<cron_expression>) or at(yyyy-MM-dd'T'HH:mm:ss)"
        )
    try:
        cron.find_time_zone(action.time_zone or "UTC")
        _parse_schedule(action)
        _check_days(action.schedule)
    except ValueError as error:
        message = _MESSAGES.get(action.schedule.partition("(")[0], "Invalid schedule expression")
        raise ValidationError(f"{message}: {error}") from None
    if action.start_time is not None and action.end_time is not None and action.start_time > action.end_time:
        raise ValidationError("StartTime must be before EndTime")
    if action.min_capacity is None and action.max_capacity is None:
        raise ValidationError("At least one of minimum capacity and maximum capacity should be provided")
    if (
        action.min_capacity is not None
        and action.max_capacity is not None
        and action.max_capacity < action.min_capacity
    ):
        raise ValidationError("Maximum capacity cannot be less than minimum capacity")


def _check_days(schedule: str) -> None:
    """Raise ValueError unless exactly one of the two day fields is `?`. AWS is stricter here than elsewhere."""
    kind, _, fields = schedule.removesuffix(")").partition("(")
    if kind == "cron":
        days, weekdays = fields.split()[2:5:2]
        if (days == "?") is (weekdays == "?"):
            raise ValueError(f"one of {days} and {weekdays} must be ?")


def _parse_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
