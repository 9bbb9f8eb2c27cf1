"""Schedules of moto's EventBridge Scheduler: at their times, their targets are asked.

A flexible window lets a schedule start anywhere in it; here it starts at once.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.scheduler.responses import EventBridgeSchedulerResponse

from sagemaker_sandbox import roles
from sagemaker_sandbox.clock import TICK, Clock
from sagemaker_sandbox.eventbridge import calls, event, occurrences, universal
from sagemaker_sandbox.eventbridge.deliveries import Deliveries, Delivery
from sagemaker_sandbox.permissions import Call

SERVICE = "scheduler.amazonaws.com"
#: Where a schedule notes since when its rate counts, in seconds since the epoch.
_SINCE = "_sandbox_since"


class Schedules:
    """Those of all accounts and Regions, on the agenda of the clock."""

    def __init__(self, deliveries: Deliveries, clock: Clock) -> None:
        self._deliveries = deliveries
        self._clock = clock
        clock.keep(self)
        self._share()

    def next(self, after: datetime) -> datetime | None:
        """When the first is due."""
        return min((moment for one in _enabled() if (moment := _next(one, after)) is not None), default=None)

    def do(self, moment: datetime) -> None:
        """Ask the targets of those that are due."""
        for schedule in _enabled():
            if _next(schedule, moment - TICK) == moment:
                self._start(schedule, moment)

    def _start(self, schedule: Any, moment: datetime) -> None:
        _, _, _, region, account, _ = schedule.arn.split(":", 5)
        target, text = dict(schedule.target), str(schedule.target.get("Input") or "")
        for name, value in {
            "schedule-arn": schedule.arn,
            "scheduled-time": event.told(moment),
            "execution-id": str(uuid.uuid4()),
        }.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)

        def make(delivery: Delivery) -> Call:
            asked = text.replace("<aws.scheduler.attempt-number>", str(delivery.attempts + 1))
            return calls.of(target, asked, {"account": account, "region": region}, delivery.id)

        now = self._clock.now()
        self._deliveries.add(Delivery(schedule.arn, SERVICE, target, text, make, account, region, now))
        if schedule.action_after_completion == "DELETE" and _next(schedule, moment) is None:
            group = scheduler_backends[account][region].schedule_groups[schedule.group_name]
            group.schedules.pop(schedule.name, None)

    def _share(self) -> None:
        """Let moto's schedules do as these."""
        create, update = EventBridgeSchedulerBackend.create_schedule, EventBridgeSchedulerBackend.update_schedule
        answer_update = EventBridgeSchedulerResponse.update_schedule
        clock, start = self._clock, self._start

        def create_schedule(self: Any, **given: Any) -> Any:
            _check(self.account_id, given)
            schedule = create(self, **given)
            setattr(schedule, _SINCE, clock.now().timestamp())
            if given["schedule_expression"].startswith("rate") and not given["start_date"] and _is_on(schedule):
                start(schedule, clock.now())  # a rate without StartDate begins at once, as the user guide has it
            clock.wake()
            return schedule

        def update_schedule(self: Any, **given: Any) -> Any:
            _check(self.account_id, given)
            schedule = self.get_schedule(given["group_name"], given["name"])
            if schedule.schedule_expression != given["schedule_expression"]:
                setattr(schedule, _SINCE, clock.now().timestamp())
            updated = update(self, **given | {"state": given["state"] or "ENABLED"})
            clock.wake()
            return updated

        def answer_update_schedule(self: Any) -> Any:
            answered = answer_update(self)  # without what is to follow the last time, which moto leaves as it was
            name = self.uri.split("?")[0].split("/")[-1]
            schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
            schedule.action_after_completion = self._get_param("ActionAfterCompletion")
            return answered

        EventBridgeSchedulerResponse.update_schedule = answer_update_schedule
        EventBridgeSchedulerBackend.create_schedule = create_schedule
        EventBridgeSchedulerBackend.update_schedule = update_schedule


def _enabled() -> Iterator[Any]:
    for by_region in list(scheduler_backends.values()):
        for backend in list(by_region.values()):
            for group in list(backend.schedule_groups.values()):
                yield from filter(_is_on, list(group.schedules.values()))


def _is_on(schedule: Any) -> bool:
    return bool(schedule.state != "DISABLED")


def _next(schedule: Any, after: datetime) -> datetime | None:
    """When it is due for the first time after that, within its dates."""
    expression, zone = schedule.schedule_expression, schedule.schedule_expression_timezone
    begins = _moment(schedule.start_date)
    since = begins or _moment(vars(schedule).get(_SINCE, schedule.creation_date))
    assert since is not None
    found = occurrences.of(expression, zone, since)
    if isinstance(found, occurrences.Every) and begins is None:
        found = found._replace(first=since + found.period)  # it began when it was made
    if isinstance(found, occurrences.Once):  # StartDate and EndDate are ignored
        return found.next(after)
    moment = found.next(max(after, begins - TICK) if begins else after)
    ends = _moment(schedule.end_date)
    return None if moment is None or (ends is not None and moment > ends) else moment


def _moment(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _check(account: str, given: dict[str, Any]) -> None:
    """Raise moto's ValidationException for a schedule that could never be due, or could ask nothing."""
    zone, target = given["schedule_expression_timezone"] or "UTC", given["target"]
    try:
        occurrences.of(given["schedule_expression"], zone, datetime.now(UTC))
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {given['schedule_expression']}: {error}.") from None
    if calls.UNIVERSAL in target["Arn"]:
        try:
            service, operation = calls.universal(target["Arn"])
        except ValueError as error:
            raise ValidationException(f"Invalid target: {error}.") from None
        try:
            universal.check(service, operation, str(target.get("Input") or ""))
        except ValueError as error:
            raise ValidationException(str(error)) from None
    if not roles.assumable(account, target["RoleArn"], SERVICE):
        raise ValidationException(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        )
