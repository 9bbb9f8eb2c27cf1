"""EventBridge: moto does not schedule rules, does not check targets, and delivers events itself."""

import traceback
from typing import Any

from moto.events.models import EventsBackend, Rule, events_backends
from moto.s3 import notifications

from sagemaker_sandbox.services.eventbridge import s3_events
from sagemaker_sandbox.services.eventbridge.rules import Rules, check_expression, check_target_role


def apply(rules: Rules) -> None:
    """Send events to `rules`, and check rules and targets when they are written."""
    put_rule, put_targets = EventsBackend.put_rule, EventsBackend.put_targets

    def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
        del transform_input
        rules.match_event(self, original_event)

    def put_rule_with_start(self: Any, name: str, *arguments: Any, **options: Any) -> Any:
        expression = options.get("scheduled_expression")
        if expression:
            check_expression(expression)
        bus = self.event_buses.get(self._normalize_event_bus_arn(options.get("event_bus_arn")))
        previous = bus.rules.get(name) if bus is not None else None
        rule = put_rule(self, name, *arguments, **options)
        rules.record_start(rule, previous)
        return rule

    def put_checked_targets(self: Any, name: str, event_bus_arn: Any, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            check_target_role(self.account_id, target)
        put_targets(self, name, event_bus_arn, targets)

    def send_s3_event(account: str, bucket: Any, event_name: Any, key: Any) -> None:
        name = str(event_name.value)
        if name.endswith(":Put") and key.multipart is not None:
            return  # moto puts the object of a completed multipart upload, and sends that event itself
        try:
            event = s3_events.create_object_event(account, bucket, notifications._detail_type(event_name), name, key)
            for rule in list(events_backends[account][bucket.region_name].event_buses["default"].rules.values()):
                rules.match_event(rule, event)
        except Exception:  # the request for the object must not fail
            traceback.print_exc()

    Rule.send_to_targets = send_to_targets
    EventsBackend.put_rule = put_rule_with_start
    EventsBackend.put_targets = put_checked_targets
    notifications._send_event_bridge_message = send_s3_event
