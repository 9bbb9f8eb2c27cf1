"""The stages of a deployment, and of the way back: what its policy makes of the sizes of the fleets. Pure.

Documented: developer guide, "Deployment guardrails". Traffic goes by whole instances: of four, a canary of 30 % is one
and takes a quarter.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.deployments.policy import CANARY, DeploymentPolicy, InstanceCounts, count_instances
from sagemaker_sandbox.parts.resources import Fields

_WAIT, _TERMINATION = "WaitIntervalInSeconds", "TerminationWaitInSeconds"


@dataclass(frozen=True)
class DeploymentStage:
    """`new` instances of the new fleet take `share` of the traffic; once they have baked, `old` ones stay."""

    traffic_share: float
    new_counts: InstanceCounts
    old_counts: InstanceCounts
    #: Those of the new fleet that have traffic.
    active_counts: InstanceCounts
    bake_seconds: int = 0
    #: The member that says how long it bakes.
    bake_member: str = _TERMINATION
    #: What SageMaker calls the part that is active.
    capacity: str = "full"


def plan_stages(policy: DeploymentPolicy, old: InstanceCounts, new: InstanceCounts) -> list[DeploymentStage]:
    """How `new` instances take over from `old` ones, variant by variant; the last stage has all the traffic."""
    if policy.step_size is None or not any(new.values()):
        wait = policy.wait_seconds if policy.rolling is not None else policy.termination_seconds
        return [DeploymentStage(1.0, new, _none(old), new, wait, _TERMINATION)]
    return list(_rolling(policy, old, new) if policy.rolling is not None else _blue_green(policy, old, new))


def plan_rollback(
    policy: DeploymentPolicy, old: InstanceCounts, reached: DeploymentStage, left: InstanceCounts
) -> list[DeploymentStage]:
    """From a stage that was `reached`, with `left` old instances, to `old` ones and all the traffic with these.

    In a rolling deployment's stages `old` are had first, then the traffic moves, then `new` ones stay.
    """
    if policy.rolling is None:
        return [DeploymentStage(0.0, _none(reached.new_counts), old, _none(reached.new_counts))]
    size = policy.rolling.get("RollbackMaximumBatchSize", {"Type": "CAPACITY_PERCENT", "Value": 100})
    return list(_batches_back(size, old, reached, left))


def _batches_back(
    size: Fields, old: InstanceCounts, reached: DeploymentStage, left: InstanceCounts
) -> Iterator[DeploymentStage]:
    have, missing = dict(left), 1.0
    while missing:
        have = {name: min(have.get(name, 0) + count_instances(size, count), count) for name, count in old.items()}
        missing = 1 - sum(have.values()) / sum(old.values()) if any(old.values()) else 0.0
        new = {name: math.ceil(count * missing) for name, count in reached.new_counts.items()}
        yield DeploymentStage(min(reached.traffic_share, missing), new, have, new)


def _rolling(policy: DeploymentPolicy, old: InstanceCounts, new: InstanceCounts) -> Iterator[DeploymentStage]:
    assert policy.step_size is not None
    _, size = policy.step_size
    ((variant, count),) = new.items()
    batch, replaced = count_instances(size, count), 0
    while replaced < count:
        replaced = min(replaced + batch, count)
        has = {variant: replaced}
        stay = {variant: math.ceil(old.get(variant, 0) * (count - replaced) / count)}
        capacity = "full" if replaced == count else "partial"
        yield DeploymentStage(replaced / count, has, stay, has, policy.wait_seconds, _WAIT, capacity)


def _blue_green(policy: DeploymentPolicy, old: InstanceCounts, new: InstanceCounts) -> Iterator[DeploymentStage]:
    assert policy.step_size is not None
    _, size = policy.step_size
    canary = policy.routing_type == CANARY
    for step in itertools.count(1):
        active = {name: min(step * count_instances(size, count), count) for name, count in new.items()}
        if active == new or (canary and step > 1):
            break
        share = sum(active.values()) / sum(new.values())
        yield DeploymentStage(share, new, old, active, policy.wait_seconds, _WAIT, "canary" if canary else "partial")
    yield DeploymentStage(1.0, new, _none(old), new, policy.termination_seconds)


def _none(counts: InstanceCounts) -> InstanceCounts:
    return dict.fromkeys(counts, 0)
