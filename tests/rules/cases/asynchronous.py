"""Cases of rules/asynchronous.py."""

from typing import Any

from tests.rules.endpoints import (
    ENDPOINT,
    STEP,
    TARGET,
    UNKNOWN,
    Resources,
    asynchronous,
    following,
    moved,
    real_time,
    scaled,
    serverless,
    watched,
)
from tests.rules.tables import Table

SAGEMAKER = {"namespace": "AWS/SageMaker"}
AT_ZERO = scaled(asynchronous(), least=0)
UNSURE = {**asynchronous(), TARGET: {"service_namespace": "sagemaker", "resource_id": UNKNOWN, "min_capacity": 0}}
OTHERS = {"a real-time one": real_time(), "a serverless one": serverless()}
BACKLOG = {"customized_metric_specification": {**SAGEMAKER, "metric_name": "ApproximateBacklogSizePerInstance"}}
REQUESTS = {"predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"}}
#: The provider names a variant that has no name, after the plan.
UNNAMED = scaled(asynchronous(variant={"variant_name": UNKNOWN}), least=0)
STEP_ARN = f"${{{STEP}.arn}}"
TOPICS = {
    "s3_failure_path": "s3://answers/failed/",
    "notification_config": {"error_topic": "arn:aws:sns:eu-north-1:123456789012:failed"},
}


def woken(metric: str = "HasBacklogWithoutCapacity", **alarm: Any) -> Resources:
    """At zero, with a step policy and an alarm that starts it."""
    return watched(moved(AT_ZERO, step=True), metric, alarm_actions=[STEP_ARN], **alarm)


CASES: Table = {
    "SUS_ASYNC_SCALES_TO_ZERO": {
        "pass": {"from zero": AT_ZERO},
        "fail": {"nothing scales it": asynchronous(), "from one": scaled(asynchronous(), least=1)},
        "unknown": {
            "a target of something unknown": UNSURE,
            "a least known after apply": scaled(asynchronous(), UNKNOWN),
        },
        "not_applicable": OTHERS,
    },
    "SUS_ASYNC_BACKLOG_POLICY": {
        "pass": {"the backlog": following(AT_ZERO, **BACKLOG)},
        "fail": {"no policy": AT_ZERO, "requests": following(AT_ZERO, **REQUESTS)},
        "unknown": {
            "a metric known after apply": following(
                AT_ZERO, customized_metric_specification={**SAGEMAKER, "metric_name": UNKNOWN}
            ),
            "a variant that nobody names": following(UNNAMED, **BACKLOG),
        },
        "not_applicable": {**OTHERS, "nothing scales it, which another rule says": asynchronous()},
    },
    "SUS_ASYNC_WAKES": {
        "pass": {"at the first request": woken()},
        "fail": {
            "no step policy": following(AT_ZERO, **BACKLOG),
            "a step policy that nothing starts": moved(AT_ZERO, step=True),
            "an alarm on another metric": woken("ApproximateBacklogSize"),
            "an alarm on a metric of one's own": woken(namespace="Acme"),
            "an alarm that lets one wait": woken(comparison_operator="GreaterThanThreshold"),
        },
        "unknown": {
            "an alarm known after apply": woken(UNKNOWN),
            "a namespace known after apply": woken(namespace=UNKNOWN),
            "a kind of policy known after apply": moved(AT_ZERO, step=True, policy_type=UNKNOWN),
            "a least known after apply": scaled(asynchronous(), UNKNOWN),
            "a variant that nobody names": UNNAMED,
        },
        "not_applicable": {**OTHERS, "never at zero": scaled(asynchronous(), least=1)},
    },
    "SUS_ASYNC_SCALES_ON_INVOCATIONS": {
        "pass": {
            "the backlog": following(AT_ZERO, **BACKLOG),
            "a metric of one's own": following(
                AT_ZERO, customized_metric_specification={"namespace": "Acme", "metric_name": "Invocations"}
            ),
        },
        "fail": {
            "requests by instance": following(AT_ZERO, **REQUESTS),
            "the metric by its name": following(
                AT_ZERO, customized_metric_specification={**SAGEMAKER, "metric_name": "Invocations"}
            ),
            "through metric math": following(
                AT_ZERO,
                customized_metric_specification={
                    "metrics": {"id": "m", "metric_stat": {"metric": {**SAGEMAKER, "metric_name": "Invocations"}}}
                },
            ),
        },
        "unknown": {
            "an endpoint elsewhere": {
                **(without := {k: v for k, v in following(AT_ZERO, **REQUESTS).items() if k != ENDPOINT}),
                TARGET: {**without[TARGET], "resource_id": "endpoint/elsewhere/variant/main"},
            },
            "a metric known after apply": following(AT_ZERO, customized_metric_specification=UNKNOWN),
        },
        "not_applicable": {
            "a real-time endpoint": following(scaled(real_time()), **REQUESTS),
            "another service": {
                "aws_appautoscaling_policy.p": {"service_namespace": "ecs", "resource_id": "service/a"}
            },
        },
    },
    "SUS_ASYNC_SILENT_ALARM": {
        "pass": "an alarm on a metric that asynchronous endpoints publish is none of its business",
        "fail": {
            "requests": watched(asynchronous(), "Invocations"),
            "in metric math": watched(
                asynchronous(),
                "",
                metric_query=[
                    {"id": "e", "expression": "m / 60"},
                    {
                        "id": "m",
                        "metric": {**SAGEMAKER, "metric_name": "Invocations", "dimensions": {"EndpointName": "delay"}},
                    },
                ],
            ),
        },
        "unknown": {
            "dimensions known after apply": watched(asynchronous(), "Invocations", dimensions=UNKNOWN),
            "a metric known after apply": watched(asynchronous(), UNKNOWN),
            "a namespace known after apply": watched(asynchronous(), "Invocations", namespace=UNKNOWN),
        },
        "not_applicable": {
            "a real-time endpoint": watched(real_time(), "Invocations"),
            "a metric that is published": watched(asynchronous(), "ApproximateBacklogSize"),
            "a metric of one's own": watched(asynchronous(), "Invocations", namespace="Acme"),
        },
    },
    "SUS_ASYNC_FAILURES_SEEN": {
        "pass": {
            "both": asynchronous(output=TOPICS),
            "a topic of the same plan": {
                **asynchronous(output={**TOPICS, "notification_config": {"error_topic": "${aws_sns_topic.t.arn}"}}),
                "aws_sns_topic.t": {"name": "failed"},
            },
        },
        "fail": {
            "neither": asynchronous(),
            "no topic": asynchronous(output={"s3_failure_path": "s3://answers/failed/"}),
        },
        "unknown": {"a topic known after apply": asynchronous(output={**TOPICS, "notification_config": UNKNOWN})},
        "not_applicable": OTHERS,
    },
}
