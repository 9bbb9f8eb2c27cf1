"""Scaling of an endpoint's variants."""

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
    """Add the scalable target of a variant, `between` a minimum and a maximum.

    It is replaced with the endpoint and with each of `triggers`. Changes of the arguments in `ignored` are ignored.
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
        notes={
            "lifecycle": "AWS deletes the target with its endpoint, even if an endpoint with the same name follows."
        },
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
    """Add a scaling policy for a target, or with `each` one policy for each target."""
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
    """Return the arguments that replace a policy or a scheduled action together with its target."""
    return {
        "notes": {"lifecycle": "AWS deletes policies and scheduled actions together with their target."},
        "lifecycle": {"replace_triggered_by": [target.id]},
    }


def target_arguments(target: Any) -> dict[str, Any]:
    """Return the arguments that identify the target of a policy or a scheduled action."""
    names = ("service_namespace", "scalable_dimension", "resource_id")
    return {name: getattr(target, name) for name in names}
