"""Step scaling: by how much an alarm's breach moves the capacity. Source: the user guide, "Step scaling policies"."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: In seconds, where a policy does not say.
COOLDOWN = 300
_MOST_STEPS = 20
_AGGREGATED: Mapping[str, Callable[[Sequence[float]], float]] = {"Average": fmean, "Minimum": min, "Maximum": max}


def find_adjustment(policy: Fields, values: Sequence[float], threshold: float) -> int | None:
    """The ScalingAdjustment for the datapoints of an alarm; None where no step is for them."""
    if not values:
        return None
    breach = _AGGREGATED[policy.get("MetricAggregationType", "Average")](values) - threshold
    for above in (True, False) if breach == 0 else (breach > 0,):
        for step in policy["StepAdjustments"]:
            lower, upper = _bounds(step)
            if (lower <= breach < upper) if above else (lower < breach <= upper):
                return int(step["ScalingAdjustment"])
    return None


def apply_adjustment(policy: Fields, capacity: int, by: int) -> int:
    """The capacity after an adjustment of that much."""
    if policy["AdjustmentType"] == "ExactCapacity":
        return by
    if policy["AdjustmentType"] == "ChangeInCapacity":
        return max(capacity + by, 0)
    change = _rounded(capacity * by / 100)
    least = policy.get("MinAdjustmentMagnitude", 0)
    if by and abs(change) < least:
        change = least if by > 0 else -least
    return max(capacity + change, 0)


def check_step_policy(policy: Fields) -> None:
    """Raise ValidationError for steps that contradict each other."""
    steps, kind = policy.get("StepAdjustments", ()), policy.get("AdjustmentType")
    _refuse(kind is None, "Adjustment type must be specified")
    _refuse(not steps, "There must be at least one step adjustment")
    _refuse(len(steps) > _MOST_STEPS, f"The number of step adjustments cannot be greater than {_MOST_STEPS}")
    _refuse(
        kind != "PercentChangeInCapacity" and "MinAdjustmentMagnitude" in policy,
        "Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity",
    )
    _refuse(
        kind == "ExactCapacity" and any(step["ScalingAdjustment"] < 0 for step in steps),
        "Scaling adjustment cannot be less than 0 when adjustment type is ExactCapacity",
    )
    _check_bounds(sorted(map(_bounds, steps)))


def _check_bounds(bounds: list[tuple[float, float]]) -> None:
    _refuse(
        (-math.inf, math.inf) in bounds,
        "Both lower and upper bounds of a step adjustment cannot be left unspecified",
    )
    _refuse(
        any(lower >= upper for lower, upper in bounds),
        "Lower bound must be less than upper bound for a step adjustment",
    )
    lowers, uppers = [lower for lower, _ in bounds], [upper for _, upper in bounds]
    for of, ends, end, sign in (("lower", lowers, -math.inf, "negative"), ("upper", uppers, math.inf, "positive")):
        _refuse(ends.count(end) > 1, f"At most one step adjustment may have an unspecified {of} bound")
        _refuse(
            end not in ends and any(one < 0 if sign == "negative" else one > 0 for one in ends),
            f"There must be a step adjustment with an unspecified {of} bound when one step adjustment has a {sign} "
            f"{of} bound",
        )
    _refuse(any(one[1] > other[0] for one, other in pairwise(bounds)), "Step adjustment intervals cannot overlap")
    _refuse(
        any(one[1] < other[0] for one, other in pairwise(bounds)),
        "Step adjustment intervals cannot have gaps between them",
    )


def _refuse(wrong: bool, message: str) -> None:
    if wrong:
        raise ValidationError(message)


def _bounds(step: Fields) -> tuple[float, float]:
    return step.get("MetricIntervalLowerBound", -math.inf), step.get("MetricIntervalUpperBound", math.inf)


def _rounded(change: float) -> int:
    """Towards zero, but never to zero."""
    return math.trunc(change) if abs(change) >= 1 else int(math.copysign(change != 0, change))
