"""Scheduled actions: kept with their target, and when they are due."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sagemaker_sandbox.autoscaling.dimensions import NAMESPACE
from sagemaker_sandbox.autoscaling.errors import LimitExceededError, ObjectNotFoundError
from sagemaker_sandbox.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.autoscaling.target import ScalableTarget, ScheduledAction, TargetKey
from sagemaker_sandbox.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.clock import TICK
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.eventbridge import occurrences
from sagemaker_sandbox.eventbridge.occurrences import Every, Occurrences, Once
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart
from sustainable_mlops.aws import cron

_MOST = 200
_FORM = re.compile(r"(rate|cron|at)\(.*\)")
#: AWS's words for an expression of each kind that is none.
_WORDS = {"cron": "Invalid CRON expression", "at": "Invalid schedule at DateTime expression"}


class ScheduledActions(ServicePart):
    """Put-, Describe- and DeleteScheduledAction."""

    service = "application-autoscaling"

    def __init__(self, region: AccountRegion, targets: ScalableTargets) -> None:
        super().__init__(region)
        self._targets = targets
        self._coming: dict[str, _NextOccurrence] = {}

    @emulated_operation
    def put_scheduled_action(self, request: Fields) -> Fields:
        """A new one, or one that is there with what the request says; its dates go where it says none."""
        with self.region.lock:
            target = self._targets.get_registered(TargetKey.from_request(request))
            known = target.actions.get(request["ScheduledActionName"])
            if known is None and len(target.actions) >= _MOST:
                raise LimitExceededError(f"The number of scheduled actions per scalable target cannot exceed {_MOST}")
            action = self._made(target, known, request)
            _check(action)
            target.actions[action.name] = action
            self._coming.pop(action.arn, None)
        self.region.clock.wake()
        return {}

    @emulated_operation
    def describe_scheduled_actions(self, request: Fields) -> Fields:
        """In the order in which they were made."""
        names = request.get("ScheduledActionNames")
        with self.region.lock:
            told = [
                target.key.to_fields() | action.describe()
                for target in self._targets
                for action in target.actions.values()
                if not names or action.name in names
            ]
            return build_page(request, "ScheduledActions", filter_by_target(request, told))

    @emulated_operation
    def delete_scheduled_action(self, request: Fields) -> Fields:
        """Gone; the bounds that it has set stay."""
        key, name = TargetKey.from_request(request), request["ScheduledActionName"]
        with self.region.lock:
            target = self._targets.find_target(key)
            if target is None or name not in target.actions:
                raise ObjectNotFoundError(f"No scheduled action found for {key}, scheduled action name: {name}")
            self._coming.pop(target.actions.pop(name).arn, None)
        return {}

    def next(self, after: datetime) -> datetime | None:
        """When the first is due. Called with the Region's lock."""
        moments = (self._next(action, after) for target in self._targets for action in target.actions.values())
        return min((moment for moment in moments if moment is not None), default=None)

    def list_due(self, moment: datetime) -> Iterator[tuple[ScalableTarget, ScheduledAction]]:
        """Those that are due then, in the order in which they were made. Called with the Region's lock."""
        for target in self._targets:
            for action in list(target.actions.values()):
                if self._next(action, moment - TICK) == moment:
                    yield target, action

    def _next(self, action: ScheduledAction, after: datetime) -> datetime | None:
        """As `_due`, which takes its time, and is asked at each step of the clock."""
        known = self._coming.get(action.arn)
        if known is None or not known.says(after):
            known = self._coming[action.arn] = _NextOccurrence(after, _due(action, after))
        return known.moment

    def _made(self, target: ScalableTarget, known: ScheduledAction | None, request: Fields) -> ScheduledAction:
        now = self.region.clock.now()
        schedule = request.get("Schedule") or (known.schedule if known else "")
        if not schedule:
            raise ValidationError("Schedule must be set")
        bounds = request.get("ScalableTargetAction")
        if bounds is None and known is None:
            raise ValidationError("ScalableTargetAction must be set")
        if bounds is None and known is not None:
            bounds = {"MinCapacity": known.min_capacity, "MaxCapacity": known.max_capacity}
        assert bounds is not None
        name = request["ScheduledActionName"]
        arn = (
            f"arn:aws:autoscaling:{self.region.name}:{self.region.account_id}:scheduledAction:{uuid.uuid4()}:resource/"
            f"{NAMESPACE}/{target.key.resource_id}:scheduledActionName/{name}"
        )
        return ScheduledAction(
            name,
            known.arn if known else arn,
            schedule,
            request.get("Timezone") or (known.time_zone if known else ""),
            bounds.get("MinCapacity"),
            bounds.get("MaxCapacity"),
            _moment(request.get("StartTime")),
            _moment(request.get("EndTime")),
            known.created if known else now,
            known.rate_start if known and known.schedule == schedule else now,
        )


class _NextOccurrence(NamedTuple):
    """What is due next, for whoever asks from `asked` until then."""

    asked: datetime
    moment: datetime | None

    def says(self, after: datetime) -> bool:
        """Whether it is what is due after that, too."""
        return self.asked <= after and (self.moment is None or after < self.moment)


def _due(action: ScheduledAction, after: datetime) -> datetime | None:
    """When it is due for the first time after that, within its dates: at its start, and then as its schedule says."""
    found, begins = _occurrences(action), action.start_time
    if isinstance(found, Once):
        return found.next(after)
    if isinstance(found, Every) and begins is None:
        found = found._replace(first=action.rate_start + found.period)  # AWS does not say; assumed
    moment = found.next(max(after, begins) if begins else after)
    if begins is not None and begins > after:
        moment = begins
    return None if moment is None or (action.end_time is not None and moment > action.end_time) else moment


def _occurrences(action: ScheduledAction) -> Occurrences:
    return occurrences.of(action.schedule, action.time_zone or "UTC", action.start_time or action.rate_start)


def _check(action: ScheduledAction) -> None:
    """Raise ValidationError for one that could never be due, or would do nothing."""
    if not _FORM.fullmatch(action.schedule):
        raise ValidationError(
            "Invalid schedule expression. Schedule expressions must have the following syntax: rate(<number>\\s?"
            "(minutes?|hours?|days?)), cron(<cron_expression>) or at(yyyy-MM-dd'T'HH:mm:ss)"
        )
    try:
        cron.time_zone(action.time_zone or "UTC")
        _occurrences(action)
        _check_days(action.schedule)
    except ValueError as error:
        words = _WORDS.get(action.schedule.partition("(")[0], "Invalid schedule expression")
        raise ValidationError(f"{words}: {error}") from None
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
    """Raise ValueError unless one of the two fields of days is a question mark: here AWS is stricter than elsewhere."""
    kind, _, fields = schedule.removesuffix(")").partition("(")
    if kind == "cron":
        days, weekdays = fields.split()[2:5:2]
        if (days == "?") is (weekdays == "?"):
            raise ValueError(f"one of {days} and {weekdays} must be ?")


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
