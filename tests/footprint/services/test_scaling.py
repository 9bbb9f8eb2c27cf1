"""How many instances there are: what moves them, what does not, and what a schedule adds up to."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint, ResourcePart, ResourceUsage, ServerlessActivity
from sustainable_mlops.footprint.figures import format_number
from tests.footprint.plans import (
    BACKLOG,
    CONFIGURATION,
    ENDPOINT,
    POLICY,
    REQUESTS,
    TARGET,
    action,
    configuration,
    endpoint,
    extend_target,
    policy,
    build_endpoint_plan,
    serverless,
    target,
    variant,
)
from tests.footprint.support import footprint, join_reasons, make_usage
from tests.plan.plan_builder import build_change

#: USD of an ml.m5.large in a month.
USD = 0.115 * 730
ASYNCHRONOUS: dict[str, Any] = {"async_inference_config": [{"output_config": [{}]}]}
WAKES = {"adjustment_type": "ChangeInCapacity", "step_adjustment": [{"scaling_adjustment": 1}]}
STEP = "aws_appautoscaling_policy.step"


def large(count: int | None = 1, **more: Any) -> dict[str, Any]:
    return variant("ml.m5.large", count, **more)


def instances(found: PlanFootprint) -> tuple[float, float, float]:
    """What the cost says of their number: least, expected and most, on average."""
    cost = found.total_after.get("cost")
    assert cost is not None
    return cost.low / USD, cost.central / USD, cost.high / USD


def only(found: PlanFootprint) -> ResourcePart:
    (resource,) = (one for one in found.resources if one.address == ENDPOINT)
    (one,) = resource.changes
    assert one.after is not None
    return one.after


def on_schedule(*actions: dict[str, Any], follows: str | None = None) -> PlanFootprint:
    return footprint(*build_endpoint_plan(large(), scaled=(1, 4), follows=follows), *actions)


def scheduled(*times: tuple[str, int | None, int | None], zone: str | None = None) -> list[dict[str, Any]]:
    """Actions, each with its fields of cron, its least and its most."""
    return [
        action(f"cron({fields})", least, most, number, timezone=zone)
        for number, (fields, least, most) in enumerate(times)
    ]


def asynchronous(
    *more: dict[str, Any], follows: str | None = BACKLOG, used: ResourceUsage | None = None
) -> PlanFootprint:
    return footprint(*build_endpoint_plan(large(), scaled=(0, 4), follows=follows, **ASYNCHRONOUS), *more, used=used)


def test_a_target_without_a_policy_stays_where_it_starts() -> None:
    for count, scaled, stays in ((1, (1, 4), 1), (3, (1, 4), 3), (1, (2, 4), 2), (9, (1, 4), 4)):
        found = footprint(*build_endpoint_plan(large(count), scaled=scaled, follows=None))
        assert instances(found) == pytest.approx((stays,) * 3), (count, scaled)
        assert found.unknowns == []


def test_a_number_that_is_not_given_is_one() -> None:
    assert instances(footprint(*build_endpoint_plan(large(None), follows=None))) == pytest.approx((1, 1, 1))


def test_a_policy_on_a_metric_that_is_never_published_moves_nothing() -> None:
    assert instances(footprint(*build_endpoint_plan(large(), scaled=(1, 4), follows=BACKLOG))) == pytest.approx((1, 1, 1))
    for metric in (None, REQUESTS, "OverheadLatency", "ServerlessProvisionedConcurrencyUtilization"):
        assert instances(asynchronous(follows=metric)) == pytest.approx((1, 1, 1))
    assert instances(asynchronous())[1] == pytest.approx(0.2)  # a third of the way from 1 to 4, a tenth of the month


def test_what_only_wakes_or_only_adds_never_sleeps() -> None:
    step = extend_target(policy_type="StepScaling", step_scaling_policy_configuration=[WAKES], arn="arn:wake")
    alarm = {"namespace": "AWS/SageMaker", "metric_name": "HasBacklogWithoutCapacity", "alarm_actions": ["arn:wake"]}
    wakes = build_change(STEP, step), build_change("aws_cloudwatch_metric_alarm.a", alarm)
    assert instances(asynchronous(*wakes, follows=None)) == pytest.approx((1, 1, 1))
    assert instances(asynchronous(*wakes))[1] == pytest.approx(0.2)
    # One busy hour makes it large for ever.
    plan = build_endpoint_plan(large(), scaled=(0, 4), follows=None, **ASYNCHRONOUS)
    only_adds = build_change(POLICY, policy(BACKLOG, disable_scale_in=True))
    assert instances(footprint(*plan, only_adds)) == pytest.approx((1, 4, 4))


def said_once(found: PlanFootprint) -> list[str]:
    return [text for text in found.after.assumptions if "an apply starts" in text]


def test_what_sleeps_starts_with_an_instance_of_which_no_month_says_anything() -> None:
    # 0.1 h (0.05 to 0.5) to start, and the 15 minutes (10 to 20) of an alarm
    made = asynchronous()
    (text,) = said_once(made)
    assert text.startswith(
        f"{ENDPOINT}, variant v: an apply starts 1 x ml.m5.large, taken to stay for 0.35 h (0.22 to 0.83)"
    )
    assert f"{format_number(0.115 * 0.35)} USD (0.025 to 0.096, class C)" in text
    assert "kgCO2e" in text
    assert made.after.assumptions[0] == text, "where readers of the first few see it"
    there = build_endpoint_plan(large(), scaled=(0, 4), before=[large()], **ASYNCHRONOUS)
    for metric in ("total", "cost"):
        assert footprint(*there).after.get(metric) == made.after.get(metric), "the month is the same without it"


def test_an_update_starts_it_again_and_waits_for_the_new_model_to_prove_good() -> None:
    def plan(follows: str, **more: Any) -> list[dict[str, Any]]:
        _, *others = build_endpoint_plan(large(3), scaled=(0, 4), **ASYNCHRONOUS)
        deployment = [{"blue_green_update_policy": [{"termination_wait_in_seconds": 1800}]}]
        after = endpoint(deployment_config=deployment, **more)
        return [
            build_change(ENDPOINT, after, before=endpoint(configuration=follows, deployment_config=deployment)),
            *others,
        ]

    (text,) = said_once(footprint(*plan("earlier")))
    assert "an apply starts 3 x ml.m5.large, taken to stay for 0.85 h (0.72 to 1.3)" in text
    assert said_once(footprint(*plan("c", tags={"team": "a"}))) == []


@pytest.mark.parametrize("scaled", [(1, 4), None])
def test_what_never_sleeps_starts_nothing_that_its_month_leaves_out(scaled: tuple[int, int] | None) -> None:
    assert said_once(footprint(*build_endpoint_plan(large(), scaled=scaled, **ASYNCHRONOUS))) == []
    assert said_once(asynchronous(follows=None)) == []


def test_what_is_taken_away_and_woken_again_may_become_more_than_it_starts_as() -> None:
    def step(name: str, by: int, metric: str) -> list[dict[str, Any]]:
        steps = {**WAKES, "step_adjustment": [{"scaling_adjustment": by}]}
        values = extend_target(policy_type="StepScaling", step_scaling_policy_configuration=[steps], arn=f"arn:{name}")
        alarm = {"namespace": "AWS/SageMaker", "metric_name": metric, "alarm_actions": [f"arn:{name}"]}
        return [
            build_change(f"aws_appautoscaling_policy.{name}", values),
            build_change(f"aws_cloudwatch_metric_alarm.{name}", alarm),
        ]

    takes, wakes = step("in", -1, "ApproximateBacklogSize"), step("wake", 1, "HasBacklogWithoutCapacity")
    assert instances(asynchronous(*takes, follows=None))[2] == pytest.approx(1)
    assert instances(asynchronous(*takes, *wakes, follows=None))[2] > 1


def test_what_is_only_taken_away_ends_at_the_least() -> None:
    step = {**WAKES, "step_adjustment": [{"scaling_adjustment": -1}]}
    values = extend_target(policy_type="StepScaling", step_scaling_policy_configuration=[step], arn="arn:in")
    alarm = {"namespace": "AWS/SageMaker", "metric_name": "Invocations", "alarm_actions": ["arn:in"]}
    plan = build_endpoint_plan(large(3), scaled=(1, 4), follows=None), build_change(STEP, values)
    assert instances(footprint(*plan[0], plan[1])) == pytest.approx((3, 3, 3))
    started = footprint(*plan[0], plan[1], build_change("aws_cloudwatch_metric_alarm.a", alarm))
    assert instances(started) == pytest.approx((1, 1, 3))
    off = build_change("aws_cloudwatch_metric_alarm.a", {**alarm, "actions_enabled": False})
    assert instances(footprint(*plan[0], plan[1], off)) == pytest.approx((3, 3, 3))


def test_what_is_suspended_moves_nothing() -> None:
    suspended = {"dynamic_scaling_in_suspended": True, "dynamic_scaling_out_suspended": True}
    values = {**target(1, 4), "suspended_state": [{**suspended, "scheduled_scaling_suspended": True}]}
    plan = [*build_endpoint_plan(large()), build_change(TARGET, values), build_change(POLICY, policy(REQUESTS))]
    assert instances(footprint(*plan, action("rate(1 day)", 20, 20))) == pytest.approx((1, 1, 1))


def test_a_daily_action_that_nothing_takes_back_counts_all_month() -> None:
    found = on_schedule(*scheduled(("0 8 * * ? *", 20, 20)))
    assert instances(found) == pytest.approx((20, 20, 20))
    assert round(instances(found)[1] * USD) == 1679
    assert found.total_after.partial == ()


def test_a_schedule_counts_for_what_it_adds_up_to() -> None:
    daily = on_schedule(*scheduled(("0 8 * * ? *", 20, 20), ("0 18 * * ? *", 1, 1)))
    assert instances(daily) == pytest.approx(((10 * 20 + 14) / 24,) * 3)
    count = only(daily).count
    assert count is not None
    assert (count.low, count.central, count.high) == pytest.approx((1, (10 * 20 + 14) / 24, 20))
    week = on_schedule(*scheduled(("0 8 ? * 2-6 *", 20, 20), ("0 18 ? * 2-6 *", 1, 1), zone="Europe/Helsinki"))
    assert instances(week) == pytest.approx(((50 * 20 + 118) / 168,) * 3)
    assert instances(on_schedule(action("rate(6 hours)", 3, 3))) == pytest.approx((3, 3, 3))


def test_between_the_actions_a_policy_scales() -> None:
    # By day 4 to 10, by night 1 to 4: a third of the way up is 6, and 2.
    found = on_schedule(*scheduled(("0 8 * * ? *", 4, 10), ("0 20 * * ? *", 1, 4)), follows=REQUESTS)
    assert instances(found) == pytest.approx(((4 + 1) / 2, (6 + 2) / 2, (10 + 4) / 2))
    count = only(found).count
    assert count is not None
    assert (count.low, count.central, count.high) == pytest.approx((1, 4, 10))


def test_an_asynchronous_endpoint_may_sleep_at_night_only() -> None:
    # By day 2 of 2 to 2; by night none but for a tenth of the time, then one of one.
    found = asynchronous(*scheduled(("0 6 * * ? *", 2, 2), ("0 18 * * ? *", 0, 1)))
    assert instances(found)[1] == pytest.approx(2 / 2 + 0.1 / 2)
    raised = asynchronous(*scheduled(("0 6 * * ? *", 20, 20)))
    assert instances(raised) == pytest.approx((20, 20, 20))


def test_hours_that_are_given_are_those_with_instances(tmp_path: Path) -> None:
    plan = build_endpoint_plan(large(), scaled=(0, 4), follows=None), scheduled(("0 8 * * ? *", 3, 3), ("0 18 * * ? *", 0, 0))
    assert instances(footprint(*plan[0], *plan[1])) == pytest.approx((3 * 10 / 24,) * 3)
    used = make_usage(tmp_path, {ENDPOINT: {"hours_per_month": 200}})
    assert instances(footprint(*plan[0], *plan[1], used=used)) == pytest.approx((3 * 200 / 730,) * 3)


@pytest.mark.parametrize(
    ("schedule", "more"),
    [
        ("at(2027-01-01T00:00:00)", {}),
        ("every morning", {}),
        ("cron(0 8 * * ? *)", {"end_time": "2027-01-01T00:00:00Z"}),
        ("cron(0 8 * * ? *)", {"timezone": ["UTC"]}),
    ],
)
def test_a_schedule_that_cannot_be_told_leaves_the_sum_in_part(
    tmp_path: Path, schedule: str, more: dict[str, Any]
) -> None:
    plan = [*build_endpoint_plan(large(), scaled=(1, 4), follows=None), action(schedule, 20, 20, **more)]
    found = footprint(*plan)
    for sum_ in (found.after, found.delta, found.total_after, found.resources[0].after):
        assert "cost" in sum_.partial
    assert "its scheduled actions are not counted" in join_reasons(found)
    given = footprint(*plan, used=make_usage(tmp_path, {ENDPOINT: {"instances": 20}}))
    assert instances(given)[1] == pytest.approx(20)
    assert given.total_after.partial == ()


def test_what_stays_in_part_does_not_change() -> None:
    plan = [*build_endpoint_plan(large(), scaled=(1, 4), follows=None), action("at(2027-01-01T00:00:00)", 20, 20)]
    for entry in plan:
        entry["change"].update(actions=["no-op"], before=entry["change"]["after"])
    found = footprint(*plan)
    assert "cost" in found.after.partial
    assert found.delta.partial == ()


def test_two_targets_of_one_variant_or_one_that_may_be_its_own_leave_it_in_part() -> None:
    two = [*build_endpoint_plan(large(), scaled=(1, 4)), build_change("aws_appautoscaling_target.u", target(1, 40))]
    may = [*build_endpoint_plan(large()), build_change(TARGET, target(2, 4), unknown={"resource_id": True})]
    for plan in (two, may):
        assert "cost" in footprint(*plan).total_after.partial
    of_another = [*build_endpoint_plan(large()), build_change(TARGET, target(2, 4, name="w"))]
    assert instances(footprint(*of_another)) == pytest.approx((1, 1, 1))


def test_an_endpoint_that_a_schedule_deletes_is_there_in_working_hours() -> None:
    values = {"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint", "input": '{"EndpointName": "e"}'}
    plan = [*build_endpoint_plan(large()), build_change("aws_scheduler_schedule.s", {"target": [values]})]
    assert instances(footprint(*plan)) == pytest.approx((180 / 730, 240 / 730, 320 / 730))


def test_workers_that_are_kept_ready_follow_the_same_model() -> None:
    def ready(*entries: dict[str, Any], count: int | None = 1) -> tuple[float, float, float]:
        dimension = {"scalable_dimension": "sagemaker:variant:DesiredProvisionedConcurrency"}
        for entry in entries:
            entry["change"]["after"].update(dimension)
        plan = build_endpoint_plan(serverless(1024, max_concurrency=20, provisioned_concurrency=count))
        activity = only(footprint(*plan, *entries)).activity
        assert isinstance(activity, ServerlessActivity)
        found = activity.provisioned
        return found.low, found.central, found.high

    limits = build_change(TARGET, target(2, 8))
    assert ready() == (1, 1, 1)
    assert ready(limits) == (2, 2, 2)
    assert ready(limits, build_change(POLICY, policy("ServerlessProvisionedConcurrencyUtilization"))) == (2, 4, 8)
    assert ready(limits, build_change(POLICY, policy("InvocationsPerInstance"))) == (2, 2, 2)
    morning, evening = action("cron(0 6 * * ? *)", 8, 8), action("cron(0 12 * * ? *)", 0, 0, 1)
    assert ready(limits, morning, evening) == pytest.approx((2, 2, 2))


def test_a_configuration_that_nothing_follows_is_scaled_by_nothing() -> None:
    managed = [{"status": "ENABLED", "min_instance_count": 1, "max_instance_count": 4}]
    for one, expected in ((large(3), 3), (large(managed_instance_scaling=managed), 2)):
        found = footprint(build_change(CONFIGURATION, configuration(one)))
        assert instances(found)[1] == pytest.approx(expected)
