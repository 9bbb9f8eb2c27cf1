"""Rules of moto's EventBridge: the events that they match, and their times, reach their targets.

moto itself matches, and delivers to log groups, buses and archives; it forgets that a rule may be disabled or have a
schedule alone, and knows neither topics nor pipelines, nor permissions, retries and dead letters.
"""

import copy
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule, events_backends
from moto.s3 import notifications

from sagemaker_sandbox import roles
from sagemaker_sandbox.clock import TICK, Clock
from sagemaker_sandbox.eventbridge import calls, event, inputs, occurrences, s3_events
from sagemaker_sandbox.eventbridge.deliveries import Deliveries, Delivery
from sagemaker_sandbox.eventbridge.event import Event
from sagemaker_sandbox.permissions import Call

SERVICE = "events.amazonaws.com"
#: Where a rule notes since when its rate counts, in seconds since the epoch.
_SINCE = "_sandbox_since"

#: Tells CloudWatch of data: the account and the Region, the namespace, the data, and when.
Tell = Callable[[str, str, str, list[dict[str, Any]], datetime], None]


class FailedInvocations:
    """CloudWatch's count of what a rule sends and no target takes (EventBridge user guide, "EventBridge metrics")."""

    def __init__(self, tell: Tell, clock: Clock) -> None:
        self._tell = tell
        self._clock = clock

    def __call__(self, delivery: Delivery) -> None:
        """Count one more where a rule has sent it."""
        bus, _, name = delivery.sender.partition(":rule/")[2].rpartition("/")
        if name:
            _count(self._tell, (delivery.account, delivery.region), bus, name, "FailedInvocations", self._clock.now())


def _count(tell: Tell, place: tuple[str, str], bus: str, rule: str, metric: str, moment: datetime) -> None:
    of_bus = [{"Name": "EventBusName", "Value": bus}] if bus and bus != "default" else []
    dimensions = [*of_bus, {"Name": "RuleName", "Value": rule}]
    datum = {"MetricName": metric, "Dimensions": dimensions, "Unit": "Count", "Value": 1.0}
    tell(*place, "AWS/Events", [datum], moment)


