"""Number of instances: scaling policies, schedules and their sums."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint, ResourcePart, ResourceUsage, ServerlessActivity
from sustainable_mlops.footprint.figures import format_number, sum_estimates
from tests.footprint.plans import (
    BACKLOG,
    CONFIGURATION,
    ENDPOINT,
    POLICY,
    REQUESTS,
    TARGET,
    action,
    build_endpoint_plan,
    configuration,
    endpoint,
    extend_target,
    policy,
    serverless,
    target,
    variant,
)
from tests.footprint.support import join_reasons, make_footprint, make_usage
from tests.plan.plan_builder import build_change

#: USD of an ml.m5.large in a month.
USD = 0.115 * 730
ASYNCHRONOUS: dict[str, Any] = {"async_inference_config": [{"output_config": [{}]}]}
WAKES = {"adjustment_type": "ChangeInCapacity", "step_adjustment": [{"scaling_adjustment": 1}]}
STEP = "aws_appautoscaling_policy.step"


def make_variant(count: int | None = 1, **more: Any) -> dict[str, Any]:
    return variant("ml.m5.large", count, **more)


def count_instances(result: PlanFootprint) -> tuple[float, float, float]:
    """Return the average number of instances by the cost: minimum, expected and maximum."""
    parts = [one.after for one in result.changes if one.after is not None and one.after.kind != "service"]
    cost = sum_estimates(part.estimate for part in parts if part.estimate is not None).get("cost")
    assert cost is not None
    return cost.low / USD, cost.central / USD, cost.high / USD


def get_endpoint_part(result: PlanFootprint) -> ResourcePart:
    (resource,) = (one for one in result.resources if one.address == ENDPOINT)
    (one,) = resource.changes
    assert one.after is not None
    return one.after


def make_scheduled_footprint(*actions: dict[str, Any], follows: str | None = None) -> PlanFootprint:
    return make_footprint(*build_endpoint_plan(make_variant(), scaled=(1, 4), follows=follows), *actions)


def make_actions(*times: tuple[str, int | None, int | None], zone: str | None = None) -> list[dict[str, Any]]:
    """Return scheduled actions, each with its cron fields, its minimum and its maximum."""
    return [
        action(f"cron({fields})", least, most, number, timezone=zone)
        for number, (fields, least, most) in enumerate(times)
    ]


def make_asynchronous_footprint(
    *more: dict[str, Any], follows: str | None = BACKLOG, used: ResourceUsage | None = None
) -> PlanFootprint:
    return make_footprint(
        *build_endpoint_plan(make_variant(), scaled=(0, 4), follows=follows, **ASYNCHRONOUS), *more, used=used
    )


def test_a_target_without_a_policy_keeps_its_start_size() -> None:
    for count, scaled, stays in ((1, (1, 4), 1), (3, (1, 4), 3), (1, (2, 4), 2), (9, (1, 4), 4)):
        result = make_footprint(*build_endpoint_plan(make_variant(count), scaled=scaled, follows=None))
        assert count_instances(result) == pytest.approx((stays,) * 3), (count, scaled)
        assert result.unknowns == []


def test_the_default_count_is_one() -> None:
    assert count_instances(make_footprint(*build_endpoint_plan(make_variant(None), follows=None))) == pytest.approx(
        (1, 1, 1)
    )


def test_a_policy_on_an_unpublished_metric_changes_nothing() -> None:
    assert count_instances(
        make_footprint(*build_endpoint_plan(make_variant(), scaled=(1, 4), follows=BACKLOG))
    ) == pytest.approx((1, 1, 1))
    for metric in (None, REQUESTS, "OverheadLatency", "ServerlessProvisionedConcurrencyUtilization"):
        assert count_instances(make_asynchronous_footprint(follows=metric)) == pytest.approx((1, 1, 1))
    assert count_instances(make_asynchronous_footprint())[1] == pytest.approx(
        0.2
    )  # a third of the way from 1 to 4, a tenth of the month


def test_a_fleet_that_only_adds_instances_never_sleeps() -> None:
    step = extend_target(policy_type="StepScaling", step_scaling_policy_configuration=[WAKES], arn="arn:wake")
    alarm = {"namespace": "AWS/SageMaker", "metric_name": "HasBacklogWithoutCapacity", "alarm_actions": ["arn:wake"]}
    wakes = build_change(STEP, step), build_change("aws_cloudwatch_metric_alarm.a", alarm)
    assert count_instances(make_asynchronous_footprint(*wakes, follows=None)) == pytest.approx((1, 1, 1))
    assert count_instances(make_asynchronous_footprint(*wakes))[1] == pytest.approx(0.2)
    # One busy hour makes it large for ever.
    plan = build_endpoint_plan(make_variant(), scaled=(0, 4), follows=None, **ASYNCHRONOUS)
    only_adds = build_change(POLICY, policy(BACKLOG, disable_scale_in=True))
    assert count_instances(make_footprint(*plan, only_adds)) == pytest.approx((1, 4, 4))


def list_apply_notes(result: PlanFootprint) -> list[str]:
    return [text for text in result.after.assumptions if "an apply starts" in text]


def test_the_apply_of_a_sleeping_fleet_has_a_note() -> None:
    # 0.1 h (0.05 to 0.5) to start, and the 15 minutes (10 to 20) of an alarm
    sleeping = make_asynchronous_footprint()
    (text,) = list_apply_notes(sleeping)
    assert text.startswith(f"{ENDPOINT}, variant v: an apply starts 1 x ml.m5.large for about 0.35 h (0.22 to 0.83)")
    assert f"{format_number(0.115 * 0.35)} USD (0.025 to 0.096, class C)" in text
    assert "kgCO2e" in text
    assert sleeping.after.assumptions[0] == text, "where readers of the first few see it"
    there = build_endpoint_plan(make_variant(), scaled=(0, 4), before=[make_variant()], **ASYNCHRONOUS)
    for metric in ("total", "cost"):
        assert make_footprint(*there).after.get(metric) == sleeping.after.get(metric), (
            "the month is the same without it"
        )


def test_an_update_of_a_sleeping_fleet_has_a_note_with_its_bake_time() -> None:
    def plan(follows: str, **more: Any) -> list[dict[str, Any]]:
        _, *others = build_endpoint_plan(make_variant(3), scaled=(0, 4), **ASYNCHRONOUS)
        deployment = [{"blue_green_update_policy": [{"termination_wait_in_seconds": 1800}]}]
        after = endpoint(deployment_config=deployment, **more)
        return [
            build_change(ENDPOINT, after, before=endpoint(configuration=follows, deployment_config=deployment)),
            *others,
        ]

    (text,) = list_apply_notes(make_footprint(*plan("earlier")))
    assert "an apply starts 3 x ml.m5.large for about 0.85 h (0.72 to 1.3)" in text
    assert list_apply_notes(make_footprint(*plan("c", tags={"team": "a"}))) == []


@pytest.mark.parametrize("scaled", [(1, 4), None])
def test_a_fleet_that_never_sleeps_has_no_apply_note(scaled: tuple[int, int] | None) -> None:
    assert list_apply_notes(make_footprint(*build_endpoint_plan(make_variant(), scaled=scaled, **ASYNCHRONOUS))) == []
    assert list_apply_notes(make_asynchronous_footprint(follows=None)) == []


def test_a_fleet_with_scale_in_and_wake_policies_may_grow() -> None:
    def step(name: str, by: int, metric: str) -> list[dict[str, Any]]:
        steps = {**WAKES, "step_adjustment": [{"scaling_adjustment": by}]}
        values = extend_target(policy_type="StepScaling", step_scaling_policy_configuration=[steps], arn=f"arn:{name}")
        alarm = {"namespace": "AWS/SageMaker", "metric_name": metric, "alarm_actions": [f"arn:{name}"]}
        return [
            build_change(f"aws_appautoscaling_policy.{name}", values),
            build_change(f"aws_cloudwatch_metric_alarm.{name}", alarm),
        ]

    takes, wakes = step("in", -1, "ApproximateBacklogSize"), step("wake", 1, "HasBacklogWithoutCapacity")
    assert count_instances(make_asynchronous_footprint(*takes, follows=None))[2] == pytest.approx(1)
    assert count_instances(make_asynchronous_footprint(*takes, *wakes, follows=None))[2] > 1


def test_a_fleet_with_only_scale_in_ends_at_its_minimum() -> None:
    step = {**WAKES, "step_adjustment": [{"scaling_adjustment": -1}]}
    values = extend_target(policy_type="StepScaling", step_scaling_policy_configuration=[step], arn="arn:in")
    alarm = {"namespace": "AWS/SageMaker", "metric_name": "Invocations", "alarm_actions": ["arn:in"]}
    plan = build_endpoint_plan(make_variant(3), scaled=(1, 4), follows=None), build_change(STEP, values)
    assert count_instances(make_footprint(*plan[0], plan[1])) == pytest.approx((3, 3, 3))
    with_alarm = make_footprint(*plan[0], plan[1], build_change("aws_cloudwatch_metric_alarm.a", alarm))
    assert count_instances(with_alarm) == pytest.approx((1, 1, 3))
    off = build_change("aws_cloudwatch_metric_alarm.a", {**alarm, "actions_enabled": False})
    assert count_instances(make_footprint(*plan[0], plan[1], off)) == pytest.approx((3, 3, 3))


def test_suspended_scaling_changes_nothing() -> None:
    suspended = {"dynamic_scaling_in_suspended": True, "dynamic_scaling_out_suspended": True}
    values = {**target(1, 4), "suspended_state": [{**suspended, "scheduled_scaling_suspended": True}]}
    plan = [*build_endpoint_plan(make_variant()), build_change(TARGET, values), build_change(POLICY, policy(REQUESTS))]
    assert count_instances(make_footprint(*plan, action("rate(1 day)", 20, 20))) == pytest.approx((1, 1, 1))


def test_a_daily_action_without_a_counterpart_counts_all_month() -> None:
    result = make_scheduled_footprint(*make_actions(("0 8 * * ? *", 20, 20)))
    assert count_instances(result) == pytest.approx((20, 20, 20))
    assert round(count_instances(result)[1] * USD) == 1679
    assert result.total_after.partial == ()


def test_a_schedule_counts_by_its_time_shares() -> None:
    daily = make_scheduled_footprint(*make_actions(("0 8 * * ? *", 20, 20), ("0 18 * * ? *", 1, 1)))
    assert count_instances(daily) == pytest.approx(((10 * 20 + 14) / 24,) * 3)
    count = get_endpoint_part(daily).count
    assert count is not None
    assert (count.low, count.central, count.high) == pytest.approx((1, (10 * 20 + 14) / 24, 20))
    week = make_scheduled_footprint(
        *make_actions(("0 8 ? * 2-6 *", 20, 20), ("0 18 ? * 2-6 *", 1, 1), zone="Europe/Helsinki")
    )
    assert count_instances(week) == pytest.approx(((50 * 20 + 118) / 168,) * 3)
    assert count_instances(make_scheduled_footprint(action("rate(6 hours)", 3, 3))) == pytest.approx((3, 3, 3))


def test_a_policy_scales_between_scheduled_actions() -> None:
    # By day 4 to 10, by night 1 to 4: a third of the way up is 6, and 2.
    result = make_scheduled_footprint(*make_actions(("0 8 * * ? *", 4, 10), ("0 20 * * ? *", 1, 4)), follows=REQUESTS)
    assert count_instances(result) == pytest.approx(((4 + 1) / 2, (6 + 2) / 2, (10 + 4) / 2))
    count = get_endpoint_part(result).count
    assert count is not None
    assert (count.low, count.central, count.high) == pytest.approx((1, 4, 10))


def test_an_asynchronous_endpoint_may_sleep_only_at_night() -> None:
    # By day 2 of 2 to 2; by night none but for a tenth of the time, then one of one.
    result = make_asynchronous_footprint(*make_actions(("0 6 * * ? *", 2, 2), ("0 18 * * ? *", 0, 1)))
    assert count_instances(result)[1] == pytest.approx(2 / 2 + 0.1 / 2)
    raised = make_asynchronous_footprint(*make_actions(("0 6 * * ? *", 20, 20)))
    assert count_instances(raised) == pytest.approx((20, 20, 20))


def test_given_hours_are_those_with_instances(tmp_path: Path) -> None:
    plan = (
        build_endpoint_plan(make_variant(), scaled=(0, 4), follows=None),
        make_actions(("0 8 * * ? *", 3, 3), ("0 18 * * ? *", 0, 0)),
    )
    assert count_instances(make_footprint(*plan[0], *plan[1])) == pytest.approx((3 * 10 / 24,) * 3)
    used = make_usage(tmp_path, {ENDPOINT: {"hours_per_month": 200}})
    assert count_instances(make_footprint(*plan[0], *plan[1], used=used)) == pytest.approx((3 * 200 / 730,) * 3)


@pytest.mark.parametrize(
    ("schedule", "more"),
    [
        ("at(2027-01-01T00:00:00)", {}),
        ("every morning", {}),
        ("cron(0 8 * * ? *)", {"end_time": "2027-01-01T00:00:00Z"}),
        ("cron(0 8 * * ? *)", {"timezone": ["UTC"]}),
    ],
)
def test_an_unreadable_schedule_makes_the_sum_partial(tmp_path: Path, schedule: str, more: dict[str, Any]) -> None:
    plan = [*build_endpoint_plan(make_variant(), scaled=(1, 4), follows=None), action(schedule, 20, 20, **more)]
    result = make_footprint(*plan)
    for sum_ in (result.after, result.delta, result.total_after, result.resources[0].after):
        assert "cost" in sum_.partial
    assert "its scheduled actions are not counted" in join_reasons(result)
    with_instances = make_footprint(*plan, used=make_usage(tmp_path, {ENDPOINT: {"instances": 20}}))
    assert count_instances(with_instances)[1] == pytest.approx(20)
    assert with_instances.total_after.partial == ()


def test_an_unchanged_partial_sum_has_no_partial_delta() -> None:
    plan = [
        *build_endpoint_plan(make_variant(), scaled=(1, 4), follows=None),
        action("at(2027-01-01T00:00:00)", 20, 20),
    ]
    for entry in plan:
        entry["change"].update(actions=["no-op"], before=entry["change"]["after"])
    result = make_footprint(*plan)
    assert "cost" in result.after.partial
    assert result.delta.partial == ()


def test_ambiguous_targets_make_the_sum_partial() -> None:
    two = [
        *build_endpoint_plan(make_variant(), scaled=(1, 4)),
        build_change("aws_appautoscaling_target.u", target(1, 40)),
    ]
    may = [*build_endpoint_plan(make_variant()), build_change(TARGET, target(2, 4), unknown={"resource_id": True})]
    for plan in (two, may):
        assert "cost" in make_footprint(*plan).total_after.partial
    of_another = [*build_endpoint_plan(make_variant()), build_change(TARGET, target(2, 4, name="w"))]
    assert count_instances(make_footprint(*of_another)) == pytest.approx((1, 1, 1))


def test_an_endpoint_that_a_schedule_deletes_runs_in_working_hours() -> None:
    values = {"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint", "input": '{"EndpointName": "e"}'}
    plan = [*build_endpoint_plan(make_variant()), build_change("aws_scheduler_schedule.s", {"target": [values]})]
    assert count_instances(make_footprint(*plan)) == pytest.approx((180 / 730, 240 / 730, 320 / 730))


def test_provisioned_concurrency_scales_in_the_same_way() -> None:
    def ready(*entries: dict[str, Any], count: int | None = 1) -> tuple[float, float, float]:
        dimension = {"scalable_dimension": "sagemaker:variant:DesiredProvisionedConcurrency"}
        for entry in entries:
            entry["change"]["after"].update(dimension)
        plan = build_endpoint_plan(serverless(1024, max_concurrency=20, provisioned_concurrency=count))
        activity = get_endpoint_part(make_footprint(*plan, *entries)).activity
        assert isinstance(activity, ServerlessActivity)
        result = activity.provisioned
        return result.low, result.central, result.high

    limits = build_change(TARGET, target(2, 8))
    assert ready() == (1, 1, 1)
    assert ready(limits) == (2, 2, 2)
    assert ready(limits, build_change(POLICY, policy("ServerlessProvisionedConcurrencyUtilization"))) == (2, 4, 8)
    assert ready(limits, build_change(POLICY, policy("InvocationsPerInstance"))) == (2, 2, 2)
    morning, evening = action("cron(0 6 * * ? *)", 8, 8), action("cron(0 12 * * ? *)", 0, 0, 1)
    assert ready(limits, morning, evening) == pytest.approx((2, 2, 2))


def test_a_configuration_without_an_endpoint_is_not_scaled() -> None:
    managed = [{"status": "ENABLED", "min_instance_count": 1, "max_instance_count": 4}]
    for one, expected in ((make_variant(3), 3), (make_variant(managed_instance_scaling=managed), 2)):
        result = make_footprint(build_change(CONFIGURATION, configuration(one)))
        assert count_instances(result)[1] == pytest.approx(expected)
