"""Cases of rules/serving/realtime.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import (
    BACKLOG,
    ENDPOINT,
    POLICY,
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

DEV, PROD = {"tags": {"environment": "dev"}}, {"tags": {"Environment": "prod"}}
SUSPENDED = {"dynamic_scaling_in_suspended": True, "dynamic_scaling_out_suspended": True}
UNSURE = {TARGET: {"service_namespace": "sagemaker", "resource_id": UNKNOWN}}
DELAY = "endpoint/delay/variant/main"
NO_INSTANCES = {"a serverless endpoint": build_serverless()}
TRACKING = "target_tracking_scaling_policy_configuration"


def add_off_hours(resources: Resources, *, day: tuple[Any, Any] = (2, 4), night: tuple[Any, Any] = (1, 4)) -> Resources:
    """Return the resources with scheduled actions for mornings and evenings, each with its minimum and maximum."""
    return add_scheduled_actions(resources, ("0 8 ? * MON-FRI *", *day), ("0 18 ? * MON-FRI *", *night))


def add_scale_in_policy(resources: Resources, *, adjustment: Any = -1) -> Resources:
    """Return the resources with a step policy that an alarm on the backlog starts."""
    steps = {"adjustment_type": "ChangeInCapacity", "step_adjustment": {"scaling_adjustment": adjustment}}
    stepped = add_policy(resources, step=True, step_scaling_policy_configuration=steps)
    return add_alarm(stepped, "ApproximateBacklogSize", alarm_actions=[f"${{{STEP}.arn}}"])


def add_deletion_schedule(resources: Resources, target: str, body: str, **more: Any) -> Resources:
    """Return the resources with a schedule that calls an API."""
    return {**resources, "aws_scheduler_schedule.evening": {"target": {"arn": target, "input": body}, **more}}


DELETE = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"

CASES: CaseTable = {
    "SUS_REALTIME_SCALES": {
        "pass": {
            "by requests": add_tracking_policy(add_target(build_real_time()), **REQUESTS),
            "by scheduled actions": add_off_hours(add_target(build_real_time()), night=(1, 1)),
            "managed instance scaling": build_real_time(variant={"managed_instance_scaling": {"status": "ENABLED"}}),
        },
        "fail": {
            "no target": build_real_time(),
            "equal minimum and maximum": add_tracking_policy(add_target(build_real_time(), 2, 2), **REQUESTS),
            "no policy": add_target(build_real_time()),
            "a metric that is never published": add_tracking_policy(add_target(build_real_time()), **BACKLOG),
            "a step policy without an alarm": add_policy(add_target(build_real_time()), step=True),
            "scaling suspended": add_tracking_policy(
                add_target(build_real_time(), suspended_state=SUSPENDED), **REQUESTS
            ),
            "only scheduled increases": add_scheduled_actions(add_target(build_real_time()), ("0 8 * * ? *", 2, 4)),
        },
        "unknown": {
            "a target of an unknown endpoint": {**build_real_time(), **UNSURE},
            "a range known after apply": add_tracking_policy(add_target(build_real_time(), UNKNOWN), **REQUESTS),
            "a configuration outside the plan": {ENDPOINT: {"endpoint_config_name": "made-elsewhere"}},
        },
        "not_applicable": {**NO_INSTANCES, "an asynchronous endpoint": build_asynchronous()},
    },
    "SUS_SCALABLE_TARGET_HAS_POLICY": {
        "pass": {
            "a policy": add_policy(add_target(build_real_time())),
            "a scheduled action": add_off_hours(add_target(build_real_time())),
        },
        "fail": {
            "neither": add_target(build_real_time()),
            "a metric that is never published": add_tracking_policy(add_target(build_real_time()), **BACKLOG),
            "a step policy without an alarm": add_policy(add_target(build_real_time()), step=True),
        },
        "unknown": {
            "a metric of an endpoint elsewhere": {
                **add_tracking_policy(add_target({}, resource_id=DELAY), **REQUESTS),
                POLICY: {**add_tracking_policy({}, **REQUESTS)[POLICY], "resource_id": DELAY},
            },
            "a policy of an unknown target": {
                **add_target(build_real_time()),
                "aws_appautoscaling_policy.p": {"service_namespace": "sagemaker", "resource_id": UNKNOWN},
            },
            "a policy of a dimension known after apply": {
                **add_target(build_real_time(), resource_id=DELAY),
                "aws_appautoscaling_policy.p": {"resource_id": DELAY, "scalable_dimension": UNKNOWN},
            },
        },
        "not_applicable": {"another service": {TARGET: {"service_namespace": "ecs", "resource_id": "service/a"}}},
    },
    "SUS_SCALES_IN": {
        "pass": {
            "by default": add_tracking_policy(add_target(build_real_time())),
            "by a step policy": add_scale_in_policy(
                add_tracking_policy(add_target(build_asynchronous()), **BACKLOG, disable_scale_in=True)
            ),
        },
        "fail": {
            "never": add_tracking_policy(add_target(build_real_time()), disable_scale_in=True),
            "by a step policy that adds": add_scale_in_policy(
                add_tracking_policy(add_target(build_asynchronous()), **BACKLOG, disable_scale_in=True), adjustment=1
            ),
        },
        "unknown": {
            "known after apply": add_tracking_policy(add_target(build_real_time()), disable_scale_in=UNKNOWN),
            "a step known after apply": add_scale_in_policy(
                add_tracking_policy(add_target(build_asynchronous()), **BACKLOG, disable_scale_in=True),
                adjustment=UNKNOWN,
            ),
        },
        "not_applicable": {
            "a step policy": add_policy(add_target(build_real_time()), step=True),
            "another service": {"aws_appautoscaling_policy.p": {"service_namespace": "ecs", TRACKING: {}}},
        },
    },
    "SUS_PRODUCTION_TWO_INSTANCES": {
        "pass": {
            "two": build_real_time(variant={"initial_instance_count": 2}, endpoint=PROD),
            "two fixed instances": add_target(build_real_time(variant={"initial_instance_count": 2}, endpoint=PROD)),
            "at least two": add_target(build_real_time(endpoint=PROD), minimum=2),
        },
        "fail": {
            "one": build_real_time(endpoint=PROD),
            "a minimum of one instance": add_tracking_policy(
                add_target(build_real_time(endpoint=PROD), minimum=1), **REQUESTS
            ),
            "down to one at night": add_off_hours(add_target(build_real_time(endpoint=PROD)), night=(1, 1)),
        },
        "unknown": {
            "a minimum known after apply": add_target(build_real_time(endpoint=PROD), minimum=UNKNOWN),
            "a latency SLO known after apply": build_real_time(
                endpoint={"tags": {"env": "prod", "latency_slo": UNKNOWN}}
            ),
            "tags known after apply": build_real_time(endpoint={"tags": UNKNOWN, "tags_all": UNKNOWN}),
        },
        "not_applicable": {
            "outside production": build_real_time(endpoint=DEV),
            "a long latency SLO": build_real_time(endpoint={"tags": {"env": "prod", "latency_slo": "5m"}}),
            "untagged": build_real_time(),
        },
    },
    "SUS_AUTOSCALING_RESET": {
        "pass": {
            "the same": add_target(build_real_time(), minimum=1),
            "one instance with a minimum of zero": add_target(build_asynchronous(), minimum=0),
        },
        "fail": {
            "three instances and a minimum of one": add_target(
                build_real_time(variant={"initial_instance_count": 3}), minimum=1
            )
        },
        "unknown": {
            "a count known after apply": add_target(build_real_time(variant={"initial_instance_count": UNKNOWN})),
            "a retain setting known after apply": add_target(
                build_real_time(
                    variant={"initial_instance_count": 3}, endpoint={"retain_all_variant_properties": UNKNOWN}
                )
            ),
            "a target of an unknown endpoint": {**build_real_time(), **UNSURE},
        },
        "not_applicable": {
            **NO_INSTANCES,
            "no autoscaling": build_real_time(),
            "retained properties": add_target(
                build_real_time(variant={"initial_instance_count": 3}, endpoint={"retain_all_variant_properties": True})
            ),
        },
    },
    "SUS_OFF_HOURS": {
        "pass": {
            "fewer in the evening": add_off_hours(add_target(build_real_time(endpoint=DEV)), night=(1, 1)),
            "more in the morning and back": add_tracking_policy(
                add_off_hours(add_target(build_real_time(endpoint=DEV))), **REQUESTS
            ),
            "deleted by name": add_deletion_schedule(
                build_real_time(endpoint=DEV), DELETE, '{"EndpointName": "delay"}'
            ),
            "deleted by reference": add_deletion_schedule(
                build_real_time(endpoint={**DEV, "name": UNKNOWN}),
                DELETE,
                f'{{"EndpointName": "${{{ENDPOINT}.name}}"}}',
            ),
        },
        "fail": {
            "nothing": build_real_time(endpoint=DEV),
            "only a scheduled increase": add_scheduled_actions(
                add_target(build_real_time(endpoint=DEV)), ("0 8 * * ? *", 4, 8)
            ),
            "a minimum without a policy that removes": add_off_hours(add_target(build_real_time(endpoint=DEV))),
            "a disabled schedule": add_deletion_schedule(
                build_real_time(endpoint=DEV), DELETE, '{"EndpointName": "delay"}', state="DISABLED"
            ),
            "a schedule for another call": add_deletion_schedule(
                build_real_time(endpoint=DEV), "arn:aws:lambda:::function:f", "delay"
            ),
        },
        "unknown": {
            "tags known after apply": build_real_time(endpoint={"tags": UNKNOWN, "tags_all": UNKNOWN}),
            "a target of an unknown endpoint": {**build_real_time(endpoint=DEV), **UNSURE},
            "a minimum known after apply": add_off_hours(add_target(build_real_time(endpoint=DEV)), night=(1, UNKNOWN)),
            "deleted by a schedule known after apply": add_deletion_schedule(
                build_real_time(endpoint=DEV), DELETE, UNKNOWN
            ),
        },
        "not_applicable": {**NO_INSTANCES, "production": build_real_time(endpoint=PROD), "no tag": build_real_time()},
    },
    "SUS_ENDPOINT_RIGHT_SIZED": {
        "pass": {
            "a recommendation job": build_real_time(endpoint={"tags": {"recommendation_job": "arn:aws:sagemaker:job"}})
        },
        "fail": {"no tag": build_real_time()},
        "unknown": {"tags known after apply": build_real_time(endpoint={"tags": UNKNOWN, "tags_all": UNKNOWN})},
        "not_applicable": {**NO_INSTANCES, "an asynchronous endpoint": build_asynchronous()},
    },
}
