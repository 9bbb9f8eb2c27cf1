"""Cases of rules/monitoring/endpoint_alarms.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import (
    ALARM,
    ENDPOINT,
    UNKNOWN,
    Resources,
    add_alarm,
    build_asynchronous,
    build_real_time,
    build_serverless,
)

BELOW: dict[str, Any] = {
    "comparison_operator": "LessThanThreshold",
    "namespace": "/aws/sagemaker/Endpoints",
    "threshold": 20,
}
IDLE: dict[str, Any] = {"comparison_operator": "LessThanThreshold", "threshold": 1, "treat_missing_data": "breaching"}
WITHOUT_INSTANCES = {
    "a serverless one": build_serverless(),
    "an asynchronous one, which rests at zero": build_asynchronous(),
}
UNSURE = {"an alarm on something unknown": add_alarm(build_real_time(), "Invocation5XXErrors", dimensions=UNKNOWN)}
ELSEWHERE = {ENDPOINT: {"name": "delay", "endpoint_config_name": "made-elsewhere"}}


def spoken_for(rule: str) -> Resources:
    """Return an alarm on errors without an action, and a composite alarm of this rule with one."""
    return {
        **add_alarm(build_real_time(), "Invocation5XXErrors", alarm_name="errors", alarm_actions=[]),
        "aws_cloudwatch_composite_alarm.health": {
            "alarm_name": "health",
            "alarm_rule": rule,
            "alarm_actions": ["arn:aws:sns:eu-north-1:123456789012:on-call"],
        },
    }


def ratio(expression: str) -> Resources:
    """Return a real-time endpoint with an alarm on metric math."""
    parts: list[Any] = [
        {
            "id": name,
            "metric": {
                "namespace": space,
                "metric_name": metric,
                "dimensions": {"EndpointName": f"${{{ENDPOINT}.name}}"},
            },
        }
        for name, space, metric in (
            ("busy", "/aws/sagemaker/Endpoints", "CPUUtilization"),
            ("asked", "AWS/SageMaker", "Invocations"),
        )
    ]
    query = [{"id": "e", "expression": expression, "return_data": True}, *parts]
    return add_alarm(build_real_time(), "", dimensions=None, metric_query=query)


CASES: CaseTable = {
    "SUS_ENDPOINT_ERROR_ALARM": {
        "pass": {
            "real-time": add_alarm(build_real_time(), "Invocation5XXErrors"),
            "serverless": add_alarm(build_serverless(), "Invocation5XXErrors"),
            "asynchronous": add_alarm(build_asynchronous(), "InvocationFailures"),
            "told to a topic of the same plan": {
                **add_alarm(build_real_time(), "Invocation5XXErrors", alarm_actions="${aws_sns_topic.t.arn}"),
                "aws_sns_topic.t": {"name": "on-call"},
            },
            "told by a composite alarm": spoken_for('ALARM("errors") OR ALARM("latency")'),
        },
        "fail": {
            "no alarm": build_serverless(),
            "of which a composite alarm says that it is well": spoken_for("OK(errors)"),
            "on another metric": add_alarm(build_real_time(), "ModelLatency"),
            "that tells nobody": add_alarm(build_real_time(), "Invocation5XXErrors", alarm_actions=[]),
            "on a metric of one's own": add_alarm(build_real_time(), "Invocation5XXErrors", namespace="Acme"),
            "that is turned off": add_alarm(build_real_time(), "Invocation5XXErrors", actions_enabled=False),
        },
        "unknown": {**UNSURE, "a composite alarm of a rule that is not known": spoken_for(f"${{{ALARM}.arn}}")},
        "not_applicable": "every endpoint can fail",
    },
    "SUS_ENDPOINT_LATENCY_ALARM": {
        "pass": {
            "real-time": add_alarm(build_real_time(), "ModelLatency"),
            "asynchronous": add_alarm(build_asynchronous(), "ApproximateAgeOfOldestRequest"),
        },
        "fail": {
            "no alarm": build_real_time(),
            "a metric that asynchronous endpoints do not publish": add_alarm(build_asynchronous(), "OverheadLatency"),
        },
        "unknown": UNSURE,
        "not_applicable": "every endpoint can be slow",
    },
    "SUS_ENDPOINT_LOW_UTILIZATION_ALARM": {
        "pass": {
            "below a fifth": add_alarm(build_real_time(), "CPUUtilization", **BELOW),
            "below a fifth of each of four vCPUs": add_alarm(
                build_real_time(), "CPUUtilization", **{**BELOW, "threshold": 80}
            ),
        },
        "fail": {
            "no alarm": build_real_time(),
            "above": add_alarm(build_real_time(), "CPUUtilization"),
            "below what is much": add_alarm(
                build_real_time(), "CPUUtilizationNormalized", **{**BELOW, "threshold": 80}
            ),
            "below nothing": add_alarm(build_real_time(), "CPUUtilization", **{**BELOW, "threshold": 0}),
        },
        "unknown": {
            **UNSURE,
            "a configuration elsewhere": ELSEWHERE,
            "a side known after apply": add_alarm(
                build_real_time(), "CPUUtilization", **{**BELOW, "comparison_operator": UNKNOWN}
            ),
            "instances known after apply": add_alarm(
                build_real_time(variant={"instance_type": UNKNOWN}), "CPUUtilization", **{**BELOW, "threshold": 80}
            ),
        },
        "not_applicable": WITHOUT_INSTANCES,
    },
    "SUS_ENDPOINT_IDLE_ALARM": {
        "pass": {"below one, missing counts": add_alarm(build_real_time(), "Invocations", **IDLE)},
        "fail": {
            "no alarm": build_real_time(),
            "below what is asked": add_alarm(build_real_time(), "Invocations", **{**IDLE, "threshold": 1000}),
            "missing does not count": add_alarm(
                build_real_time(), "Invocations", **{**IDLE, "treat_missing_data": "missing"}
            ),
        },
        "unknown": {**UNSURE, "a configuration elsewhere": ELSEWHERE},
        "not_applicable": WITHOUT_INSTANCES,
    },
    "SUS_ENDPOINT_EFFICIENCY_ALARM": {
        "pass": {"a ratio": ratio("busy / asked")},
        "fail": {"no alarm": build_real_time(), "a sum": ratio("busy + asked")},
        "unknown": {**UNSURE, "a configuration elsewhere": ELSEWHERE},
        "not_applicable": WITHOUT_INSTANCES,
    },
}
