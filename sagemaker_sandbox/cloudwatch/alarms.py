"""Alarms of all accounts and Regions: evaluated by the clock, they change, and act."""

import json
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from moto.cloudwatch.exceptions import InvalidFormat, ResourceNotFound, ValidationError
from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.clock import TICK
from sagemaker_sandbox.cloudwatch import checks, evaluation, messages, reading, rules, suppression
from sagemaker_sandbox.cloudwatch.actions import Act, Actions, AlarmChange, Message
from sagemaker_sandbox.cloudwatch.alarm import Alarm, State, Suppression, settled, told
from sagemaker_sandbox.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK, Verdict
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.events import EventPublisher
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.request_gate import RequestGate

_WAIT, _EXTENSION = "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"
#: Actions that are done again each minute while the state lasts: those of scaling policies.
_REPEATED = "arn:aws:autoscaling:"
_MINUTE = 60


class _Due(NamedTuple):
    """An action to be carried out."""

    alarm: Alarm
    arn: str
    change: AlarmChange
    message: Message | None


class Alarms:
    """On the agenda of the clock. They stand on moto's backends; whoever reads or changes them holds the lock."""

    def __init__(self, context: SandboxContext, gate: RequestGate, publisher: EventPublisher) -> None:
        self._clock = context.clock
        self._gate = gate
        self._publisher = publisher
        self._actions = Actions(context)
        self._due: deque[_Due] = deque()
        self._lock = threading.RLock()
        self._clock.add_task(self)

    def act(self, prefix: str, do: Act) -> None:
        """Who carries out the actions whose ARN begins so; those of scaling policies are repeated while in a state."""
        self._actions.act(prefix, do)

    def clear(self) -> None:
        """Nothing is done any more of what has fallen due."""
        self._due.clear()

    def next(self, after: datetime) -> datetime | None:
        """When an alarm is evaluated or acts again."""
        moments = [max(self._due[0].change.moment, after + TICK)] if self._due else []
        with self._lock:
            found = list(_all())
            often = {reading.every(alarm) for alarm in found if alarm.rule is None}
            suppressed = [alarm.state.suppression for alarm in found if alarm.state.suppression is not None]
        moments += [_full(after, min(often))] if often else []
        return min(moments + [max(end, after + TICK) for one in suppressed if (end := one.until)], default=None)

    def run_due(self, moment: datetime) -> None:
        """Evaluate those that are due, and act."""
        with self._lock:
            found = [(alarm, reading.verdict(alarm, moment)) for alarm in _all() if _is_due(alarm, moment)]
            ended = [alarm for alarm in _all() if suppression.over(alarm, moment)]
            changed = [one for one in found if one[1].state not in (None, one[0].state.value)]
        if changed or ended:
            with self._gate.enter_shared(), self._lock:
                for alarm, verdict in changed:
                    if _there(alarm):
                        self._change(alarm, _state(alarm, verdict, moment), _values(verdict))
                for alarm in ended:
                    if _there(alarm) and suppression.over(alarm, moment):
                        self._suppress(alarm, None, moment)
        self._repeat([one for one in found if one not in changed], moment)
        self._carry_out()

    def _carry_out(self) -> None:
        """Without the lock: what is done may come back here."""
        while self._due:
            due = self._due.popleft()
            failed = self._actions.carry_out(due.arn, due.change, due.message)
            if due.change.repeated:
                continue
            data = {"actionState": "Failed" if failed else "Succeeded", "notificationResource": due.arn}
            data |= {"error": failed} if failed else {}
            summary = f"Failed to execute action {due.arn}" if failed else f"Successfully executed action {due.arn}"
            with self._gate.enter_shared(), self._lock:
                due.alarm.tell("Action", summary, data, due.change.moment)

    def _repeat(self, evaluated: Sequence[tuple[Alarm, Verdict]], moment: datetime) -> None:
        """Once a minute, however often an alarm is evaluated."""
        if moment.timestamp() % _MINUTE:
            return
        for alarm, verdict in evaluated:
            state, since = alarm.state, alarm.state.transitioned
            arns = [arn for arn in alarm.actions(state.value) if arn.startswith(_REPEATED)]
            if not arns or not alarm.actions_enabled or since >= moment:
                continue
            change = self._told(alarm, state.value, state, _values(verdict))
            self._due.extend(_Due(alarm, arn, replace(change, moment=moment, repeated=True), None) for arn in arns)

    # What is asked of alarms, by clients and in the process.

    def put(self, account: str, region: str, asked: Fields) -> Alarm:
        """As PutMetricAlarm or, with AlarmRule, PutCompositeAlarm. Raises moto's exceptions."""
        backend = cloudwatch_backends[account][region]
        moment = self._clock.now()
        with self._lock:
            alarms: dict[str, Alarm] = backend.alarms
            if "AlarmRule" in asked:
                checks.composite_alarm(asked, alarms, _place(account, region))
            else:
                checks.metric_alarm(asked)
            alarm, settings = alarms.get(str(asked["AlarmName"])), settled(asked)
            before = None if alarm is None else alarm.asked
            if alarm is None:
                alarm = Alarm(account, region, settings, moment)
                backend.alarms = {**alarms, alarm.name: alarm}  # another, as this one may just be written down
                if asked.get("Tags"):
                    backend.tagger.tag_resource(alarm.alarm_arn, asked["Tags"])
            elif (alarm.rule is None) is ("AlarmRule" in asked):
                raise ValidationError(f"{alarm.name} is a {alarm.kind}: it cannot become another kind of alarm.")
            else:
                alarm.ask(settings, moment)
                if alarm.state.suppression is not None and not settings.get("ActionsSuppressor"):
                    self._suppress(alarm, None, moment)
            self._tell_configuration(alarm, "create" if before is None else "update", before, moment)
            if alarm.rule is not None:
                self._evaluate_rule(alarm, "created" if before is None else "updated", moment)
        self._clock.wake()
        return alarm

    def delete(self, account: str, region: str, names: Sequence[str]) -> None:
        """As DeleteAlarms, which passes over those that are not there. Raises moto's exceptions."""
        backend = cloudwatch_backends[account][region]
        with self._lock:
            alarms: dict[str, Alarm] = backend.alarms
            found = [alarms[name] for name in names if name in alarms]
            if sum(alarm.rule is not None for alarm in found) > 1:
                raise ValidationError("DeleteAlarms takes no more than one composite alarm at once.")
            kept = [parent for alarm in found for parent in self.parents(alarm) if parent not in found]
            if kept:
                named = ",".join(alarm.name for alarm in found if any(one in kept for one in self.parents(alarm)))
                them = "it" if "," not in named else "them"
                raise ValidationError(f"Cannot delete {named} as there are composite alarm(s) depending on {them}.")
            backend.alarms = {name: alarm for name, alarm in alarms.items() if alarm not in found}
            for alarm in found:
                backend.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
                self._tell_configuration(alarm, "delete", None, self._clock.now())

    def set_state(self, account: str, region: str, name: str, value: str, reason: str, data: str | None) -> None:
        """As SetAlarmState: until the alarm is evaluated again. Raises moto's exceptions."""
        checks.shape("SetAlarmState", {"AlarmName": name, "StateValue": value, "StateReason": reason})
        try:
            recent = tuple(float(one) for one in json.loads(data)["recentDatapoints"]) if data else ()
        except (LookupError, TypeError):
            recent = ()
        except ValueError:
            raise InvalidFormat("TerminalState reason data is not valid JSON") from None
        moment = self._clock.now()
        with self._lock:
            alarm = cloudwatch_backends[account][region].alarms.get(name)
            if alarm is None:
                raise ResourceNotFound("Unknown")
            since = moment if value != alarm.state.value else alarm.state.transitioned
            state = State(value, reason, data, moment, since)
            if value == alarm.state.value:
                alarm.state = state
            else:
                self._change(alarm, state, recent)
        self._clock.wake()

    def all(self, account: str, region: str) -> list[Alarm]:
        """Those of a place, by name."""
        with self._lock:
            return sorted(cloudwatch_backends[account][region].alarms.values(), key=lambda alarm: str(alarm.name))

    def parents(self, alarm: Alarm) -> list[Alarm]:
        """The composite alarms that name an alarm in their rules."""
        names = {alarm.name, alarm.alarm_arn}
        return [one for one in self.all(alarm.account, alarm.region) if names.intersection(one.children)]

    # Changes, under the lock.

    def _change(
        self, alarm: Alarm, state: State, values: tuple[float, ...] = (), seen: frozenset[str] = frozenset()
    ) -> None:
        old = alarm.state
        if suppressor := alarm.asked.get("ActionsSuppressor"):
            other, wait = self._state_of(alarm, suppressor) or INSUFFICIENT_DATA, alarm.asked[_WAIT]
            suppressed = suppression.after_change(other, wait, old.suppression, state.updated)
            state = replace(state, suppression=suppressed)
        alarm.state = state
        before, after = _in_history(old), _in_history(state)
        summary = f"Alarm updated from {old.value} to {state.value}"
        alarm.tell("StateUpdate", summary, {"oldState": before, "newState": after}, state.updated)
        if state.suppression is None:
            self._act(alarm, old, values)
        detail = messages.change_of_state(alarm, old, state)
        self._publish(alarm, "CloudWatch Alarm State Change", detail, state.updated)
        self._tell_others(alarm, seen | {alarm.name})

    def _act(self, alarm: Alarm, old: State, values: tuple[float, ...]) -> None:
        state = alarm.state
        alarm.acted = state.value
        if not alarm.actions_enabled:
            return
        change = self._told(alarm, old.value, state, values)
        for arn in alarm.actions(state.value):
            message = Message(messages.subject(alarm, state), messages.message(alarm, old, state))
            self._due.append(_Due(alarm, arn, change, message))

    @staticmethod
    def _told(alarm: Alarm, old: str, state: State, values: tuple[float, ...]) -> AlarmChange:
        found = AlarmChange(
            alarm.account, alarm.region, alarm.name, old, state.value, state.updated, state.reason, values=values
        )
        if alarm.rule is not None:
            return found
        return replace(found, threshold=alarm.settings.threshold)

    def _tell_others(self, alarm: Alarm, seen: frozenset[str]) -> None:
        """Those that name it are evaluated at once, unless in a circle; those that it may suppress heed its state."""
        moment, names = alarm.state.updated, (alarm.name, alarm.alarm_arn)
        for one in self.all(alarm.account, alarm.region):
            if one.asked.get("ActionsSuppressor") in names:
                present, extension = one.state.suppression, one.asked[_EXTENSION]
                found = suppression.after_suppressor(alarm.state.value, extension, present, moment)
                if found != present:
                    self._suppress(one, found, moment)
        for one in self.parents(alarm):
            if one.name not in seen:
                self._evaluate_rule(one, f"{alarm.alarm_arn} transitioned to {alarm.state.value}", moment, seen)

    def _evaluate_rule(self, alarm: Alarm, why: str, moment: datetime, seen: frozenset[str] = frozenset()) -> None:
        assert alarm.rule is not None
        value = ALARM if rules.parse(alarm.rule).holds(lambda name: self._state_of(alarm, name)) else OK
        if value == alarm.state.value:
            return
        if why in ("created", "updated"):
            reason = f"{alarm.alarm_arn} was {why} and its alarm rule evaluates to {value}"
        else:
            reason = f"{why} at {moment.astimezone(UTC):%A %d %B, %Y %H:%M:%S} UTC"
        children = [one for name in alarm.children if (one := self._named(alarm, name)) is not None]
        triggering = [one for one in children if (one.state.value != OK) is (value == ALARM)]
        data = {"triggeringAlarms": [{"arn": one.alarm_arn, "state": _small(one.state)} for one in triggering]}
        self._change(alarm, State(value, reason, json.dumps(data), moment, moment), seen=seen)

    def _named(self, beside: Alarm, name: str) -> Alarm | None:
        place = _place(beside.account, beside.region)
        found: Alarm | None = cloudwatch_backends[beside.account][beside.region].alarms.get(name.removeprefix(place))
        return found

    def _state_of(self, beside: Alarm, name: str) -> str | None:
        found = self._named(beside, name)
        return None if found is None else found.state.value

    def _suppress(self, alarm: Alarm, by: Suppression | None, moment: datetime) -> None:
        """Let this suppress a composite alarm. Of nothing any more, it acts if its state is not the one it last did."""
        old = alarm.state
        alarm.state = replace(old, suppression=by, updated=moment)
        if by is None and old.value != alarm.acted:
            self._act(alarm, replace(old, value=alarm.acted), ())
        detail = messages.change_of_state(alarm, old, alarm.state)
        self._publish(alarm, "CloudWatch Alarm State Change", detail, moment)

    def _tell_configuration(self, alarm: Alarm, operation: str, before: Fields | None, moment: datetime) -> None:
        done = {"create": "Create", "update": "Update", "delete": "Delete"}[operation]
        summary = f'Alarm "{alarm.name}" {operation.rstrip("e")}ed'
        data = {"type": done, f"{operation.rstrip('e')}edAlarm": json.loads(json.dumps(alarm.asked, default=str))}
        alarm.tell("ConfigurationUpdate", summary, data, moment)
        detail = messages.change_of_configuration(alarm, operation, before)
        self._publish(alarm, "CloudWatch Alarm Configuration Change", detail, moment)

    def _publish(self, alarm: Alarm, kind: str, detail: Fields, moment: datetime) -> None:
        place, source = (alarm.account, alarm.region), "aws.cloudwatch"
        self._publisher.publish(*place, kind, detail, alarm.alarm_arn, source=source, moment=moment)


