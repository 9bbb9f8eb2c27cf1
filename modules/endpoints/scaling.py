"""What scales an endpoint's variants."""

from collections.abc import Sequence
from typing import Any

from cdktn_provider_aws.appautoscaling_policy import AppautoscalingPolicy
from cdktn_provider_aws.appautoscaling_target import AppautoscalingTarget

from sustainable_mlops.authoring.resources import Module

INSTANCES, WARM_WORKERS = (
    f"sagemaker:variant:{attribute}" for attribute in ("DesiredInstanceCount", "DesiredProvisionedConcurrency")
)


def add_target(
    module: Module[Any],
    label: str,
    endpoint: Any,
    variant: str,
    *,
    dimension: str,
    between: tuple[Any, Any],
    triggers: Sequence[Any] = (),
    ignored: Sequence[str] = (),
    **arguments: Any,
) -> Any:
    """Add what a variant's policies move, between a least and a most; it names its endpoint by the resource.

    It is made anew with the endpoint, and with each of `triggers`; of its bounds it ignores what is `ignored`.
    """
    return module.add(
        AppautoscalingTarget,
        label,
        service_namespace="sagemaker",
        scalable_dimension=dimension,
        resource_id=f"endpoint/{endpoint.name}/variant/{variant}",
        min_capacity=between[0],
        max_capacity=between[1],
        tags=module.var.tags,
        notes={"lifecycle": "AWS takes the target away with its endpoint, also where another of its name follows."},
        lifecycle={
            "replace_triggered_by": [endpoint.id, *triggers],
            **({"ignore_changes": list(ignored)} if ignored else {}),
        },
        **arguments,
    )


def add_policy(
    module: Module[Any],
    label: str,
    targets: Any,
    name: str,
    *,
    each: Any = None,
    is_target_tracking: bool = True,
    **arguments: Any,
) -> Any:
    """Add a policy that moves a target, or with `each` one for each of several; it tracks a metric or goes by steps."""
    target = targets if each is None else each.value
    replacement = replace_with_target(targets if each is None else targets[each.key])
    notes = {**arguments.pop("notes", {}), **replacement.pop("notes")}
    return module.add(
        AppautoscalingPolicy,
        label,
        **({} if each is None else {"for_each": each}),
        name=name,
        policy_type="TargetTrackingScaling" if is_target_tracking else "StepScaling",
        **target_arguments(target),
        **arguments,
        **replacement,
        notes=notes,
    )


def replace_with_target(target: Any) -> dict[str, Any]:
    """The arguments that make a policy or a scheduled action anew where its target is."""
    return {
        "notes": {"lifecycle": "AWS deletes what moves a target with it."},
        "lifecycle": {"replace_triggered_by": [target.id]},
    }


def target_arguments(target: Any) -> dict[str, Any]:
    """The arguments by which policies and scheduled actions name their target."""
    names = ("service_namespace", "scalable_dimension", "resource_id")
    return {name: getattr(target, name) for name in names}
