"""Cases of rules/realtime.py."""

from tests.rules.endpoints import (
    ENDPOINT,
    TARGET,
    UNKNOWN,
    Resources,
    asynchronous,
    following,
    moved,
    real_time,
    scaled,
    serverless,
)
from tests.rules.tables import Table

DEV, PROD = {"tags": {"environment": "dev"}}, {"tags": {"Environment": "prod"}}
UNSURE = {TARGET: {"service_namespace": "sagemaker", "resource_id": UNKNOWN}}
NO_INSTANCES = {"a serverless one": serverless()}
TRACKING = "target_tracking_scaling_policy_configuration"


def rested(resources: Resources) -> Resources:
    """With a scheduled action for the evening."""
    action = {"service_namespace": "sagemaker", "schedule": "cron(0 18 * * ? *)"}
    same = {key: f"${{{TARGET}.{key}}}" for key in ("resource_id", "scalable_dimension")}
    return {**resources, "aws_appautoscaling_scheduled_action.evening": {**action, **same}}


def deleted(resources: Resources, target: str, body: str) -> Resources:
    """With a schedule that calls an API."""
    return {**resources, "aws_scheduler_schedule.evening": {"target": {"arn": target, "input": body}}}


DELETE = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"

CASES: Table = {
    "SUS_REALTIME_SCALES": {
        "pass": {
            "a target": scaled(real_time()),
            "instances that SageMaker manages": real_time(variant={"managed_instance_scaling": {"status": "ENABLED"}}),
        },
        "fail": {"no target": real_time(), "from two to two": scaled(real_time(), 2, 2)},
        "unknown": {
            "a target of something unknown": {**real_time(), **UNSURE},
            "a range known after apply": scaled(real_time(), UNKNOWN),
            "a configuration elsewhere": {ENDPOINT: {"endpoint_config_name": "made-elsewhere"}},
        },
        "not_applicable": {**NO_INSTANCES, "an asynchronous one": asynchronous()},
    },
    "SUS_SCALABLE_TARGET_HAS_POLICY": {
        "pass": {"a policy": moved(scaled(real_time())), "a scheduled action": rested(scaled(real_time()))},
        "fail": {"neither": scaled(real_time())},
        "unknown": {
            "a policy of something unknown": {
                **scaled(real_time()),
                "aws_appautoscaling_policy.p": {"service_namespace": "sagemaker", "resource_id": UNKNOWN},
            }
        },
        "not_applicable": {"another service": {TARGET: {"service_namespace": "ecs", "resource_id": "service/a"}}},
    },
    "SUS_SCALES_IN": {
        "pass": {"by default": following(scaled(real_time()))},
        "fail": {"never": following(scaled(real_time()), disable_scale_in=True)},
        "unknown": {"known after apply": following(scaled(real_time()), disable_scale_in=UNKNOWN)},
        "not_applicable": {
            "a step policy": moved(scaled(real_time()), step=True),
            "another service": {"aws_appautoscaling_policy.p": {"service_namespace": "ecs", TRACKING: {}}},
        },
    },
    "SUS_PRODUCTION_TWO_INSTANCES": {
        "pass": {
            "two": real_time(variant={"initial_instance_count": 2}, endpoint=PROD),
            "at least two": scaled(real_time(endpoint=PROD), least=2),
        },
        "fail": {"one": real_time(endpoint=PROD), "down to one": scaled(real_time(endpoint=PROD), least=1)},
        "unknown": {"a least known after apply": scaled(real_time(endpoint=PROD), least=UNKNOWN)},
        "not_applicable": {
            "outside production": real_time(endpoint=DEV),
            "callers who can wait": real_time(endpoint={"tags": {"env": "prod", "latency_slo": "5m"}}),
            "untagged": real_time(),
        },
    },
    "SUS_AUTOSCALING_RESET": {
        "pass": {
            "the same": scaled(real_time(), least=1),
            "one where autoscaling goes to zero": scaled(asynchronous(), least=0),
        },
        "fail": {"three against one": scaled(real_time(variant={"initial_instance_count": 3}), least=1)},
        "unknown": {"a count known after apply": scaled(real_time(variant={"initial_instance_count": UNKNOWN}))},
        "not_applicable": {
            **NO_INSTANCES,
            "no autoscaling": real_time(),
            "properties kept": scaled(
                real_time(variant={"initial_instance_count": 3}, endpoint={"retain_all_variant_properties": True})
            ),
        },
    },
    "SUS_OFF_HOURS": {
        "pass": {
            "a scheduled action": rested(scaled(real_time(endpoint=DEV))),
            "deleted by name": deleted(real_time(endpoint=DEV), DELETE, '{"EndpointName": "delay"}'),
            "deleted by reference": deleted(
                real_time(endpoint={**DEV, "name": UNKNOWN}), DELETE, f'{{"EndpointName": "${{{ENDPOINT}.name}}"}}'
            ),
        },
        "fail": {
            "nothing": real_time(endpoint=DEV),
            "a schedule of something else": deleted(real_time(endpoint=DEV), "arn:aws:lambda:::function:f", "delay"),
        },
        "unknown": {
            "no tag": real_time(),
            "a target of something unknown": {**real_time(endpoint=DEV), **UNSURE},
        },
        "not_applicable": {**NO_INSTANCES, "production": real_time(endpoint=PROD)},
    },
    "SUS_ENDPOINT_RIGHT_SIZED": {
        "pass": {"a job": real_time(endpoint={"tags": {"recommendation_job": "arn:aws:sagemaker:job"}})},
        "fail": {"no tag": real_time()},
        "unknown": {"tags known after apply": real_time(endpoint={"tags": UNKNOWN, "tags_all": UNKNOWN})},
        "not_applicable": {**NO_INSTANCES, "an asynchronous one": asynchronous()},
    },
}
