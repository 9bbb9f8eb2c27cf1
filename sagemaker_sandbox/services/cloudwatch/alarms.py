"""Alarms of all accounts and Regions. The clock evaluates them; they change their state and act."""

import json
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from moto.cloudwatch.exceptions import InvalidFormat, ResourceNotFound, ValidationError
from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.events import EventPublisher
from sagemaker_sandbox.base.request_gate import RequestGate
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import alarm_data, checks, evaluation, messages, rules, suppression
from sagemaker_sandbox.services.cloudwatch.actions import ActionHandler, AlarmActions, AlarmChange, AlarmMessage
from sagemaker_sandbox.services.cloudwatch.alarm import Alarm, AlarmState, Suppression, apply_defaults, format_time
from sagemaker_sandbox.services.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK, EvaluationResult

_WAIT, _EXTENSION = "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"
#: Prefix of the actions that repeat each minute while the state lasts: those of scaling policies.
_REPEATED_PREFIX = "arn:aws:autoscaling:"
_MINUTE = 60


class _PendingAction(NamedTuple):
    """An action to carry out."""

    alarm: Alarm
    arn: str
    change: AlarmChange
    message: AlarmMessage | None


class Alarms:
    """All alarms, as one task of the clock. moto's backends store them. The lock protects each read and change."""

    def __init__(self, context: SandboxContext, gate: RequestGate, publisher: EventPublisher) -> None:
        self._clock = context.clock
        self._gate = gate
        self._publisher = publisher
        self._actions = AlarmActions(context)
        self._pending: deque[_PendingAction] = deque()
        self._lock = threading.RLock()
        self._clock.add_task(self)

    def register_action(self, prefix: str, handler: ActionHandler) -> None:
        """Register the handler of actions with this prefix. Actions of scaling policies repeat while a state lasts."""
        self._actions.register(prefix, handler)

    def clear(self) -> None:
        """Discard the pending actions."""
        self._pending.clear()

    def next(self, after: datetime) -> datetime | None:
        """Return the moment at which an alarm is evaluated or acts next."""
        moments = [max(self._pending[0].change.moment, after + TICK)] if self._pending else []
        with self._lock:
            alarms = list(_list_all())
            intervals = {alarm_data.find_interval(alarm) for alarm in alarms if alarm.rule is None}
            suppressions = [alarm.state.suppression for alarm in alarms if alarm.state.suppression is not None]
        moments += [_next_multiple(after, min(intervals))] if intervals else []
        moments += [max(end, after + TICK) for item in suppressions if (end := item.until)]
        return min(moments, default=None)

    def run_due(self, moment: datetime) -> None:
        """Evaluate the alarms that are due, and act."""
        with self._lock:
            results = [
                (alarm, alarm_data.evaluate_alarm(alarm, moment)) for alarm in _list_all() if _is_due(alarm, moment)
            ]
            expired = [alarm for alarm in _list_all() if suppression.has_expired(alarm, moment)]
            changes = [pair for pair in results if pair[1].state not in (None, pair[0].state.value)]
        if changes or expired:
            with self._gate.enter_shared(), self._lock:
                for alarm, result in changes:
                    if _exists(alarm):
                        self._change(alarm, _build_new_state(alarm, result, moment), _list_values(result))
                for alarm in expired:
                    if _exists(alarm) and suppression.has_expired(alarm, moment):
                        self._suppress(alarm, None, moment)
        self._repeat([pair for pair in results if pair not in changes], moment)
        self._run_actions()

    def _run_actions(self) -> None:
        """Run the pending actions, without the lock: an action may call this object."""
        while self._pending:
            action = self._pending.popleft()
            error = self._actions.run(action.arn, action.change, action.message)
            if action.change.is_repeated:
                continue
            data = {"actionState": "Failed" if error else "Succeeded", "notificationResource": action.arn}
            data |= {"error": error} if error else {}
            summary = f"{'Failed to execute' if error else 'Successfully executed'} action {action.arn}"
            with self._gate.enter_shared(), self._lock:
                action.alarm.add_history("Action", summary, data, action.change.moment)

    def _repeat(self, evaluated: Sequence[tuple[Alarm, EvaluationResult]], moment: datetime) -> None:
        """Repeat actions once a minute, at any interval of evaluation."""
        if moment.timestamp() % _MINUTE:
            return
        for alarm, result in evaluated:
            state, since = alarm.state, alarm.state.transitioned
            arns = [arn for arn in alarm.list_actions(state.value) if arn.startswith(_REPEATED_PREFIX)]
            if not arns or not alarm.actions_enabled or since >= moment:
                continue
            change = self._create_change(alarm, state.value, state, _list_values(result))
            self._pending.extend(
                _PendingAction(alarm, arn, replace(change, moment=moment, is_repeated=True), None) for arn in arns
            )

    # Operations, called by clients and by the sandbox itself.

    def put(self, account: str, region: str, parameters: Fields) -> Alarm:
        """Create or change an alarm: a composite alarm if there is an AlarmRule. Raises moto's exceptions."""
        backend = cloudwatch_backends[account][region]
        moment = self._clock.now()
        with self._lock:
            alarms: dict[str, Alarm] = backend.alarms
            if "AlarmRule" in parameters:
                checks.check_composite_alarm(parameters, alarms, _build_arn_prefix(account, region))
            else:
                checks.check_metric_alarm(parameters)
            alarm, settings = alarms.get(str(parameters["AlarmName"])), apply_defaults(parameters)
            before = None if alarm is None else alarm.parameters
            if alarm is None:
                alarm = Alarm(account, region, settings, moment)
                backend.alarms = {**alarms, alarm.name: alarm}  # a new dict: the old one may be saved at this moment
                if parameters.get("Tags"):
                    backend.tagger.tag_resource(alarm.alarm_arn, parameters["Tags"])
            elif (alarm.rule is None) is ("AlarmRule" in parameters):
                raise ValidationError(f"{alarm.name} is a {alarm.kind}: it cannot become another kind of alarm.")
            else:
                alarm.configure(settings, moment)
                if alarm.state.suppression is not None and not settings.get("ActionsSuppressor"):
                    self._suppress(alarm, None, moment)
            self._publish_configuration(alarm, "create" if before is None else "update", before, moment)
            if alarm.rule is not None:
                self._evaluate_rule(alarm, "created" if before is None else "updated", moment)
        self._clock.wake()
        return alarm

    def delete(self, account: str, region: str, names: Sequence[str]) -> None:
        """Delete alarms; names that do not exist are ignored. Raises moto's exceptions."""
        backend = cloudwatch_backends[account][region]
        with self._lock:
            alarms: dict[str, Alarm] = backend.alarms
            selected = [alarms[name] for name in names if name in alarms]
            if sum(alarm.rule is not None for alarm in selected) > 1:
                raise ValidationError("DeleteAlarms takes no more than one composite alarm at once.")
            parents = [parent for alarm in selected for parent in self.list_parents(alarm) if parent not in selected]
            if parents:
                children = ",".join(
                    alarm.name for alarm in selected if any(parent in parents for parent in self.list_parents(alarm))
                )
                them = "it" if "," not in children else "them"
                raise ValidationError(f"Cannot delete {children} as there are composite alarm(s) depending on {them}.")
            backend.alarms = {name: alarm for name, alarm in alarms.items() if alarm not in selected}
            for alarm in selected:
                backend.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
                self._publish_configuration(alarm, "delete", None, self._clock.now())

    def set_state(self, account: str, region: str, name: str, value: str, reason: str, data: str | None) -> None:
        """Set the state of an alarm until its next evaluation. Raises moto's exceptions."""
        checks.check_shape("SetAlarmState", {"AlarmName": name, "StateValue": value, "StateReason": reason})
        try:
            recent = tuple(float(value) for value in json.loads(data)["recentDatapoints"]) if data else ()
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
            state = AlarmState(value, reason, data, moment, since)
            if value == alarm.state.value:
                alarm.state = state
            else:
                self._change(alarm, state, recent)
        self._clock.wake()

    def list_alarms(self, account: str, region: str) -> list[Alarm]:
        """Return the alarms of an account and Region, sorted by name."""
        with self._lock:
            return sorted(cloudwatch_backends[account][region].alarms.values(), key=lambda alarm: str(alarm.name))

    def list_parents(self, alarm: Alarm) -> list[Alarm]:
        """Return the composite alarms that name an alarm in their rules."""
        names = {alarm.name, alarm.alarm_arn}
        return [
            parent for parent in self.list_alarms(alarm.account, alarm.region) if names.intersection(parent.children)
        ]

    # Changes. The caller holds the lock.

    def _change(
        self, alarm: Alarm, state: AlarmState, values: tuple[float, ...] = (), visited: frozenset[str] = frozenset()
    ) -> None:
        old = alarm.state
        if suppressor := alarm.parameters.get("ActionsSuppressor"):
            suppressor_state, wait = self._find_state(alarm, suppressor) or INSUFFICIENT_DATA, alarm.parameters[_WAIT]
            current = suppression.suppress_after_change(suppressor_state, wait, old.suppression, state.updated)
            state = replace(state, suppression=current)
        alarm.state = state
        before, after = _build_history_data(old), _build_history_data(state)
        summary = f"Alarm updated from {old.value} to {state.value}"
        alarm.add_history("StateUpdate", summary, {"oldState": before, "newState": after}, state.updated)
        if state.suppression is None:
            self._act(alarm, old, values)
        detail = messages.build_state_change(alarm, old, state)
        self._publish(alarm, "CloudWatch Alarm State Change", detail, state.updated)
        self._update_dependents(alarm, visited | {alarm.name})

    def _act(self, alarm: Alarm, old: AlarmState, values: tuple[float, ...]) -> None:
        state = alarm.state
        alarm.last_action_state = state.value
        if not alarm.actions_enabled:
            return
        change = self._create_change(alarm, old.value, state, values)
        for arn in alarm.list_actions(state.value):
            message = AlarmMessage(messages.build_subject(alarm, state), messages.build_message(alarm, old, state))
            self._pending.append(_PendingAction(alarm, arn, change, message))

    @staticmethod
    def _create_change(alarm: Alarm, old: str, state: AlarmState, values: tuple[float, ...]) -> AlarmChange:
        change = AlarmChange(
            alarm.account, alarm.region, alarm.name, old, state.value, state.updated, state.reason, values=values
        )
        if alarm.rule is not None:
            return change
        return replace(change, threshold=alarm.settings.threshold)

    def _update_dependents(self, alarm: Alarm, visited: frozenset[str]) -> None:
        """Evaluate the alarms that name this one, unless in a cycle, and update those that this one can suppress."""
        moment, names = alarm.state.updated, (alarm.name, alarm.alarm_arn)
        for other in self.list_alarms(alarm.account, alarm.region):
            if other.parameters.get("ActionsSuppressor") in names:
                present, extension = other.state.suppression, other.parameters[_EXTENSION]
                current = suppression.suppress_after_suppressor(alarm.state.value, extension, present, moment)
                if current != present:
                    self._suppress(other, current, moment)
        for parent in self.list_parents(alarm):
            if parent.name not in visited:
                self._evaluate_rule(parent, f"{alarm.alarm_arn} transitioned to {alarm.state.value}", moment, visited)

    def _evaluate_rule(self, alarm: Alarm, cause: str, moment: datetime, visited: frozenset[str] = frozenset()) -> None:
        assert alarm.rule is not None
        value = ALARM if rules.parse_rule(alarm.rule).holds(lambda name: self._find_state(alarm, name)) else OK
        if value == alarm.state.value:
            return
        if cause in ("created", "updated"):
            reason = f"{alarm.alarm_arn} was {cause} and its alarm rule evaluates to {value}"
        else:
            reason = f"{cause} at {moment.astimezone(UTC):%A %d %B, %Y %H:%M:%S} UTC"
        children = [child for name in alarm.children if (child := self._find(alarm, name)) is not None]
        triggering = [child for child in children if (child.state.value != OK) is (value == ALARM)]
        data = {
            "triggeringAlarms": [{"arn": child.alarm_arn, "state": _summarize(child.state)} for child in triggering]
        }
        self._change(alarm, AlarmState(value, reason, json.dumps(data), moment, moment), visited=visited)

    def _find(self, alarm: Alarm, name: str) -> Alarm | None:
        """Return the alarm of this name or ARN in the account and Region of `alarm`."""
        prefix = _build_arn_prefix(alarm.account, alarm.region)
        other: Alarm | None = cloudwatch_backends[alarm.account][alarm.region].alarms.get(name.removeprefix(prefix))
        return other

    def _find_state(self, alarm: Alarm, name: str) -> str | None:
        other = self._find(alarm, name)
        return None if other is None else other.state.value

    def _suppress(self, alarm: Alarm, by: Suppression | None, moment: datetime) -> None:
        """Set the suppression of a composite alarm. Without one, it acts unless it acted for its state last."""
        old = alarm.state
        alarm.state = replace(old, suppression=by, updated=moment)
        if by is None and old.value != alarm.last_action_state:
            self._act(alarm, replace(old, value=alarm.last_action_state), ())
        detail = messages.build_state_change(alarm, old, alarm.state)
        self._publish(alarm, "CloudWatch Alarm State Change", detail, moment)

    def _publish_configuration(self, alarm: Alarm, operation: str, before: Fields | None, moment: datetime) -> None:
        summary = f'Alarm "{alarm.name}" {operation.rstrip("e")}ed'
        data = {
            "type": operation.capitalize(),
            f"{operation.rstrip('e')}edAlarm": json.loads(json.dumps(alarm.parameters, default=str)),
        }
        alarm.add_history("ConfigurationUpdate", summary, data, moment)
        detail = messages.build_configuration_change(alarm, operation, before)
        self._publish(alarm, "CloudWatch Alarm Configuration Change", detail, moment)

    def _publish(self, alarm: Alarm, kind: str, detail: Fields, moment: datetime) -> None:
        source = "aws.cloudwatch"
        self._publisher.publish(
            alarm.account, alarm.region, kind, detail, alarm.alarm_arn, source=source, moment=moment
        )


