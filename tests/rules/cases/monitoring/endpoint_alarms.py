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
    "a serverless endpoint": build_serverless(),
    "an asynchronous endpoint, which scales to zero": build_asynchronous(),
}
UNSURE = {"an alarm with unknown dimensions": add_alarm(build_real_time(), "Invocation5XXErrors", dimensions=UNKNOWN)}
ELSEWHERE = {ENDPOINT: {"name": "delay", "endpoint_config_name": "made-elsewhere"}}


def add_composite_alarm(rule: str) -> Resources:
    """Return an alarm on errors without an action, and a composite alarm of this rule with one."""
    return {
        **add_alarm(build_real_time(), "Invocation5XXErrors", alarm_name="errors", alarm_actions=[]),
        "aws_cloudwatch_composite_alarm.health": {
            "alarm_name": "health",
            "alarm_rule": rule,
            "alarm_actions": ["arn:aws:sns:eu-north-1:123456789012:on-call"],
        },
    }


def build_math_alarm(expression: str, **options: Any) -> Resources:
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
            ("requests", "AWS/SageMaker", "Invocations"),
        )
    ]
    query = [{"id": "e", "expression": expression, "return_data": True}, *parts]
    return add_alarm(build_real_time(), "", dimensions=None, metric_query=query, **options)


CASES: CaseTable = {
    "SUS_ENDPOINT_ERROR_ALARM": {
        "pass": {
            "real-time": add_alarm(build_real_time(), "Invocation5XXErrors"),
            "serverless": add_alarm(build_serverless(), "Invocation5XXErrors"),
            "asynchronous": add_alarm(build_asynchronous(), "InvocationFailures"),
            "a topic of the same plan": {
                **add_alarm(build_real_time(), "Invocation5XXErrors", alarm_actions="${aws_sns_topic.t.arn}"),
                "aws_sns_topic.t": {"name": "on-call"},
            },
            "a composite alarm with an action": add_composite_alarm('ALARM("errors") OR ALARM("latency")'),
        },
        "fail": {
            "no alarm": build_serverless(),
            "a composite alarm on the OK state": add_composite_alarm("OK(errors)"),
            "an alarm on another metric": add_alarm(build_real_time(), "ModelLatency"),
            "an alarm without an action": add_alarm(build_real_time(), "Invocation5XXErrors", alarm_actions=[]),
            "an alarm on a custom metric": add_alarm(build_real_time(), "Invocation5XXErrors", namespace="Acme"),
            "that is turned off": add_alarm(build_real_time(), "Invocation5XXErrors", actions_enabled=False),
        },
        "unknown": {**UNSURE, "a composite alarm with an unknown rule": add_composite_alarm(f"${{{ALARM}.arn}}")},
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
            "a serverless endpoint with a limit": build_serverless(endpoint={"tags": {"latency_slo": "5s"}}),
            "instances": build_real_time(endpoint={"tags": {"latency_slo": "cold_start"}}),
        },
        "unknown": UNSURE,
        "not_applicable": {
            "a serverless endpoint whose callers wait": build_serverless(
                endpoint={"tags": {"latency_slo": "cold_start"}}
            )
        },
    },
    "SUS_ENDPOINT_LOW_UTILIZATION_ALARM": {
        "pass": {
            "a threshold of 20 %": add_alarm(build_real_time(), "CPUUtilization", **BELOW),
            "a threshold of 20 % of each of four vCPUs": add_alarm(
                build_real_time(), "CPUUtilization", **{**BELOW, "threshold": 80}
            ),
        },
        "fail": {
            "no alarm": build_real_time(),
            "a comparison with greater": add_alarm(build_real_time(), "CPUUtilization"),
            "a high threshold": add_alarm(build_real_time(), "CPUUtilizationNormalized", **{**BELOW, "threshold": 80}),
            "a threshold of zero": add_alarm(build_real_time(), "CPUUtilization", **{**BELOW, "threshold": 0}),
        },
        "unknown": {
            **UNSURE,
            "a configuration outside the plan": ELSEWHERE,
            "a comparison known after apply": add_alarm(
                build_real_time(), "CPUUtilization", **{**BELOW, "comparison_operator": UNKNOWN}
            ),
            "instances known after apply": add_alarm(
                build_real_time(variant={"instance_type": UNKNOWN}), "CPUUtilization", **{**BELOW, "threshold": 80}
            ),
        },
        "not_applicable": {
            **WITHOUT_INSTANCES,
            "chips without a metric": build_real_time(variant={"instance_type": "ml.inf2.xlarge"}),
        },
    },
    "SUS_ENDPOINT_IDLE_ALARM": {
        "pass": {
            "missing data counts as a breach": add_alarm(build_real_time(), "Invocations", **IDLE),
            "metric math that is 1 without requests": build_math_alarm(
                "IF(FILL(busy, 0) > 50 AND FILL(requests, 0) < 1, 1, 0)", treat_missing_data="notBreaching"
            ),
            "metric math that is 0 without requests": build_math_alarm(
                "FILL(requests, 0)", **{**IDLE, "treat_missing_data": "notBreaching"}
            ),
        },
        "fail": {
            "no alarm": build_real_time(),
            "a high threshold for requests": add_alarm(build_real_time(), "Invocations", **{**IDLE, "threshold": 1000}),
            "missing data does not count": add_alarm(
                build_real_time(), "Invocations", **{**IDLE, "treat_missing_data": "missing"}
            ),
            "missing data does not count in metric math": build_math_alarm("IF(requests < 1, 1, 0)"),
            "metric math on another metric": build_math_alarm("IF(FILL(busy, 0) < 1, 1, 0)"),
            "metric math that is 1 with requests": build_math_alarm("IF(FILL(requests, 0) > 1, 1, 0)"),
            "metric math that is 1 with many requests": build_math_alarm("IF(FILL(requests, 0) < 1000, 1, 0)"),
            "metric math that is never 1": build_math_alarm("IF(FILL(requests, 0) < 0, 1, 0)"),
            "metric math that never reaches the threshold": build_math_alarm(
                "IF(FILL(requests, 0) < 1, 1, 0)", threshold=2
            ),
        },
        "unknown": {
            **UNSURE,
            "a configuration outside the plan": ELSEWHERE,
            "unknown metric math": build_math_alarm(UNKNOWN),
        },
        "not_applicable": WITHOUT_INSTANCES,
    },
    "SUS_ENDPOINT_EFFICIENCY_ALARM": {
        "pass": {"a ratio": build_math_alarm("busy / requests")},
        "fail": {"no alarm": build_real_time(), "a sum": build_math_alarm("busy + requests")},
        "unknown": {**UNSURE, "a configuration outside the plan": ELSEWHERE},
        "not_applicable": WITHOUT_INSTANCES,
    },
}
