"""EventBridge rules. Matching events, and schedules that fall due, reach the targets.

moto keeps the rules, matches events, and delivers to log groups and archives. It ignores that a rule can be disabled or
have only a schedule. It knows neither topics nor pipelines, nor permissions, retries and dead letters.
`moto_patches.events_rules` leads moto to this module.
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
from moto.events.models import Rule, events_backends

from sagemaker_sandbox.base.clock import TICK, Clock
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.permissions import ServiceCall
from sagemaker_sandbox.services.eventbridge import event, inputs, occurrences, target_calls
from sagemaker_sandbox.services.eventbridge.deliveries import Deliveries, Delivery
from sagemaker_sandbox.services.eventbridge.event import Event

SERVICE = "events.amazonaws.com"
#: Parts of the ARNs of targets that require a role.
_WITH_ROLE = (":sagemaker:", ":automation-definition/", ":api-destination/")
#: Attribute of a rule: the start of its rate, in seconds since the epoch.
_RATE_START = "_sandbox_since"

#: Function that stores metric data: account, Region, namespace, data, and time.
PutMetricData = Callable[[str, str, str, list[dict[str, Any]], datetime], None]


class FailedInvocations:
    """CloudWatch's count of events that no target accepted (EventBridge user guide, "EventBridge metrics")."""

    def __init__(self, put_data: PutMetricData, clock: Clock) -> None:
        self._put_data = put_data
        self._clock = clock

    def __call__(self, delivery: Delivery) -> None:
        """Count a failed delivery of a rule."""
        bus, _, name = delivery.sender.partition(":rule/")[2].rpartition("/")
        if name:
            account, region = delivery.account, delivery.region
            _count(self._put_data, (account, region), bus, name, "FailedInvocations", self._clock.now())


def _count(
    put_data: PutMetricData, location: tuple[str, str], bus: str, rule: str, metric: str, moment: datetime
) -> None:
    bus_dimension = [{"Name": "EventBusName", "Value": bus}] if bus and bus != "default" else []
    dimensions = [*bus_dimension, {"Name": "RuleName", "Value": rule}]
    datum = {"MetricName": metric, "Dimensions": dimensions, "Unit": "Count", "Value": 1.0}
    put_data(*location, "AWS/Events", [datum], moment)


class Rules:
    """The rules of all accounts and Regions. Those with a schedule are tasks of the clock."""

    def __init__(self, deliveries: Deliveries, clock: Clock, put_data: PutMetricData) -> None:
        self._deliveries = deliveries
        self._put_data = put_data
        self._clock = clock
        self._send_by_moto = Rule.send_to_targets
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the moment at which the first rule with a schedule is due."""
        moments = (self._get_occurrences(rule).next(after) for rule in _list_scheduled())
        return min((moment for moment in moments if moment is not None), default=None)

    def run_due(self, moment: datetime) -> None:
        """Send the event of a schedule to the targets of the rules that are due."""
        for rule in _list_scheduled():
            if self._get_occurrences(rule).next(moment - TICK) == moment:
                self._send(
                    rule,
                    event.create_event(
                        "aws.events", "Scheduled Event", rule.account_id, rule.region_name, [rule.arn], {}, moment
                    ),
                )

    @staticmethod
    def _get_occurrences(rule: Any) -> occurrences.Occurrences:
        start = datetime.fromtimestamp(vars(rule).setdefault(_RATE_START, datetime.now(UTC).timestamp()), UTC)
        schedule = occurrences.parse_schedule(rule.scheduled_expression, "UTC", start)
        # The first occurrence of a rate is one period after the creation of the rule.
        if isinstance(schedule, occurrences.Rate):
            return schedule._replace(first=start + schedule.period)
        return schedule

    def record_start(self, rule: Any, previous: Any) -> None:
        """Store the start of a rule's rate: that of the previous version if the schedule is the same."""
        is_same = previous is not None and previous.scheduled_expression == rule.scheduled_expression
        start = vars(previous if is_same else rule).get(_RATE_START, self._clock.now().timestamp())
        setattr(rule, _RATE_START, start)
        self._clock.wake()

    def match_event(self, rule: Any, moto_event: Any) -> None:
        """Send an event to a rule's targets if the rule is enabled and matches it. Returns immediately."""
        if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
            return
        converted = event.convert_moto_event(moto_event)
        if rule.event_pattern.matches_event(converted):
            self._send(rule, converted)

    def _send(self, rule: Any, matched_event: Event) -> None:
        self._count_triggered(rule)
        moto_targets = []
        for target in rule.targets:
            if target_calls.is_supported(target["Arn"]):
                self._deliveries.add(self._create_delivery(rule, dict(target), matched_event))
            else:
                moto_targets.append(target)
        if moto_targets:
            self._leave_to_moto(rule, moto_targets, matched_event)

    def _count_triggered(self, rule: Any) -> None:
        """Count one more event of a rule (EventBridge user guide, "EventBridge metrics")."""
        location = rule.account_id, rule.region_name
        _count(self._put_data, location, rule.event_bus_name, rule.name, "TriggeredRules", self._clock.now())

    def _leave_to_moto(self, rule: Any, targets: list[dict[str, Any]], matched_event: Event) -> None:
        partial_rule, now = copy.copy(rule), time.time()
        partial_rule.targets = targets
        try:
            self._send_by_moto(partial_rule, {**matched_event, "time": now, "ingestion-time": now})
        except NotImplementedError:
            arns = ", ".join(target["Arn"] for target in targets)
            print(f"sandbox: {rule.arn}: the sandbox does not deliver events to {arns}", file=sys.stderr)
        except Exception:  # the request that caused the event must not fail
            traceback.print_exc()

    def _create_delivery(self, rule: Any, target: dict[str, Any], matched_event: Event) -> Delivery:
        def build_call(delivery: Delivery) -> ServiceCall:
            text = inputs.render_input(target, matched_event, rule.arn)
            return target_calls.build_call(target, text, matched_event, delivery.id)

        text, now = json.dumps(matched_event), self._clock.now()
        return Delivery(rule.arn, SERVICE, target, text, build_call, rule.account_id, rule.region_name, now)


def _list_scheduled() -> Iterator[Any]:
    for by_region in list(events_backends.values()):
        for backend in list(by_region.values()):
            for bus in list(backend.event_buses.values()):
                yield from (
                    rule for rule in list(bus.rules.values()) if rule.scheduled_expression and rule.state != "DISABLED"
                )


def check_expression(expression: str) -> None:
    """Raise moto's ValidationException for an invalid schedule."""
    try:
        occurrences.parse_schedule(expression, "UTC", datetime.now(UTC))
    except ValueError:
        raise ValidationException("Parameter ScheduleExpression is not valid.") from None


def check_target_role(account: str, target: dict[str, Any]) -> None:
    """Raise moto's ValidationException if a target lacks its role, or EventBridge cannot assume it.

    Pipelines, automations and API destinations start with the role of the target.
    """
    role, arn = target.get("RoleArn"), target["Arn"]
    if not role and any(part in arn for part in _WITH_ROLE):
        raise ValidationException(f"RoleArn is required for target {arn}.")
    if role and not roles.can_assume(account, role, SERVICE):
        raise ValidationException(f"Provided role '{role}' cannot be assumed by principal '{SERVICE}'.")
