"""Schedules of EventBridge Scheduler. Each calls its target when it is due.

moto keeps the schedules; `moto_patches.scheduler_schedules` leads moto to this module. A flexible window allows a start
anywhere in it. Here a schedule starts at the beginning of its window.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import scheduler_backends

from sagemaker_sandbox.base.clock import TICK, Clock
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.permissions import ServiceCall
from sagemaker_sandbox.services.eventbridge import event, occurrences, target_calls, universal_inputs
from sagemaker_sandbox.services.eventbridge.deliveries import Deliveries, Delivery
from sustainable_mlops.aws.arn import Arn

SERVICE = "scheduler.amazonaws.com"
#: Attribute of a schedule: the start of its rate, in seconds since the epoch.
_RATE_START = "_sandbox_since"


class Schedules:
    """The schedules of all accounts and Regions, as one task of the clock."""

    def __init__(self, deliveries: Deliveries, clock: Clock) -> None:
        self._deliveries = deliveries
        self._clock = clock
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the moment at which the first schedule is due."""
        moments = (_next_moment(schedule, after) for schedule in _list_enabled())
        return min((moment for moment in moments if moment is not None), default=None)

    def run_due(self, moment: datetime) -> None:
        """Call the targets of the schedules that are due."""
        for schedule in _list_enabled():
            if _next_moment(schedule, moment - TICK) == moment:
                self._start(schedule, moment)

    def record_creation(self, schedule: Any) -> None:
        """Store the start of a new schedule's rate. A rate without StartDate starts immediately (user guide)."""
        self.record_change(schedule)
        if schedule.schedule_expression.startswith("rate") and not schedule.start_date and _is_enabled(schedule):
            self._start(schedule, self._clock.now())
        self._clock.wake()

    def record_change(self, schedule: Any) -> None:
        """Store the start of the rate of a schedule that has a new expression."""
        setattr(schedule, _RATE_START, self._clock.now().timestamp())

    def wake(self) -> None:
        """Make the clock look for due schedules again."""
        self._clock.wake()

    def _start(self, schedule: Any, moment: datetime) -> None:
        _, _, region, account, _ = Arn.parse(schedule.arn)
        target, text = dict(schedule.target), str(schedule.target.get("Input") or "")
        for name, value in {
            "schedule-arn": schedule.arn,
            "scheduled-time": event.format_time(moment),
            "execution-id": str(uuid.uuid4()),
        }.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)

        def build_call(delivery: Delivery) -> ServiceCall:
            attempt_text = text.replace("<aws.scheduler.attempt-number>", str(delivery.attempts + 1))
            return target_calls.build_call(target, attempt_text, {"account": account, "region": region}, delivery.id)

        now = self._clock.now()
        self._deliveries.add(Delivery(schedule.arn, SERVICE, target, text, build_call, account, region, now))
        if schedule.action_after_completion == "DELETE" and _next_moment(schedule, moment) is None:
            group = scheduler_backends[account][region].schedule_groups[schedule.group_name]
            group.schedules.pop(schedule.name, None)


def _list_enabled() -> Iterator[Any]:
    for by_region in list(scheduler_backends.values()):
        for backend in list(by_region.values()):
            for group in list(backend.schedule_groups.values()):
                yield from filter(_is_enabled, list(group.schedules.values()))


def _is_enabled(schedule: Any) -> bool:
    return bool(schedule.state != "DISABLED")


def _next_moment(schedule: Any, after: datetime) -> datetime | None:
    """Return the first moment after `after`, within the schedule's dates, at which it is due."""
    expression, zone = schedule.schedule_expression, schedule.schedule_expression_timezone
    start_date = _to_datetime(schedule.start_date)
    start = start_date or _to_datetime(vars(schedule).get(_RATE_START, schedule.creation_date))
    assert start is not None
    moments = occurrences.parse_schedule(expression, zone, start)
    if isinstance(moments, occurrences.Rate) and start_date is None:
        moments = moments._replace(first=start + moments.period)  # its first start was at its creation
    if isinstance(moments, occurrences.Once):  # StartDate and EndDate are ignored
        return moments.next(after)
    moment = moments.next(max(after, start_date - TICK) if start_date else after)
    end_date = _to_datetime(schedule.end_date)
    return None if moment is None or (end_date is not None and moment > end_date) else moment


def _to_datetime(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def check_schedule(account: str, request: dict[str, Any]) -> None:
    """Raise moto's ValidationException for a schedule that can never be due, or whose target cannot be called."""
    zone, target = request["schedule_expression_timezone"] or "UTC", request["target"]
    try:
        occurrences.parse_schedule(request["schedule_expression"], zone, datetime.now(UTC))
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {request['schedule_expression']}: {error}.") from None
    if target_calls.UNIVERSAL in target["Arn"]:
        try:
            service, operation = target_calls.parse_universal_arn(target["Arn"])
        except ValueError as error:
            raise ValidationException(f"Invalid target: {error}.") from None
        try:
            universal_inputs.check_input(service, operation, str(target.get("Input") or ""))
        except ValueError as error:
            raise ValidationException(str(error)) from None
    if not roles.can_assume(account, target["RoleArn"], SERVICE):
        raise ValidationException(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        )
