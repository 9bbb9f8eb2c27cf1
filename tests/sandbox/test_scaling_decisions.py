"""Capacity that target tracking and steps request, and the combined decision. Pure functions."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.autoscaling import steps, tracking
from sagemaker_sandbox.endpoints.autoscaling.decision import AlarmTrigger, TargetState, decide
from sagemaker_sandbox.endpoints.autoscaling.target import ScalingPolicy
from tests.cases import check_cases

HIGH, LOW = "TargetTracking-endpoint/e/variant/v-AlarmHigh-1", "TargetTracking-endpoint/e/variant/v-AlarmLow-1"
CAPACITIES = st.integers(0, 500)
VALUES = st.floats(0, 1e6)
TARGETS = st.floats(0.01, 1e4)


@given(CAPACITIES, VALUES, TARGETS)
def test_scale_out_brings_the_metric_to_its_target_with_the_fewest_instances(
    capacity: int, value: float, target: float
) -> None:
    result, load = tracking.compute_scale_out(capacity, value, target), max(capacity, 1) * value
    assert result >= capacity
    assert load / max(result, 1) <= target * (1 + 1e-6) or result == capacity == 0
    assert result == capacity or load / (result - 1 or math.inf) > target * (1 - 1e-6) or result == 1


@given(CAPACITIES, VALUES, TARGETS)
def test_scale_in_never_causes_another_scale_out(capacity: int, value: float, target: float) -> None:
    result = tracking.compute_scale_in(capacity, value, target)
    assert 0 <= result <= capacity
    if result < capacity:
        assert capacity * value <= target * (result + 1e-6)


def test_scale_in_is_gradual_and_ends() -> None:
    capacity, capacities = 20, []
    while (reduced := tracking.compute_scale_in(capacity, 30.0 / capacity, 10.0)) < capacity:
        capacities.append(reduced)
        capacity = reduced
    assert capacities == [12, 8, 6, 5, 4, 3]
    assert tracking.compute_scale_in(1, 0.0, 10.0) == 0


OUT = [{"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 0}]
OUT += [{"MetricIntervalLowerBound": 10.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 10}]
OUT += [{"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 30}]
IN = [{"MetricIntervalLowerBound": -10.0, "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": 0}]
IN += [{"MetricIntervalLowerBound": -20.0, "MetricIntervalUpperBound": -10.0, "ScalingAdjustment": -10}]
IN += [{"MetricIntervalUpperBound": -20.0, "ScalingAdjustment": -30}]


def build_percent_policy(steps_: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"AdjustmentType": "PercentChangeInCapacity", "StepAdjustments": steps_, **more}


def apply_steps(policy: dict[str, Any], capacity: int, *values: float) -> int | None:
    adjustment = steps.find_adjustment(policy, values, 50.0)
    return None if adjustment is None else steps.apply_adjustment(policy, capacity, adjustment)


def test_the_steps_follow_the_example_of_the_user_guide() -> None:
    assert [apply_steps(build_percent_policy(OUT), 10, value) for value in (50, 59, 60, 69.9)] == [10, 10, 11, 11]
    assert apply_steps(build_percent_policy(OUT), 11, 70) == 14
    assert [apply_steps(build_percent_policy(IN), 14, value) for value in (50, 40.1, 40)] == [14, 14, 13]
    assert apply_steps(build_percent_policy(IN), 13, 30) == 10
    assert apply_steps(build_percent_policy(OUT), 10, 49.0) is None
    assert apply_steps(build_percent_policy(IN), 10, 51.0) is None


@check_cases(("change", "rounded"), [(12.7, 12), (0.67, 1), (-0.58, -1), (-6.67, -6), (0.0, 0)])
def test_a_percentage_is_rounded_as_in_the_user_guide(change: float, rounded: int) -> None:
    assert steps._round_change(change) == rounded


def test_adjustment_types_and_the_minimum_magnitude_are_respected() -> None:
    quarter = build_percent_policy(
        [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 25}], MinAdjustmentMagnitude=2
    )
    assert apply_steps(quarter, 4, 50) == 6
    quarter["StepAdjustments"][0]["ScalingAdjustment"] = -25
    assert apply_steps(quarter, 4, 50) == 2
    exact = quarter | {"AdjustmentType": "ExactCapacity"}
    exact["StepAdjustments"] = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 7}]
    assert apply_steps(exact, 3, 80) == 7
    assert apply_steps(exact | {"AdjustmentType": "ChangeInCapacity"}, 3, 80) == 10
    assert steps.apply_adjustment(exact | {"AdjustmentType": "ChangeInCapacity"}, 3, -5) == 0


def test_datapoints_are_aggregated_as_configured() -> None:
    capacities = {
        aggregation: apply_steps(build_percent_policy(OUT, MetricAggregationType=aggregation), 10, 52, 61, 90)
        for aggregation in ("Minimum", "Average", "Maximum")
    }
    assert capacities == {"Minimum": 10, "Average": 11, "Maximum": 13}


@check_cases(
    ("bounds", "message"),
    [
        ([], "There must be at least one step adjustment"),
        ([(None, None)], "Both lower and upper bounds of a step adjustment cannot be left unspecified"),
        ([(5, 5), (5, None)], "Lower bound must be less than upper bound for a step adjustment"),
        ([(0, None), (5, None)], "At most one step adjustment may have an unspecified upper bound"),
        ([(None, -5), (None, 0)], "At most one step adjustment may have an unspecified lower bound"),
        ([(0, 10)], "with an unspecified upper bound when one step adjustment has a positive upper bound"),
        ([(-10, 0)], "with an unspecified lower bound when one step adjustment has a negative lower bound"),
        ([(0, 10), (5, None)], "Step adjustment intervals cannot overlap"),
        ([(0, 10), (20, None)], "Step adjustment intervals cannot have gaps between them"),
        ([(0, None)] * 21, "The number of step adjustments cannot be greater than 20"),
    ],
)
def test_inconsistent_steps_are_refused(bounds: list[tuple[Any, Any]], message: str) -> None:
    ends = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    adjustments = [{end: value for end, value in zip(ends, item, strict=True) if value is not None} for item in bounds]
    policy = {"AdjustmentType": "ChangeInCapacity"}
    with pytest.raises(ValidationError, match=message):
        steps.check_step_policy(policy | {"StepAdjustments": [item | {"ScalingAdjustment": 1} for item in adjustments]})


def build_tracking_policy(**more: Any) -> ScalingPolicy:
    configuration = {"TargetValue": 10.0, **more}
    return ScalingPolicy("tracks", "arn:tracks", "TargetTrackingScaling", configuration, datetime.now(UTC))


def build_step_policy(adjustment: int, name: str = "steps") -> ScalingPolicy:
    bound = "MetricIntervalLowerBound" if adjustment > 0 else "MetricIntervalUpperBound"
    configuration = {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{bound: 0.0, "ScalingAdjustment": adjustment}],
    }
    return ScalingPolicy(name, f"arn:{name}", "StepScaling", configuration, datetime.now(UTC))


def build_state(capacity: int, min_capacity: int = 1, max_capacity: int = 50, **more: Any) -> TargetState:
    return TargetState(capacity, min_capacity, max_capacity, **{"may_scale_out": True, "may_scale_in": True} | more)


def trigger_high(value: float) -> AlarmTrigger:
    return AlarmTrigger(HIGH, "ALARM", [value], 10.0)


def trigger_low(value: float) -> AlarmTrigger:
    return AlarmTrigger(LOW, "ALARM", [value], 9.0)


def trigger_at(value: float) -> AlarmTrigger:
    return AlarmTrigger("mine", "ALARM", [value], 50.0)


def decide_capacity(state: TargetState, *triggered: tuple[ScalingPolicy, AlarmTrigger]) -> int | None:
    decision = decide(state, triggered)
    return None if decision is None else decision.capacity


def decide_reason(state: TargetState, *triggered: tuple[ScalingPolicy, AlarmTrigger]) -> dict[str, Any]:
    decision = decide(state, triggered)
    assert decision is not None
    assert decision.not_scaled_reason is not None
    return decision.not_scaled_reason


def test_the_policy_with_the_largest_capacity_decides() -> None:
    assert (
        decide_capacity(
            build_state(10), (build_step_policy(3), trigger_at(60)), (build_tracking_policy(), trigger_high(30))
        )
        == 30
    )
    assert (
        decide_capacity(
            build_state(10), (build_step_policy(-2), trigger_at(40)), (build_tracking_policy(), trigger_high(11))
        )
        == 11
    )
    assert (
        decide_capacity(
            build_state(10), (build_step_policy(-2), trigger_at(40)), (build_tracking_policy(), trigger_low(1))
        )
        == 8
    )


def test_the_capacity_stays_between_its_bounds_with_a_reason() -> None:
    assert decide_capacity(build_state(10, max_capacity=12), (build_tracking_policy(), trigger_high(30))) == 12
    assert decide_reason(build_state(10, max_capacity=10), (build_tracking_policy(), trigger_high(30))) == {
        "Code": "AlreadyAtMaxCapacity",
        "MaxCapacity": 10,
    }
    assert decide_reason(build_state(2, min_capacity=2), (build_tracking_policy(), trigger_low(1))) == {
        "Code": "AlreadyAtMinCapacity",
        "MinCapacity": 2,
    }
    flapping = {"Code": "AutoScalingAnticipatedFlapping", "CurrentCapacity": 2}
    assert decide_reason(build_state(2), (build_tracking_policy(), trigger_low(6))) == flapping
    no_change = build_percent_policy(OUT) | {"AdjustmentType": "ChangeInCapacity"}
    policy = ScalingPolicy("p", "arn:p", "StepScaling", no_change, datetime.now(UTC))
    assert decide_reason(build_state(2), (policy, trigger_at(55))) == {
        "Code": "AlreadyAtDesiredCapacity",
        "CurrentCapacity": 2,
    }


def test_a_cooldown_after_a_scale_out_allows_only_a_larger_one() -> None:
    cooling = build_state(3, cooling_out={"tracks": 1, "steps": 1})
    assert decide(cooling, [(build_tracking_policy(), trigger_high(30))]) is None
    assert decide_capacity(cooling, (build_tracking_policy(), trigger_high(50))) == 5
    assert decide(cooling, [(build_step_policy(2), trigger_at(60))]) is None
    assert decide_capacity(cooling, (build_step_policy(3), trigger_at(60))) == 4
    assert decide_capacity(cooling, (build_step_policy(2, "another"), trigger_at(60))) == 5


def test_a_cooldown_after_a_scale_in_blocks_only_scale_in() -> None:
    cooling = build_state(5, cooling_in={"tracks": 6, "steps": 6})
    assert decide(cooling, [(build_tracking_policy(), trigger_low(0))]) is None
    assert decide(cooling, [(build_step_policy(-1), trigger_at(40))]) is None
    assert decide_capacity(cooling, (build_tracking_policy(), trigger_high(20))) == 10


def test_target_tracking_scales_in_only_if_all_policies_are_ready_unlike_steps() -> None:
    assert decide(build_state(4, is_scale_in_ready=False), [(build_tracking_policy(), trigger_low(0))]) is None
    assert decide(build_state(4, cooling_out={"another": 2}), [(build_tracking_policy(), trigger_low(0))]) is None
    assert (
        decide_capacity(
            build_state(4, is_scale_in_ready=False, cooling_out={"another": 2}), (build_step_policy(-1), trigger_at(40))
        )
        == 3
    )
    assert decide(build_state(4), [(build_tracking_policy(DisableScaleIn=True), trigger_low(0))]) is None


def test_suspended_scaling_does_nothing() -> None:
    assert decide(build_state(4, may_scale_in=False), [(build_tracking_policy(), trigger_low(0))]) is None
    assert decide(build_state(4, may_scale_out=False), [(build_tracking_policy(), trigger_high(40))]) is None
    assert decide_capacity(build_state(4, may_scale_in=False), (build_tracking_policy(), trigger_high(40))) == 16


def test_an_alarm_without_datapoints_does_not_scale() -> None:
    assert decide(build_state(4), [(build_tracking_policy(), AlarmTrigger(HIGH, "ALARM", [], 10.0))]) is None
    assert decide(build_state(4), [(build_step_policy(1), AlarmTrigger("mine", "ALARM", [], 50.0))]) is None
    assert decide(build_state(4), [(build_step_policy(1), AlarmTrigger("composite", "ALARM", [60], None))]) is None
