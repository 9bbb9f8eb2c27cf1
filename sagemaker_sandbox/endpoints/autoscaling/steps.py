"""Step scaling: capacity change for the size of a breach. Source: user guide, "Step scaling policies"."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields

#: Default cooldown in seconds.
COOLDOWN = 300
_MAX_STEPS = 20
_AGGREGATIONS: Mapping[str, Callable[[Sequence[float]], float]] = {"Average": fmean, "Minimum": min, "Maximum": max}


def find_adjustment(policy: Fields, values: Sequence[float], threshold: float) -> int | None:
    """Return the ScalingAdjustment for the datapoints of an alarm; None if no step matches."""
    if not values:
        return None
    breach = _AGGREGATIONS[policy.get("MetricAggregationType", "Average")](values) - threshold
    for is_above in (True, False) if breach == 0 else (breach > 0,):
        for step in policy["StepAdjustments"]:
            lower, upper = _get_bounds(step)
            if (lower <= breach < upper) if is_above else (lower < breach <= upper):
                return int(step["ScalingAdjustment"])
    return None


def apply_adjustment(policy: Fields, capacity: int, adjustment: int) -> int:
    """Return the capacity after an adjustment."""
    if policy["AdjustmentType"] == "ExactCapacity":
        return adjustment
    if policy["AdjustmentType"] == "ChangeInCapacity":
        return max(capacity + adjustment, 0)
    change = _round_change(capacity * adjustment / 100)
    min_magnitude = policy.get("MinAdjustmentMagnitude", 0)
    if adjustment and abs(change) < min_magnitude:
        change = min_magnitude if adjustment > 0 else -min_magnitude
    return max(capacity + change, 0)


def check_step_policy(policy: Fields) -> None:
    """Raise ValidationError for inconsistent steps."""
    steps, kind = policy.get("StepAdjustments", ()), policy.get("AdjustmentType")
    _refuse_if(kind is None, "Adjustment type must be specified")
    _refuse_if(not steps, "There must be at least one step adjustment")
    _refuse_if(len(steps) > _MAX_STEPS, f"The number of step adjustments cannot be greater than {_MAX_STEPS}")
    _refuse_if(
        kind != "PercentChangeInCapacity" and "MinAdjustmentMagnitude" in policy,
        "Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity",
    )
    _refuse_if(
        kind == "ExactCapacity" and any(step["ScalingAdjustment"] < 0 for step in steps),
        "Scaling adjustment cannot be less than 0 when adjustment type is ExactCapacity",
    )
    _check_bounds(sorted(map(_get_bounds, steps)))


def _check_bounds(bounds: list[tuple[float, float]]) -> None:
    _refuse_if(
        (-math.inf, math.inf) in bounds, "Both lower and upper bounds of a step adjustment cannot be left unspecified"
    )
    _refuse_if(
        any(lower >= upper for lower, upper in bounds),
        "Lower bound must be less than upper bound for a step adjustment",
    )
    lowers, uppers = [lower for lower, _ in bounds], [upper for _, upper in bounds]
    for side, ends, infinity, sign in (
        ("lower", lowers, -math.inf, "negative"),
        ("upper", uppers, math.inf, "positive"),
    ):
        _refuse_if(ends.count(infinity) > 1, f"At most one step adjustment may have an unspecified {side} bound")
        _refuse_if(
            infinity not in ends and any(bound < 0 if sign == "negative" else bound > 0 for bound in ends),
            f"There must be a step adjustment with an unspecified {side} bound when one step adjustment has a {sign} "
            f"{side} bound",
        )
    _refuse_if(
        any(bound[1] > other[0] for bound, other in pairwise(bounds)), "Step adjustment intervals cannot overlap"
    )
    _refuse_if(
        any(bound[1] < other[0] for bound, other in pairwise(bounds)),
        "Step adjustment intervals cannot have gaps between them",
    )


def _refuse_if(is_wrong: bool, message: str) -> None:
    if is_wrong:
        raise ValidationError(message)


def _get_bounds(step: Fields) -> tuple[float, float]:
    return step.get("MetricIntervalLowerBound", -math.inf), step.get("MetricIntervalUpperBound", math.inf)


def _round_change(change: float) -> int:
    """Round toward zero, but never to zero."""
    return math.trunc(change) if abs(change) >= 1 else int(math.copysign(change != 0, change))