def _all() -> Iterator[Alarm]:
    for by_region in list(cloudwatch_backends.values()):
        for backend in list(by_region.values()):
            yield from list(backend.alarms.values())


def _is_due(alarm: Alarm, moment: datetime) -> bool:
    return alarm.rule is None and not moment.microsecond and not int(moment.timestamp()) % reading.every(alarm)


def _there(alarm: Alarm) -> bool:
    return cloudwatch_backends[alarm.account][alarm.region].alarms.get(alarm.name) is alarm


def _full(after: datetime, seconds: int) -> datetime:
    """The next moment after that at which so many seconds begin."""
    begun = datetime.fromtimestamp(int(after.timestamp()) // seconds * seconds, UTC)
    return begun + timedelta(seconds=seconds)


def _state(alarm: Alarm, verdict: Verdict, moment: datetime) -> State:
    assert verdict.state is not None
    reason = evaluation.reason(verdict, alarm.settings, alarm.state.value)
    return State(verdict.state, reason[:1023], reading.reason_data(alarm, verdict, moment), moment, moment)


def _values(verdict: Verdict) -> tuple[float, ...]:
    return tuple(point.value for point in reversed(verdict.evaluated) if point.value is not None)


def _in_history(state: State) -> Fields:
    found: Fields = {"stateValue": state.value, "stateReason": state.reason}
    return found | ({"stateReasonData": json.loads(state.data)} if state.data else {})


def _small(state: State) -> Fields:
    return {"value": state.value, "timestamp": told(state.updated)}


def _place(account: str, region: str) -> str:
    return f"arn:aws:cloudwatch:{region}:{account}:alarm:"
