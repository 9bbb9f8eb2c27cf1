"""What the policies that alarms have triggered come to together: another capacity, or the reason for none. Pure.

Source: the user guide. The policy that asks for the largest capacity decides, for out as for in. A cooldown after a
scale-out lets a larger one through, counted from where the first began; one after a scale-in blocks the next, and ends
with a scale-out. Target tracking scales in only where all that track the target and may scale in are ready to and,
which is assumed, no policy's scale-out is so recent that it has yet to take effect: an asynchronous endpoint that was
woken for one request would sleep again before it has answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sagemaker_sandbox.autoscaling import steps, tracking
from sagemaker_sandbox.autoscaling.dimensions import Dimension
from sagemaker_sandbox.autoscaling.target import ScalingPolicy
from sagemaker_sandbox.parts.resources import Fields


@dataclass(frozen=True)
class AlarmTrigger:
    """An alarm's action: what it says of the policy's metric."""

    alarm: str
    state: str
    #: The datapoints that were looked at, the oldest first.
    values: Sequence[float]
    threshold: float | None

    @property
    def is_high(self) -> bool:
        """Whether it asks target tracking for more."""
        return tracking.is_high_alarm(self.alarm)


@dataclass(frozen=True)
class TargetState:
    """A target, as it is when its policies are triggered."""

    capacity: int
    min_capacity: int
    max_capacity: int
    may_scale_out: bool
    may_scale_in: bool
    #: Policies that are in a cooldown after a scale-out, to the capacity before it.
    cooling_out: Mapping[str, int] = field(default_factory=dict)
    #: The same after a scale-in.
    cooling_in: Mapping[str, int] = field(default_factory=dict)
    #: Whether all policies that track the target, and may scale in, are ready to.
    is_scale_in_ready: bool = True


@dataclass(frozen=True)
class ScalingDecision:
    """The capacity that a policy asks for and is to have; or else why not, as DescribeScalingActivities tells it."""

    policy: ScalingPolicy
    trigger: AlarmTrigger
    capacity: int | None
    not_scaled_reason: Fields | None = None


def decide(situation: TargetState, triggered: Sequence[tuple[ScalingPolicy, AlarmTrigger]]) -> ScalingDecision | None:
    """None where nothing is to be done, or told."""
    wishes = [
        (wish, policy, trigger)
        for policy, trigger in triggered
        if (wish := _wish(situation, policy, trigger)) is not None and _is_allowed(situation, wish)
    ]
    if not wishes:
        return None
    wish, policy, trigger = max(wishes, key=lambda one: one[0])
    capacity = min(max(wish, situation.min_capacity), situation.max_capacity)
    if (wish > situation.capacity and capacity > situation.capacity) or (wish < situation.capacity > capacity):
        return ScalingDecision(policy, trigger, capacity)
    return ScalingDecision(policy, trigger, None, _reason(situation, policy, trigger, wish))


def _wish(situation: TargetState, policy: ScalingPolicy, trigger: AlarmTrigger) -> int | None:
    """The capacity that a policy asks for, whatever the bounds; None where it asks for none."""
    before = situation.cooling_out.get(policy.name)
    capacity = situation.capacity if before is None else before
    wish = _tracked if policy.is_target_tracking else _stepped
    found = wish(policy, trigger, capacity)
    if found is None:
        return None
    if found < capacity:  # a cooldown after a scale-out is none for a scale-in by steps
        return None if _waits(situation, policy) else wish(policy, trigger, situation.capacity)
    return None if before is not None and found <= situation.capacity else found


def _waits(situation: TargetState, policy: ScalingPolicy) -> bool:
    """Whether a policy must not scale in yet."""
    if policy.name in situation.cooling_in:
        return True
    return policy.is_target_tracking and (bool(situation.cooling_out) or not situation.is_scale_in_ready)


def _tracked(policy: ScalingPolicy, trigger: AlarmTrigger, capacity: int) -> int | None:
    if not trigger.values:
        return None
    value, target = trigger.values[-1], policy.configuration["TargetValue"]
    if trigger.is_high:
        return tracking.compute_scale_out(capacity, value, target)
    return None if policy.configuration.get("DisableScaleIn") else tracking.compute_scale_in(capacity, value, target)


def _stepped(policy: ScalingPolicy, trigger: AlarmTrigger, capacity: int) -> int | None:
    if trigger.threshold is None:
        return None
    by = steps.find_adjustment(policy.configuration, trigger.values, trigger.threshold)
    return None if by is None else steps.apply_adjustment(policy.configuration, capacity, by)


def _is_allowed(situation: TargetState, wish: int) -> bool:
    if wish > situation.capacity:
        return situation.may_scale_out
    return wish == situation.capacity or situation.may_scale_in


def _reason(situation: TargetState, policy: ScalingPolicy, trigger: AlarmTrigger, wish: int) -> Fields:
    if wish > situation.capacity:
        return {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": situation.max_capacity}
    flapping = policy.is_target_tracking and not trigger.is_high  # one less would be too few: it would scale out again
    if wish < situation.capacity or (flapping and situation.capacity <= situation.min_capacity):
        return {"Code": "AlreadyAtMinCapacity", "MinCapacity": situation.min_capacity}
    code = "AutoScalingAnticipatedFlapping" if flapping else "AlreadyAtDesiredCapacity"
    return {"Code": code, "CurrentCapacity": situation.capacity}


def get_cooldown(policy: ScalingPolicy, dimension: Dimension, *, out: bool) -> timedelta:
    """How long a policy waits after a scaling activity."""
    if policy.is_target_tracking:
        seconds = policy.configuration.get("ScaleOutCooldown" if out else "ScaleInCooldown", dimension.cooldown)
    else:
        seconds = policy.configuration.get("Cooldown", steps.COOLDOWN)
    return timedelta(seconds=seconds)
