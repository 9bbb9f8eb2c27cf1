"""Combined decision of the triggered scaling policies: another capacity, or the reason for none. Pure functions.

Source: the user guide. The policy with the largest capacity decides, for scale-out and scale-in.

A cooldown after a scale-out still allows a larger one, counted from the capacity before the first. A cooldown after a
scale-in blocks the next scale-in, and ends with a scale-out.

Target tracking scales in only if every tracking policy that may scale in is ready. Assumed: it also waits while the
scale-out of any policy is in its cooldown. Otherwise an asynchronous endpoint that scaled out for one request would
scale in again before it has answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sagemaker_sandbox.endpoints.autoscaling import steps, tracking
from sagemaker_sandbox.endpoints.autoscaling.dimensions import ScalableDimension
from sagemaker_sandbox.endpoints.autoscaling.target import ScalingPolicy
from sagemaker_sandbox.resources.resources import Fields


@dataclass(frozen=True)
class AlarmTrigger:
    """The action of an alarm, with the values of its metric."""

    alarm: str
    state: str
    #: Evaluated datapoints, the oldest first.
    values: Sequence[float]
    threshold: float | None

    @property
    def is_high(self) -> bool:
        """True if the alarm requests more capacity from target tracking."""
        return tracking.is_high_alarm(self.alarm)


@dataclass(frozen=True)
class TargetState:
    """State of a target when its policies are triggered."""

    capacity: int
    min_capacity: int
    max_capacity: int
    may_scale_out: bool
    may_scale_in: bool
    #: Policies in a cooldown after a scale-out, with the capacity before it.
    cooling_out: Mapping[str, int] = field(default_factory=dict)
    #: Policies in a cooldown after a scale-in, with the capacity before it.
    cooling_in: Mapping[str, int] = field(default_factory=dict)
    #: True if all tracking policies that may scale in are ready to.
    is_scale_in_ready: bool = True


@dataclass(frozen=True)
class ScalingDecision:
    """Result for one policy: the new capacity, or the reason in DescribeScalingActivities for none."""

    policy: ScalingPolicy
    trigger: AlarmTrigger
    capacity: int | None
    not_scaled_reason: Fields | None = None


def decide(state: TargetState, triggered: Sequence[tuple[ScalingPolicy, AlarmTrigger]]) -> ScalingDecision | None:
    """Return the decision for the triggered policies; None if there is nothing to do or to report."""
    proposals = [
        (proposal, policy, trigger)
        for policy, trigger in triggered
        if (proposal := _propose(state, policy, trigger)) is not None and _is_allowed(state, proposal)
    ]
    if not proposals:
        return None
    proposal, policy, trigger = max(proposals, key=lambda item: item[0])
    capacity = min(max(proposal, state.min_capacity), state.max_capacity)
    if (proposal > state.capacity and capacity > state.capacity) or (proposal < state.capacity > capacity):
        return ScalingDecision(policy, trigger, capacity)
    return ScalingDecision(policy, trigger, None, _build_reason(state, policy, trigger, proposal))


def _propose(state: TargetState, policy: ScalingPolicy, trigger: AlarmTrigger) -> int | None:
    """Return the capacity that a policy requests, before bounds apply; None if it requests none."""
    capacity_before = state.cooling_out.get(policy.name)
    capacity = state.capacity if capacity_before is None else capacity_before
    compute = _propose_tracking if policy.is_target_tracking else _propose_step
    proposal = compute(policy, trigger, capacity)
    if proposal is None:
        return None
    if proposal < capacity:  # the scale-out cooldown does not affect a scale-in by steps
        return None if _must_wait(state, policy) else compute(policy, trigger, state.capacity)
    return None if capacity_before is not None and proposal <= state.capacity else proposal


def _must_wait(state: TargetState, policy: ScalingPolicy) -> bool:
    """Return whether a policy must not scale in yet."""
    if policy.name in state.cooling_in:
        return True
    return policy.is_target_tracking and (bool(state.cooling_out) or not state.is_scale_in_ready)


def _propose_tracking(policy: ScalingPolicy, trigger: AlarmTrigger, capacity: int) -> int | None:
    if not trigger.values:
        return None
    value, target = trigger.values[-1], policy.configuration["TargetValue"]
    if trigger.is_high:
        return tracking.compute_scale_out(capacity, value, target)
    return None if policy.configuration.get("DisableScaleIn") else tracking.compute_scale_in(capacity, value, target)


def _propose_step(policy: ScalingPolicy, trigger: AlarmTrigger, capacity: int) -> int | None:
    if trigger.threshold is None:
        return None
    adjustment = steps.find_adjustment(policy.configuration, trigger.values, trigger.threshold)
    return None if adjustment is None else steps.apply_adjustment(policy.configuration, capacity, adjustment)


def _is_allowed(state: TargetState, proposal: int) -> bool:
    if proposal > state.capacity:
        return state.may_scale_out
    return proposal == state.capacity or state.may_scale_in


def _build_reason(state: TargetState, policy: ScalingPolicy, trigger: AlarmTrigger, proposal: int) -> Fields:
    if proposal > state.capacity:
        return {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": state.max_capacity}
    is_flapping = policy.is_target_tracking and not trigger.is_high  # with one instance less it would scale out again
    if proposal < state.capacity or (is_flapping and state.capacity <= state.min_capacity):
        return {"Code": "AlreadyAtMinCapacity", "MinCapacity": state.min_capacity}
    code = "AutoScalingAnticipatedFlapping" if is_flapping else "AlreadyAtDesiredCapacity"
    return {"Code": code, "CurrentCapacity": state.capacity}


def get_cooldown(policy: ScalingPolicy, dimension: ScalableDimension, *, is_scale_out: bool) -> timedelta:
    """Return the time that a policy waits after a scaling activity."""
    if policy.is_target_tracking:
        seconds = policy.configuration.get(
            "ScaleOutCooldown" if is_scale_out else "ScaleInCooldown", dimension.cooldown
        )
    else:
        seconds = policy.configuration.get("Cooldown", steps.COOLDOWN)
    return timedelta(seconds=seconds)
