"""Deployment strategy: the replacement of an old model by a new one."""

from typing import Any, Literal

from modules.endpoints import rollback
from sustainable_mlops.authoring import Field, ModuleInputs, rule
from sustainable_mlops.authoring.expressions import Dynamic, set_of, upper, when

PERCENT = "CAPACITY_PERCENT"


def _sum_wait_seconds(v: Any) -> Any:
    """Return the total wait of all steps of a deployment, in seconds."""
    steps = when(v.strategy == "all_at_once", 0, when(v.strategy == "canary", 1, 100 / v.step_percent))
    return steps * v.wait_seconds + when(v.strategy == "rolling", 0, v.bake_seconds)


class DeploymentInputs(ModuleInputs):
    """Deployment strategy of an endpoint, and the conditions of a rollback."""

    bake_seconds: int = Field(
        300,
        ge=0,
        le=3600,
        description="Time that the old instances stay after all requests have moved, in seconds. Not used by rolling "
        "deployments.",
    )
    error_percent: int = Field(
        5, ge=0, le=99, description="Acceptable share of error responses (5xx) of a variant, in percent."
    )
    step_percent: int = Field(
        50,
        ge=5,
        le=50,
        description="Share of the instances in a canary, a linear step or a rolling batch, in percent; at least one "
        "instance.",
    )
    strategy: Literal["rolling", "canary", "linear", "all_at_once"] = Field(
        "rolling",
        description="rolling replaces the instances in batches. The others start a second fleet and move the requests "
        "first in part (canary), in steps (linear), or in one step (all_at_once).",
    )
    wait_seconds: int = Field(
        300, ge=0, le=3600, description="Time that each step is watched before the next, in seconds."
    )

    rules = (
        rule(
            "wait_seconds",
            lambda v: _sum_wait_seconds(v) <= rollback.LONGEST_WATCH,
            "the AWS provider waits one hour for a deployment, and the steps and bake_seconds of this one wait more "
            f"than {rollback.LONGEST_WATCH} seconds; shorten the waits, or use fewer steps.",
        ),
        rule(
            "error_percent",
            lambda v: (v.strategy == "all_at_once") | (v.error_percent < v.step_percent),
            lambda v: (
                f"must be less than step_percent, {v.step_percent}: a bad model cannot cause more errors in its first "
                "step."
            ),
        ),
        rule(
            "step_percent",
            lambda v: (v.strategy != "linear") | (v.step_percent >= 10),
            "a linear step must be at least 10 percent.",
        ),
    )


def build_trigger_input(deployment: Any, more_alarms: Any) -> dict[str, Any]:
    """Return the inputs that the deployment block depends on, without those that the strategy does not use."""
    return {
        "bake_seconds": when(deployment.strategy == "rolling", None, deployment.bake_seconds),
        "more_rollback_alarms": set_of(more_alarms),
        "step_percent": when(deployment.strategy == "all_at_once", None, deployment.step_percent),
        "strategy": deployment.strategy,
        "wait_seconds": deployment.wait_seconds,
    }


def build_deployment_block(deployment: Any, alarms: Any) -> dict[str, Any]:
    """Return the deployment block of the endpoint, with one of the two policies and these alarms."""
    rolling: Any = deployment.strategy == "rolling"
    nothing: list[Any] = []

    def select_strategy(strategy: str) -> Any:
        return when(deployment.strategy == strategy, [deployment.step_percent], nothing)

    return {
        "blue_green_update_policy": Dynamic(
            when(rolling, nothing, [deployment]),
            lambda new: {
                "termination_wait_in_seconds": new.value.bake_seconds,
                "traffic_routing_configuration": {
                    "type": upper(new.value.strategy),
                    "wait_interval_in_seconds": new.value.wait_seconds,
                    "canary_size": Dynamic(
                        select_strategy("canary"), lambda size: {"type": PERCENT, "value": size.value}
                    ),
                    "linear_step_size": Dynamic(
                        select_strategy("linear"), lambda size: {"type": PERCENT, "value": size.value}
                    ),
                },
            },
        ),
        "rolling_update_policy": Dynamic(
            when(rolling, [deployment], nothing),
            lambda new: {
                "wait_interval_in_seconds": new.value.wait_seconds,
                "maximum_batch_size": {"type": PERCENT, "value": new.value.step_percent},
            },
        ),
        "auto_rollback_configuration": rollback.build_rollback_block(alarms),
    }
