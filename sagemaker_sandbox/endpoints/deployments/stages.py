"""Stages of a deployment and of its rollback, computed from the policy and the fleet sizes.

Documented: developer guide, "Deployment guardrails". Traffic shifts by whole instances: of four instances, a canary of
30 % is one instance with a quarter of the traffic.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.endpoints.deployments.policy import CANARY, DeploymentPolicy, InstanceCounts, count_instances
from sagemaker_sandbox.resources.resources import Fields

_WAIT, _TERMINATION = "WaitIntervalInSeconds", "TerminationWaitInSeconds"


@dataclass(frozen=True)
class DeploymentStage:
    """One stage: `new_counts` instances take `traffic_share`; after baking, `old_counts` instances remain."""

    traffic_share: float
    new_counts: InstanceCounts
    old_counts: InstanceCounts
    #: Instances of the new fleet with traffic.
    active_counts: InstanceCounts
    bake_seconds: int = 0
    #: Request member that sets the baking time.
    bake_member: str = _TERMINATION
    #: SageMaker name of the active part.
    capacity: str = "full"


def plan_stages(policy: DeploymentPolicy, old: InstanceCounts, new: InstanceCounts) -> list[DeploymentStage]:
    """Return the stages in which `new` instances replace `old` ones. The last stage has all the traffic."""
    if policy.step_size is None or not any(new.values()):
        wait = policy.wait_seconds if policy.rolling is not None else policy.termination_seconds
        return [DeploymentStage(1.0, new, _build_zero_counts(old), new, wait, _TERMINATION)]
    return list(_plan_rolling(policy, old, new) if policy.rolling is not None else _plan_blue_green(policy, old, new))


def plan_rollback(
    policy: DeploymentPolicy, old: InstanceCounts, reached: DeploymentStage, remaining: InstanceCounts
) -> list[DeploymentStage]:
    """Return the stages from the `reached` stage back to the `old` instances.

    `remaining` are the old instances that still run. In each stage of a rolling deployment the old instances start
    first, then the traffic moves, then the new instances end.
    """
    if policy.rolling is None:
        return [
            DeploymentStage(0.0, _build_zero_counts(reached.new_counts), old, _build_zero_counts(reached.new_counts))
        ]
    size = policy.rolling.get("RollbackMaximumBatchSize", {"Type": "CAPACITY_PERCENT", "Value": 100})
    return list(_plan_batch_rollback(size, old, reached, remaining))


def _plan_batch_rollback(
    size: Fields, old: InstanceCounts, reached: DeploymentStage, remaining: InstanceCounts
) -> Iterator[DeploymentStage]:
    restored, missing = dict(remaining), 1.0
    while missing:
        restored = {
            name: min(restored.get(name, 0) + count_instances(size, count), count) for name, count in old.items()
        }
        missing = 1 - sum(restored.values()) / sum(old.values()) if any(old.values()) else 0.0
        new = {name: math.ceil(count * missing) for name, count in reached.new_counts.items()}
        yield DeploymentStage(min(reached.traffic_share, missing), new, restored, new)


def _plan_rolling(policy: DeploymentPolicy, old: InstanceCounts, new: InstanceCounts) -> Iterator[DeploymentStage]:
    assert policy.step_size is not None
    _, size = policy.step_size
    ((variant, count),) = new.items()
    batch, replaced = count_instances(size, count), 0
    while replaced < count:
        replaced = min(replaced + batch, count)
        new_counts = {variant: replaced}
        old_counts = {variant: math.ceil(old.get(variant, 0) * (count - replaced) / count)}
        capacity = "full" if replaced == count else "partial"
        yield DeploymentStage(
            replaced / count, new_counts, old_counts, new_counts, policy.wait_seconds, _WAIT, capacity
        )


def _plan_blue_green(policy: DeploymentPolicy, old: InstanceCounts, new: InstanceCounts) -> Iterator[DeploymentStage]:
    assert policy.step_size is not None
    _, size = policy.step_size
    is_canary = policy.routing_type == CANARY
    for step in itertools.count(1):
        active = {name: min(step * count_instances(size, count), count) for name, count in new.items()}
        if active == new or (is_canary and step > 1):
            break
        share = sum(active.values()) / sum(new.values())
        yield DeploymentStage(share, new, old, active, policy.wait_seconds, _WAIT, "canary" if is_canary else "partial")
    yield DeploymentStage(1.0, new, _build_zero_counts(old), new, policy.termination_seconds)


def _build_zero_counts(counts: InstanceCounts) -> InstanceCounts:
    return dict.fromkeys(counts, 0)
