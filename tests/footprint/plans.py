"""Endpoints in plans."""

from typing import Any

from tests.footprint.support import REGION
from tests.plan.plan_builder import build_change

ENDPOINT = "aws_sagemaker_endpoint.e"
CONFIGURATION = "aws_sagemaker_endpoint_configuration.c"
TARGET = "aws_appautoscaling_target.t"
POLICY = "aws_appautoscaling_policy.p"
BACKLOG, REQUESTS = "ApproximateBacklogSizePerInstance", "InvocationsPerInstance"


def endpoint(name: str = "e", configuration: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "endpoint_config_name": configuration, "region": REGION, **more}


def configuration(*variants: dict[str, Any], name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "region": REGION, "production_variants": list(variants), **more}


def variant(instance_type: str = "ml.m5.xlarge", count: int | None = 1, name: str = "v", **more: Any) -> dict[str, Any]:
    return {"variant_name": name, "instance_type": instance_type, "initial_instance_count": count, **more}


def serverless(memory_mb: int, **more: Any) -> dict[str, Any]:
    return {"variant_name": "v", "serverless_config": [{"memory_size_in_mb": memory_mb, **more}]}


def target(least: int, most: int, name: str = "v") -> dict[str, Any]:
    return {
        "resource_id": f"endpoint/e/variant/{name}",
        "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
        "service_namespace": "sagemaker",
        "min_capacity": least,
        "max_capacity": most,
    }


def extend_target(**more: Any) -> dict[str, Any]:
    """Return the attributes of a policy or scheduled action of the target."""
    return {key: value for key, value in target(0, 0).items() if not key.endswith("capacity")} | more


def policy(metric: str, **tracking: Any) -> dict[str, Any]:
    """Return a target-tracking policy on a metric of the endpoint."""
    specification = [{"namespace": "AWS/SageMaker", "metric_name": metric}]
    values = {"target_value": 5, "customized_metric_specification": specification, **tracking}
    return extend_target(policy_type="TargetTrackingScaling", target_tracking_scaling_policy_configuration=[values])


def action(schedule: str, least: int | None, most: int | None, number: int = 0, **more: Any) -> dict[str, Any]:
    """Return the change of a scheduled action; the provider writes its numbers as text."""
    numbers = {"min_capacity": least, "max_capacity": most}
    limits = {name: None if number is None else str(number) for name, number in numbers.items()}
    values = extend_target(schedule=schedule, scalable_target_action=[limits], **more)
    return build_change(f"aws_appautoscaling_scheduled_action.a{number}", values)


def build_endpoint_plan(
    *variants: dict[str, Any],
    scaled: tuple[int, int] | None = None,
    follows: str | None = "",
    before: list[dict[str, Any]] | None = None,
    **more: Any,
) -> list[dict[str, Any]]:
    """Return the changes of an endpoint with these variants; `before` are the variants of an existing one.

    `scaled` are the limits of a scalable target. Its policy `follows` the given metric, by default a suitable one; None
    means no policy.
    """
    metric = (BACKLOG if "async_inference_config" in more else REQUESTS) if follows == "" else follows
    old_configuration = None if before is None else configuration(*before)
    return [
        build_change(ENDPOINT, endpoint(), before=None if before is None else endpoint()),
        build_change(CONFIGURATION, configuration(*variants, **more), before=old_configuration),
        *([build_change(TARGET, target(*scaled))] if scaled else []),
        *([build_change(POLICY, policy(metric))] if scaled and metric else []),
    ]
