"""Deployment stages for policies and fleet sizes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.deployments.policy import DeploymentPolicy, check_policy, check_variant_names
from sagemaker_sandbox.endpoints.deployments.stages import DeploymentStage, plan_rollback, plan_stages
from tests.cases import check_cases


def build_size(value: int, kind: str = "INSTANCE_COUNT") -> dict[str, Any]:
    return {"Type": kind, "Value": value}


def build_blue_green(kind: str, wait: int = 60, termination: int = 120, **step: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **step}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}}


def build_rolling(batch: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": 60, **members}}


def plan_shares(config: dict[str, Any], count: int) -> list[tuple[float, int]]:
    stages = plan_stages(DeploymentPolicy(config), {"main": count}, {"main": count})
    return [(stage.traffic_share, stage.bake_seconds) for stage in stages]


@check_cases(
    ("config", "count", "expected"),
    [
        ({}, 3, [(1.0, 0)]),
        (build_blue_green("ALL_AT_ONCE"), 3, [(1.0, 120)]),
        (build_blue_green("CANARY", CanarySize=build_size(1)), 4, [(0.25, 60), (1.0, 120)]),
        (build_blue_green("CANARY", CanarySize=build_size(30, "CAPACITY_PERCENT")), 4, [(0.25, 60), (1.0, 120)]),
        (build_blue_green("CANARY", CanarySize=build_size(1, "CAPACITY_PERCENT")), 4, [(0.25, 60), (1.0, 120)]),
        (
            build_blue_green("LINEAR", LinearStepSize=build_size(40, "CAPACITY_PERCENT")),
            5,
            [(0.4, 60), (0.8, 60), (1.0, 120)],
        ),
        (build_blue_green("LINEAR", LinearStepSize=build_size(1)), 2, [(0.5, 60), (1.0, 120)]),
        (build_rolling(build_size(2)), 5, [(0.4, 60), (0.8, 60), (1.0, 60)]),
        (build_blue_green("CANARY", CanarySize=build_size(1)), 0, [(1.0, 120)]),
        (build_rolling(build_size(1)), 0, [(1.0, 60)]),
    ],
)
def test_traffic_shifts_by_whole_instances_and_bakes_after_each_step(
    config: dict[str, Any], count: int, expected: list[tuple[float, int]]
) -> None:
    assert plan_shares(config, count) == expected


@given(st.data(), st.integers(2, 40))
def test_a_rolling_deployment_keeps_the_capacity_with_one_extra_batch(data: st.DataObject, count: int) -> None:
    batch = data.draw(st.integers(1, count // 2))
    config, old = build_rolling(build_size(batch)), {"main": count}
    old_count = count
    for stage in plan_stages(DeploymentPolicy(config), old, {"main": count}):
        assert (
            count <= old_count + stage.new_counts["main"] <= count + batch
        )  # while the batch and the old instances run
        old_count = stage.old_counts["main"]
        assert old_count + stage.new_counts["main"] == count  # after baking
        assert stage.traffic_share == stage.new_counts["main"] / count
    assert old_count == 0


@given(st.data(), st.integers(2, 40), st.sampled_from(["CANARY", "LINEAR", "ROLLING"]))
def test_a_rollback_from_any_stage_restores_the_initial_state(data: st.DataObject, count: int, kind: str) -> None:
    step = build_size(data.draw(st.integers(1, count // 2)))
    config = {
        "CANARY": build_blue_green("CANARY", CanarySize=step),
        "LINEAR": build_blue_green("LINEAR", LinearStepSize=step),
        "ROLLING": build_rolling(step, RollbackMaximumBatchSize=build_size(data.draw(st.integers(1, count)))),
    }[kind]
    old = {"main": count}
    stages: list[DeploymentStage] = plan_stages(DeploymentPolicy(config), old, {"main": count})
    reached = data.draw(st.integers(0, len(stages) - 1))
    remaining = stages[reached - 1].old_counts if reached else old
    rollback = plan_rollback(DeploymentPolicy(config), old, stages[reached], remaining)
    assert (rollback[-1].traffic_share, dict(rollback[-1].new_counts), dict(rollback[-1].old_counts)) == (
        0.0,
        {"main": 0},
        old,
    )
    assert [stage.traffic_share for stage in rollback] == sorted(
        (stage.traffic_share for stage in rollback), reverse=True
    )
    assert rollback[0].traffic_share <= stages[reached].traffic_share
    assert all(
        stage.old_counts["main"] + stage.new_counts["main"] >= min(count, remaining["main"]) for stage in rollback
    )
    if kind != "ROLLING":
        assert len(rollback) == 1


def test_a_policy_lists_its_alarms_and_has_no_default_timeout() -> None:
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]}}
    policy = DeploymentPolicy(build_blue_green("CANARY", CanarySize=build_size(1)) | alarms)
    assert policy.alarms == ["a", "b"]
    assert policy.timeout_seconds is None


@check_cases(
    ("config", "counts", "message"),
    [
        (build_blue_green("ALL_AT_ONCE") | build_rolling(build_size(1)), {"main": 4}, "Only one of"),
        (build_blue_green("CANARY"), {"main": 4}, "CanarySize must be specified"),
        (build_blue_green("LINEAR"), {"main": 4}, "LinearStepSize must be specified"),
        (build_blue_green("ALL_AT_ONCE", CanarySize=build_size(1)), {"main": 4}, "CanarySize can only be specified"),
        (build_blue_green("CANARY", CanarySize=build_size(3)), {"main": 4}, "less than or equal to 50%"),
        (
            build_blue_green("CANARY", CanarySize=build_size(51, "CAPACITY_PERCENT")),
            {"main": 4},
            "less than or equal to 50%",
        ),
        (
            build_blue_green("CANARY", CanarySize=build_size(10, "CAPACITY_PERCENT")),
            {"main": 1},
            "which is 1 for variant main",
        ),
        (build_blue_green("LINEAR", LinearStepSize=build_size(1)), {"main": 11}, "between 10% and 50%"),
        (
            build_blue_green("LINEAR", LinearStepSize=build_size(9, "CAPACITY_PERCENT")),
            {"main": 20},
            "between 10% and 50%",
        ),
        (build_rolling(build_size(1)), {"main": 21}, "between 5% and 50%"),
        (build_rolling(build_size(60, "CAPACITY_PERCENT")), {"main": 21}, "between 5% and 50%"),
        (build_rolling(build_size(1)), {"main": 2, "other": 2}, "multiple variants"),
        (
            build_rolling(build_size(1), MaximumExecutionTimeoutInSeconds=600, WaitIntervalInSeconds=600),
            {"main": 2},
            "total waiting time",
        ),
    ],
)
def test_an_invalid_policy_is_refused(config: dict[str, Any], counts: dict[str, int], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check_policy(DeploymentPolicy(config), counts, is_serverless=False)


def test_limits_are_inclusive_and_rolling_excludes_serverless_endpoints() -> None:
    for config, count in (
        (build_blue_green("CANARY", CanarySize=build_size(50, "CAPACITY_PERCENT")), 2),
        (build_blue_green("LINEAR", LinearStepSize=build_size(1)), 10),
        (build_rolling(build_size(1)), 20),
        (build_rolling(build_size(1)), 0),
    ):
        check_policy(DeploymentPolicy(config), {"main": count}, is_serverless=False)
    with pytest.raises(ValidationError, match="serverless"):
        check_policy(DeploymentPolicy(build_rolling(build_size(1))), {"main": 1}, is_serverless=True)


def test_a_deployment_must_keep_the_variant_names() -> None:
    check_variant_names(["a", "b"], ["b", "a"])
    with pytest.raises(ValidationError, match="same variant names"):
        check_variant_names(["a"], ["b"])
