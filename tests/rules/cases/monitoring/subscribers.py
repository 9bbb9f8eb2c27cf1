"""Cases of rules/monitoring/subscribers.py."""

from typing import Any

from tests.rules.endpoints import UNKNOWN, Resources, add_alarm, build_real_time

ARN = "arn:aws:sns:eu-north-1:123456789012:ml-alarms"
TOPIC: Resources = {"aws_sns_topic.alarms": {"name": "ml-alarms", "arn": ARN}}


def _subscription(topic: str) -> Resources:
    values = {"topic_arn": topic, "protocol": "email", "endpoint": "ml-team@example.com"}
    return {"aws_sns_topic_subscription.team": values}


def _alarm(action: Any) -> Resources:
    return {**TOPIC, **add_alarm(build_real_time(), "Invocation5XXErrors", alarm_actions=action)}


COMPOSITE: Resources = {
    **build_real_time(),
    **TOPIC,
    "aws_cloudwatch_composite_alarm.health": {
        "alarm_name": "health",
        "alarm_rule": 'ALARM("errors")',
        "alarm_actions": [ARN],
    },
}
POLICY: Resources = {"aws_appautoscaling_policy.more": {"name": "more", "arn": UNKNOWN}}
CASES = {
    "SUS_ALARM_SUBSCRIBERS": {
        "pass": {
            "a subscriber of the topic": {**_alarm([ARN]), **_subscription(ARN)},
            "a reference to the topic": {
                **_alarm(["${aws_sns_topic.alarms.arn}"]),
                **_subscription("${aws_sns_topic.alarms.arn}"),
            },
        },
        "fail": {
            "no subscriber": _alarm([ARN]),
            "a composite alarm": COMPOSITE,
            "a subscriber of another topic": {**_alarm([ARN]), **_subscription(f"{ARN}-2")},
        },
        "unknown": {
            "an unknown topic of the subscription": {**_alarm([ARN]), **_subscription(UNKNOWN)},
            "unknown actions": _alarm([UNKNOWN]),
        },
        "not_applicable": {
            "no alarm": {**build_real_time(), **TOPIC},
            "an alarm on another resource": _alarm(["${aws_appautoscaling_policy.more.arn}"]) | POLICY,
            "a topic outside the plan": add_alarm(build_real_time(), "Invocation5XXErrors", alarm_actions=[ARN]),
            "no SageMaker": {**TOPIC, "aws_cloudwatch_metric_alarm.cpu": {"alarm_name": "cpu", "alarm_actions": [ARN]}},
        },
    }
}