class Rules:
    """Those of all accounts and Regions; the ones with a schedule are on the agenda of the clock."""

    def __init__(self, deliveries: Deliveries, clock: Clock, tell: Tell) -> None:
        self._deliveries = deliveries
        self._tell = tell
        self._clock = clock
        self._send_as_moto = Rule.send_to_targets
        clock.keep(self)
        self._share()

    def next(self, after: datetime) -> datetime | None:
        """When the first rule with a schedule is due."""
        moments = (self._occurrences(rule).next(after) for rule in _scheduled())
        return min((moment for moment in moments if moment is not None), default=None)

    def do(self, moment: datetime) -> None:
        """Send the event of a schedule to the targets of the rules that are due."""
        for rule in _scheduled():
            if self._occurrences(rule).next(moment - TICK) == moment:
                place = rule.account_id, rule.region_name
                self._send(rule, event.make("aws.events", "Scheduled Event", *place, [rule.arn], {}, moment))

    @staticmethod
    def _occurrences(rule: Any) -> occurrences.Occurrences:
        since = datetime.fromtimestamp(vars(rule).setdefault(_SINCE, datetime.now(UTC).timestamp()), UTC)
        found = occurrences.of(rule.scheduled_expression, "UTC", since)
        # The first time of a rate is one period after the rule was made.
        return found._replace(first=since + found.period) if isinstance(found, occurrences.Every) else found

    def _share(self) -> None:
        """Let moto's rules do as these."""
        clock, put_rule, put_targets = self._clock, EventsBackend.put_rule, EventsBackend.put_targets
        matched = self._matched

        def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
            del transform_input
            matched(self, original_event)

        def put_rule_with_time(self: Any, name: str, *arguments: Any, **more: Any) -> Any:
            expression = more.get("scheduled_expression")
            if expression:
                _check_expression(expression)
            bus = self.event_buses.get(self._normalize_event_bus_arn(more.get("event_bus_arn")))
            before = bus.rules.get(name) if bus is not None else None
            rule = put_rule(self, name, *arguments, **more)
            same = before is not None and before.scheduled_expression == expression
            setattr(rule, _SINCE, vars(before if same else rule).get(_SINCE, clock.now().timestamp()))
            clock.wake()
            return rule

        def put_targets_with_roles(self: Any, name: str, event_bus_arn: Any, targets: list[dict[str, Any]]) -> None:
            for target in targets:
                _check_role(self.account_id, target)
            put_targets(self, name, event_bus_arn, targets)

        def tell_event_bridge(account: str, bucket: Any, event_name: Any, key: Any) -> None:
            name = str(event_name.value)
            if name.endswith(":Put") and key.multipart is not None:
                return  # moto puts what an upload of parts is completed to, and tells that itself
            try:
                told = s3_events.of_object(account, bucket, notifications._detail_type(event_name), name, key)
                for rule in list(events_backends[account][bucket.region_name].event_buses["default"].rules.values()):
                    matched(rule, told)
            except Exception:  # the object is there, whether anybody hears of it or not
                traceback.print_exc()

        Rule.send_to_targets = send_to_targets
        EventsBackend.put_rule = put_rule_with_time
        EventsBackend.put_targets = put_targets_with_roles
        notifications._send_event_bridge_message = tell_event_bridge

    def _matched(self, rule: Any, of_moto: Any) -> None:
        if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
            return
        told = event.of_moto(of_moto)
        if rule.event_pattern.matches_event(told):
            self._send(rule, told)

    def _send(self, rule: Any, told: Event) -> None:
        """Returns at once: moto asks, and must not wait."""
        self._count(rule)
        others = []
        for target in rule.targets:
            if calls.known(target["Arn"]):
                self._deliveries.add(self._delivery(rule, dict(target), told))
            else:
                others.append(target)
        if others:
            self._leave_to_moto(rule, others, told)

    def _count(self, rule: Any) -> None:
        """One more event of a rule, which CloudWatch is told (EventBridge user guide, "EventBridge metrics")."""
        place = rule.account_id, rule.region_name
        _count(self._tell, place, rule.event_bus_name, rule.name, "TriggeredRules", self._clock.now())

    def _leave_to_moto(self, rule: Any, targets: list[dict[str, Any]], told: Event) -> None:
        as_moto, now = copy.copy(rule), time.time()
        as_moto.targets = targets
        try:
            self._send_as_moto(as_moto, {**told, "time": now, "ingestion-time": now})
        except NotImplementedError:
            arns = ", ".join(target["Arn"] for target in targets)
            print(f"sandbox: {rule.arn}: events are not delivered here to {arns}", file=sys.stderr)
        except Exception:  # the event itself has come
            traceback.print_exc()

    def _delivery(self, rule: Any, target: dict[str, Any], told: Event) -> Delivery:
        def make(delivery: Delivery) -> Call:
            return calls.of(target, inputs.received(target, told, rule.arn), told, delivery.id)

        text, now = json.dumps(told), self._clock.now()
        return Delivery(rule.arn, SERVICE, target, text, make, rule.account_id, rule.region_name, now)


def _scheduled() -> Iterator[Any]:
    for by_region in list(events_backends.values()):
        for backend in list(by_region.values()):
            for bus in list(backend.event_buses.values()):
                yield from (
                    rule for rule in list(bus.rules.values()) if rule.scheduled_expression and rule.state != "DISABLED"
                )


def _check_expression(expression: str) -> None:
    try:
        occurrences.of(expression, "UTC", datetime.now(UTC))
    except ValueError:
        raise ValidationException("Parameter ScheduleExpression is not valid.") from None


def _check_role(account: str, target: dict[str, Any]) -> None:
    """Pipelines and automations are started with the target's role; whichever it has, EventBridge has to assume."""
    role, arn = target.get("RoleArn"), target["Arn"]
    if not role and (":sagemaker:" in arn or ":automation-definition/" in arn):
        raise ValidationException(f"RoleArn is required for target {arn}.")
    if role and not roles.assumable(account, role, SERVICE):
        raise ValidationException(f"Provided role '{role}' cannot be assumed by principal '{SERVICE}'.")
