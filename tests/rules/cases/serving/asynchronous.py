"""Cases of rules/serving/asynchronous.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import (
    BACKLOG,
    ENDPOINT,
    REQUESTS,
    STEP,
    TARGET,
    UNKNOWN,
    Resources,
    add_alarm,
    add_policy,
    add_scheduled_actions,
    add_target,
    add_tracking_policy,
    build_asynchronous,
    build_real_time,
    build_serverless,
)

SAGEMAKER = {"namespace": "AWS/SageMaker"}
AT_ZERO = add_target(build_asynchronous(), minimum=0)
UNSURE = {**build_asynchronous(), TARGET: {"service_namespace": "sagemaker", "resource_id": UNKNOWN, "min_capacity": 0}}
OTHERS = {"a real-time endpoint": build_real_time(), "a serverless endpoint": build_serverless()}
SLEEPS = add_tracking_policy(AT_ZERO, **BACKLOG)
#: An endpoint with two variants, of which the scaled one is known only after apply.
EITHER = build_asynchronous()
EITHER["aws_sagemaker_endpoint_configuration.c"] = {
    **EITHER["aws_sagemaker_endpoint_configuration.c"],
    "production_variants": [
        {"variant_name": name, "model_name": "delay", "instance_type": "ml.c7g.xlarge", "initial_instance_count": 1}
        for name in ("main", "other")
    ],
}
EITHER = add_target(
    EITHER, minimum=0, resource_id=f"endpoint/${{{ENDPOINT}.name}}/variant/${{aws_sagemaker_model.m.id}}"
)
STEP_ARN = f"${{{STEP}.arn}}"
TOPICS = {
    "s3_failure_path": "s3://answers/failed/",
    "notification_config": {"error_topic": "arn:aws:sns:eu-north-1:123456789012:failed"},
}


def add_start_alarm(metric: str = "HasBacklogWithoutCapacity", **alarm: Any) -> Resources:
    """Return an endpoint at zero, with a step policy and an alarm that starts it."""
    return add_alarm(add_policy(AT_ZERO, step=True), metric, alarm_actions=[STEP_ARN], **alarm)


CASES: CaseTable = {
    "SUS_ASYNC_SCALES_TO_ZERO": {
        "pass": {
            "scales with its backlog": SLEEPS,
            "a single variant with any name": add_tracking_policy(
                add_target(build_asynchronous(variant={"variant_name": UNKNOWN}), minimum=0), **BACKLOG
            ),
            "instances during the day": add_scheduled_actions(SLEEPS, ("0 8 * * ? *", 1, 4), ("0 18 * * ? *", 0, 4)),
        },
        "fail": {
            "no scalable target": build_asynchronous(),
            "a minimum of one": add_tracking_policy(add_target(build_asynchronous(), minimum=1), **BACKLOG),
            "no policy": AT_ZERO,
            "a metric that is never published": add_tracking_policy(AT_ZERO, **REQUESTS),
            "a policy that only adds": add_tracking_policy(AT_ZERO, **BACKLOG, disable_scale_in=True),
            "a policy that only wakes": add_start_alarm(),
            "scale-in suspended": add_tracking_policy(
                add_target(build_asynchronous(), minimum=0, suspended_state={"dynamic_scaling_in_suspended": True}),
                **BACKLOG,
            ),
            "only scheduled increases": add_scheduled_actions(SLEEPS, ("0 8 * * ? *", 2, 4)),
        },
        "unknown": {
            "a target of an unknown endpoint": UNSURE,
            "a minimum known after apply": add_tracking_policy(add_target(build_asynchronous(), UNKNOWN), **BACKLOG),
            "a policy of an unknown target": {
                **AT_ZERO,
                "aws_appautoscaling_policy.p": {"service_namespace": "sagemaker", "resource_id": UNKNOWN},
            },
            "an action that runs once": add_scheduled_actions(
                SLEEPS, ("0 8 * * ? *", 2, 4), schedule="at(2027-01-01T00:00:00)"
            ),
            "one of two variants": add_tracking_policy(EITHER, **BACKLOG),
        },
        "not_applicable": OTHERS,
    },
    "SUS_ASYNC_BACKLOG_POLICY": {
        "pass": {"the backlog": SLEEPS},
        "fail": {"no policy": AT_ZERO, "requests": add_tracking_policy(AT_ZERO, **REQUESTS)},
        "unknown": {
            "a metric known after apply": add_tracking_policy(
                AT_ZERO, customized_metric_specification={**SAGEMAKER, "metric_name": UNKNOWN}
            ),
            "one of two variants": add_tracking_policy(EITHER, **BACKLOG),
        },
        "not_applicable": {**OTHERS, "no scalable target, which another rule reports": build_asynchronous()},
    },
    "SUS_ASYNC_WAKES": {
        "pass": {"at the first request": add_start_alarm()},
        "fail": {
            "no step policy": add_tracking_policy(AT_ZERO, **BACKLOG),
            "a step policy without an alarm": add_policy(AT_ZERO, step=True),
            "an alarm on another metric": add_start_alarm("ApproximateBacklogSize"),
            "an alarm on a custom metric": add_start_alarm(namespace="Acme"),
            "an alarm that lets one wait": add_start_alarm(comparison_operator="GreaterThanThreshold"),
            "an alarm that is off": add_start_alarm(actions_enabled=False),
            "a policy that takes one away": add_alarm(
                add_policy(
                    AT_ZERO,
                    step=True,
                    step_scaling_policy_configuration={
                        "adjustment_type": "ChangeInCapacity",
                        "step_adjustment": {"scaling_adjustment": -1},
                    },
                ),
                "HasBacklogWithoutCapacity",
                alarm_actions=[STEP_ARN],
            ),
        },
        "unknown": {
            "an alarm known after apply": add_start_alarm(UNKNOWN),
            "a namespace known after apply": add_start_alarm(namespace=UNKNOWN),
            "a kind of policy known after apply": add_policy(AT_ZERO, step=True, policy_type=UNKNOWN),
            "a minimum known after apply": add_target(build_asynchronous(), UNKNOWN),
            "one of two variants": EITHER,
        },
        "not_applicable": {**OTHERS, "a minimum above zero": add_target(build_asynchronous(), minimum=1)},
    },
    "SUS_ASYNC_SCALES_ON_INVOCATIONS": {
        "pass": {
            "the backlog": add_tracking_policy(AT_ZERO, **BACKLOG),
            "a custom metric": add_tracking_policy(
                AT_ZERO, customized_metric_specification={"namespace": "Acme", "metric_name": "Invocations"}
            ),
        },
        "fail": {
            "requests by instance": add_tracking_policy(AT_ZERO, **REQUESTS),
            "the metric by its name": add_tracking_policy(
                AT_ZERO, customized_metric_specification={**SAGEMAKER, "metric_name": "Invocations"}
            ),
            "in metric math": add_tracking_policy(
                AT_ZERO,
                customized_metric_specification={
                    "metrics": {"id": "m", "metric_stat": {"metric": {**SAGEMAKER, "metric_name": "Invocations"}}}
                },
            ),
        },
        "unknown": {
            "metric math that may fill missing data": add_tracking_policy(
                AT_ZERO,
                customized_metric_specification={
                    "metrics": [
                        {"id": "e", "expression": "FILL(m, 0) + 1"},
                        {"id": "m", "metric_stat": {"metric": {**SAGEMAKER, "metric_name": "Invocations"}}},
                    ]
                },
            ),
            "an endpoint outside the plan": {
                **(without := {k: v for k, v in add_tracking_policy(AT_ZERO, **REQUESTS).items() if k != ENDPOINT}),
                TARGET: {**without[TARGET], "resource_id": "endpoint/elsewhere/variant/main"},
            },
            "a metric known after apply": add_tracking_policy(AT_ZERO, customized_metric_specification=UNKNOWN),
        },
        "not_applicable": {
            "a real-time endpoint": add_tracking_policy(add_target(build_real_time()), **REQUESTS),
            "another service": {
                "aws_appautoscaling_policy.p": {"service_namespace": "ecs", "resource_id": "service/a"}
            },
        },
    },
    "SUS_ASYNC_SILENT_ALARM": {
        "pass": "the rule does not apply to other metrics",
        "fail": {
            "requests": add_alarm(build_asynchronous(), "Invocations"),
            "in metric math": add_alarm(
                build_asynchronous(),
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
            "dimensions known after apply": add_alarm(build_asynchronous(), "Invocations", dimensions=UNKNOWN),
            "a metric known after apply": add_alarm(build_asynchronous(), UNKNOWN),
            "a namespace known after apply": add_alarm(build_asynchronous(), "Invocations", namespace=UNKNOWN),
        },
        "not_applicable": {
            "a real-time endpoint": add_alarm(build_real_time(), "Invocations"),
            "a published metric": add_alarm(build_asynchronous(), "ApproximateBacklogSize"),
            "a custom metric": add_alarm(build_asynchronous(), "Invocations", namespace="Acme"),
        },
    },
    "SUS_ASYNC_FAILURES_SEEN": {
        "pass": {
            "both settings": build_asynchronous(output=TOPICS),
            "a topic of the same plan": {
                **build_asynchronous(
                    output={**TOPICS, "notification_config": {"error_topic": "${aws_sns_topic.t.arn}"}}
                ),
                "aws_sns_topic.t": {"name": "failed"},
            },
        },
        "fail": {
            "neither": build_asynchronous(),
            "no topic": build_asynchronous(output={"s3_failure_path": "s3://answers/failed/"}),
        },
        "unknown": {"a topic known after apply": build_asynchronous(output={**TOPICS, "notification_config": UNKNOWN})},
        "not_applicable": OTHERS,
    },
}
