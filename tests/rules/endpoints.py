"""Endpoints for the tables of cases: a model, a configuration and an endpoint, with scaling and alarms."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
Resources = dict[str, Values]

MODEL = "aws_sagemaker_model.m"
CONFIGURATION = "aws_sagemaker_endpoint_configuration.c"
ENDPOINT = "aws_sagemaker_endpoint.e"
TARGET = "aws_appautoscaling_target.t"
POLICY = "aws_appautoscaling_policy.tracking"
STEP = "aws_appautoscaling_policy.step"
ALARM = "aws_cloudwatch_metric_alarm.a"

UNKNOWN = "(known after apply)"
IMAGE = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:1"


def build_endpoint(
    variant: Values, *, model: Values | None = None, configuration: Values | None = None, endpoint: Values | None = None
) -> Resources:
    """Return an endpoint with one variant named `main`."""
    return {
        MODEL: {"primary_container": {"image": IMAGE, "mode": "SingleModel"}, **(model or {})},
        CONFIGURATION: {
            "name_prefix": "delay-",
            "name": UNKNOWN,
            "production_variants": {"variant_name": "main", "model_name": f"${{{MODEL}.name}}", **variant},
            **(configuration or {}),
        },
        ENDPOINT: {"name": "delay", "endpoint_config_name": f"${{{CONFIGURATION}.name}}", **(endpoint or {})},
    }


def build_serverless(
    *,
    serverless_config: Values | None = None,
    variant: Values | None = None,
    model: Values | None = None,
    configuration: Values | None = None,
    endpoint: Values | None = None,
) -> Resources:
    """Return a serverless endpoint."""
    config = {"memory_size_in_mb": 2048, "max_concurrency": 5, **(serverless_config or {})}
    values = {"serverless_config": config, **(variant or {})}
    return build_endpoint(values, model=model, configuration=configuration, endpoint=endpoint)


def build_real_time(
    *,
    variant: Values | None = None,
    model: Values | None = None,
    configuration: Values | None = None,
    endpoint: Values | None = None,
) -> Resources:
    """Return a real-time endpoint on one `ml.c7g.xlarge`."""
    values = {"instance_type": "ml.c7g.xlarge", "initial_instance_count": 1, **(variant or {})}
    return build_endpoint(values, model=model, configuration=configuration, endpoint=endpoint)


def build_asynchronous(
    *, variant: Values | None = None, output: Values | None = None, endpoint: Values | None = None
) -> Resources:
    """Return an asynchronous endpoint on one `ml.c7g.xlarge`."""
    config = {"async_inference_config": {"output_config": {"s3_output_path": "s3://answers/delay/", **(output or {})}}}
    return build_real_time(variant=variant, configuration=config, endpoint=endpoint)


def add_target(resources: Resources, minimum: Any = 1, maximum: Any = 4, **target: Any) -> Resources:
    """Return the resources with a scalable target."""
    return {
        **resources,
        TARGET: {
            "service_namespace": "sagemaker",
            "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
            "resource_id": f"endpoint/${{{ENDPOINT}.name}}/variant/main",
            "min_capacity": minimum,
            "max_capacity": maximum,
            **target,
        },
    }


#: A step that adds one instance.
ADD_ONE = {"adjustment_type": "ChangeInCapacity", "step_adjustment": {"scaling_adjustment": 1}}
BACKLOG = {
    "customized_metric_specification": {
        "namespace": "AWS/SageMaker",
        "metric_name": "ApproximateBacklogSizePerInstance",
    }
}
REQUESTS = {"predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"}}


def add_policy(resources: Resources, *, step: bool = False, **policy: Any) -> Resources:
    """Return the resources with a policy of the scalable target: target tracking by default."""
    if step:
        policy = {"step_scaling_policy_configuration": ADD_ONE, **policy}
    return {
        **resources,
        STEP if step else POLICY: {
            "policy_type": "StepScaling" if step else "TargetTrackingScaling",
            "service_namespace": "sagemaker",
            "scalable_dimension": f"${{{TARGET}.scalable_dimension}}",
            "resource_id": f"${{{TARGET}.resource_id}}",
            **policy,
        },
    }


def add_tracking_policy(resources: Resources, **metric: Any) -> Resources:
    """Return the resources with a target tracking policy on a metric."""
    return add_policy(resources, target_tracking_scaling_policy_configuration={"target_value": 5, **metric})


def add_scheduled_actions(resources: Resources, *times: tuple[str, Any, Any], **action: Any) -> Resources:
    """Return the resources with scheduled actions, each with its cron fields, its minimum and its maximum."""
    same = {key: f"${{{TARGET}.{key}}}" for key in ("resource_id", "scalable_dimension")}
    actions = {
        f"aws_appautoscaling_scheduled_action.at{number}": {
            "service_namespace": "sagemaker",
            "schedule": f"cron({fields})",
            "scalable_target_action": {"min_capacity": minimum, "max_capacity": maximum},
            **same,
            **action,
        }
        for number, (fields, minimum, maximum) in enumerate(times)
    }
    return {**resources, **actions}


def add_alarm(resources: Resources, metric: str, name: str = ALARM, **alarm: Any) -> Resources:
    """Return the resources with an alarm on a metric of the endpoint."""
    return {
        **resources,
        name: {
            "namespace": "AWS/SageMaker",
            "metric_name": metric,
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": 1,
            "dimensions": {"EndpointName": f"${{{ENDPOINT}.name}}", "VariantName": "main"},
            "alarm_actions": ["arn:aws:sns:eu-north-1:123456789012:on-call"],
            **alarm,
        },
    }