def _list_all() -> Iterator[Alarm]:
    for by_region in list(cloudwatch_backends.values()):
        for backend in list(by_region.values()):
            yield from list(backend.alarms.values())


def _is_due(alarm: Alarm, moment: datetime) -> bool:
    return (
        alarm.rule is None and not moment.microsecond and not int(moment.timestamp()) % alarm_data.find_interval(alarm)
    )


def _exists(alarm: Alarm) -> bool:
    return cloudwatch_backends[alarm.account][alarm.region].alarms.get(alarm.name) is alarm


def _next_multiple(after: datetime, seconds: int) -> datetime:
    """Return the first multiple of so many seconds after `after`."""
    last = datetime.fromtimestamp(int(after.timestamp()) // seconds * seconds, UTC)
    return last + timedelta(seconds=seconds)


def _build_new_state(alarm: Alarm, result: EvaluationResult, moment: datetime) -> AlarmState:
    assert result.state is not None
    reason = evaluation.describe_reason(result, alarm.settings, alarm.state.value)
    data = alarm_data.build_reason_data(alarm, result, moment)
    return AlarmState(result.state, reason[:1023], data, moment, moment)


def _list_values(result: EvaluationResult) -> tuple[float, ...]:
    return tuple(point.value for point in reversed(result.evaluated) if point.value is not None)


def _build_history_data(state: AlarmState) -> Fields:
    data: Fields = {"stateValue": state.value, "stateReason": state.reason}
    return data | ({"stateReasonData": json.loads(state.data)} if state.data else {})


def _summarize(state: AlarmState) -> Fields:
    return {"value": state.value, "timestamp": format_time(state.updated)}


def _build_arn_prefix(account: str, region: str) -> str:
    return f"arn:aws:cloudwatch:{region}:{account}:alarm:"
