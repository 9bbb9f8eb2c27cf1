"""The stages of a deployment, and of the way back: what its policy makes of the sizes of the fleets. Pure.

Documented: developer guide, "Deployment guardrails". Traffic goes by whole instances: of four, a canary of 30 % is one
and takes a quarter.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.deployments.policy import CANARY, Counts, Policy, instances
from sagemaker_sandbox.parts.resources import Fields

_WAIT, _TERMINATION = "WaitIntervalInSeconds", "TerminationWaitInSeconds"


@dataclass(frozen=True)
class Stage:
    """`new` instances of the new fleet take `share` of the traffic; once they have baked, `old` ones stay."""

    share: float
    new: Counts
    old: Counts
    #: Those of the new fleet that have traffic.
    active: Counts
    bake_seconds: int = 0
    #: The member that says how long it bakes.
    baked_by: str = _TERMINATION
    #: What SageMaker calls the part that is active.
    capacity: str = "full"


def stages(policy: Policy, old: Counts, new: Counts) -> list[Stage]:
    """How `new` instances take over from `old` ones, variant by variant; the last stage has all the traffic."""
    if policy.step is None or not any(new.values()):
        wait = policy.wait_seconds if policy.rolling is not None else policy.termination_seconds
        return [Stage(1.0, new, _none(old), new, wait, _TERMINATION)]
    return list(_rolling(policy, old, new) if policy.rolling is not None else _blue_green(policy, old, new))


def way_back(policy: Policy, old: Counts, reached: Stage, left: Counts) -> list[Stage]:
    """From a stage that was `reached`, with `left` old instances, to `old` ones and all the traffic with these.

    In a rolling deployment's stages `old` are had first, then the traffic moves, then `new` ones stay.
    """
    if policy.rolling is None:
        return [Stage(0.0, _none(reached.new), old, _none(reached.new))]
    size = policy.rolling.get("RollbackMaximumBatchSize", {"Type": "CAPACITY_PERCENT", "Value": 100})
    return list(_batches_back(size, old, reached, left))


def _batches_back(size: Fields, old: Counts, reached: Stage, left: Counts) -> Iterator[Stage]:
    have, missing = dict(left), 1.0
    while missing:
        have = {name: min(have.get(name, 0) + instances(size, count), count) for name, count in old.items()}
        missing = 1 - sum(have.values()) / sum(old.values()) if any(old.values()) else 0.0
        new = {name: math.ceil(count * missing) for name, count in reached.new.items()}
        yield Stage(min(reached.share, missing), new, have, new)


def _rolling(policy: Policy, old: Counts, new: Counts) -> Iterator[Stage]:
    assert policy.step is not None
    _, size = policy.step
    ((variant, count),) = new.items()
    batch, replaced = instances(size, count), 0
    while replaced < count:
        replaced = min(replaced + batch, count)
        has = {variant: replaced}
        stay = {variant: math.ceil(old.get(variant, 0) * (count - replaced) / count)}
        capacity = "full" if replaced == count else "partial"
        yield Stage(replaced / count, has, stay, has, policy.wait_seconds, _WAIT, capacity)


def _blue_green(policy: Policy, old: Counts, new: Counts) -> Iterator[Stage]:
    assert policy.step is not None
    _, size = policy.step
    canary = policy.shifts == CANARY
    for step in itertools.count(1):
        active = {name: min(step * instances(size, count), count) for name, count in new.items()}
        if active == new or (canary and step > 1):
            break
        share = sum(active.values()) / sum(new.values())
        yield Stage(share, new, old, active, policy.wait_seconds, _WAIT, "canary" if canary else "partial")
    yield Stage(1.0, new, _none(old), new, policy.termination_seconds)


def _none(counts: Counts) -> Counts:
    return dict.fromkeys(counts, 0)
