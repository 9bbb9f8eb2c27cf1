import json
from typing import Any

import pytest

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.schedules import EVENT_RULE, EVENT_TARGET, SCHEDULE, count_runs_per_month, list_start_rates
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

PIPELINE = "aws_sagemaker_pipeline.p"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p"
DAYS = 365 / 12


@check_cases(
    ("expression", "runs"),
    [
        ("rate(1 hour)", 730),
        ("rate(15 minutes)", 2920),
        ("rate(7 days)", 730 / 168),
        ("cron(0 * ? * * *)", 730),  # SageMaker's hourly monitoring
        ("cron(0 0 ? * * *)", DAYS),
        ("cron(0 17/6 ? * * *)", 2 * DAYS),  # at 17 and 23
        ("cron(0/15 8-17 ? * MON-FRI *)", 4 * 10 * 5 / 7 * DAYS),
        ("cron(0 0 ? * FRI-MON *)", 4 / 7 * DAYS),
        ("cron(30 2 1,15 * ? *)", 2),
        ("cron(0 0 31 * ? *)", 7 / 12),  # seven months have a 31st
        ("cron(0 0 L * ? *)", 1),
        ("cron(0 0 15W JAN,JUL ? 2027)", 2 / 12),
        ("cron(0 9 ? * 6L *)", 1),
        ("cron(0 9 ? * 2#1,2#3 *)", 2),
        ("cron(0 9 ? * 2#5 *)", (365 - 12 * 28) / 7 / 12),  # a fifth Monday is one of the days after four weeks
        ("at(2027-01-01T00:00:00)", 1),
        ("NOW", 1),
    ],
)
def test_runs_in_a_month_of_730_hours(expression: str, runs: float) -> None:
    assert count_runs_per_month(expression) == pytest.approx(runs)


@check_cases(
    "expression",
    ["", "daily", "rate(0 days)", "rate(-1 days)", "rate(1 week)", "rate(1)", "cron(0 9 * *)", "cron(0 25 * * ? *)",
     "cron(0 9 1 * MON *)", "cron(0 0/0 * * ? *)", "cron(0 9 ? * XYZ *)", f"rate({'9' * 400} days)", None, UNKNOWN],
)  # fmt: skip
def test_an_invalid_schedule_is_unknown(expression: Any) -> None:
    assert count_runs_per_month(expression) is UNKNOWN


def build_schedule(arn: str = ARN, **more: Any) -> dict[str, Any]:
    return {"name": "s", "schedule_expression": "rate(1 hour)", "target": [{"arn": arn}], **more}


def list_triggers(*triggers: dict[str, Any], **root: Any) -> list[Any]:
    """Return the triggers of a pipeline that is to be created, so that its ARN is unknown."""
    plan = build_plan(build_change(PIPELINE, {"pipeline_name": "p"}, unknown={"arn": True}), *triggers, **root)
    return list_start_rates(plan.list_by_type("aws_sagemaker_pipeline")[0], plan.joins)


def test_a_schedule_with_the_arn_starts_the_pipeline() -> None:
    assert list_triggers(build_change(f"{SCHEDULE}.s", build_schedule())) == [730]
    assert list_triggers(build_change(f"{SCHEDULE}.s", build_schedule(arn=ARN.replace("/p", "/other")))) == []
    assert (
        list_triggers(
            build_change(f"{SCHEDULE}.s", build_schedule(arn="arn:aws:lambda:us-east-1:111122223333:function:p"))
        )
        == []
    )


@pytest.mark.parametrize("name", ["p", ARN])
def test_an_api_call_with_the_name_starts_the_pipeline(name: str) -> None:
    call = {"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"}
    body = json.dumps({"PipelineName": name, "PipelineVersionAlias": "live"})
    assert list_triggers(build_change(f"{SCHEDULE}.s", build_schedule(target=[{**call, "input": body}]))) == [730]
    for other_body in (body.replace("/p", "/q").replace('"p"', '"q"'), "{", "[]", "{}", None):
        assert (
            list_triggers(build_change(f"{SCHEDULE}.s", build_schedule(target=[{**call, "input": other_body}]))) == []
        )


def test_a_schedule_with_a_reference_starts_the_pipeline() -> None:
    entry = build_change(f"{SCHEDULE}.s", build_schedule(), unknown={"target": [{"arn": True}]})
    configuration = build_configuration(f"{SCHEDULE}.s")
    configuration["expressions"]["target"] = [{"arn": {"references": [f"{PIPELINE}.arn", PIPELINE]}}]
    assert list_triggers(entry, root={"resources": [configuration, build_configuration(PIPELINE)]}) == [730]


def test_a_rule_starts_its_targets_and_events_have_an_unknown_rate() -> None:
    target = build_change(f"{EVENT_TARGET}.t", {"rule": "nightly", "arn": ARN})
    nightly = {"name": "nightly", "schedule_expression": "cron(0 2 * * ? *)"}
    assert list_triggers(build_change(f"{EVENT_RULE}.r", nightly), target) == [pytest.approx(DAYS)]
    events = {"name": "nightly", "event_pattern": "{}"}
    assert list_triggers(build_change(f"{EVENT_RULE}.r", events), target) == [UNKNOWN]


def test_a_disabled_schedule_starts_nothing_and_the_others_add_up() -> None:
    assert list_triggers(build_change(f"{SCHEDULE}.s", build_schedule(state="DISABLED"))) == []
    two = [build_change(f"{SCHEDULE}.{name}", build_schedule(name=name)) for name in ("a", "b")]
    assert list_triggers(*two) == [730, 730]
