"""Files of budgets and accepted risks, and their effect on reviews."""

import re
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import Plan
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.acceptances import Acceptance, read_acceptances
from sustainable_mlops.review.budgets import Budget, BudgetResult, BudgetStatus, read_budgets
from sustainable_mlops.review.formats import render
from sustainable_mlops.review.formats.wording import format_budget
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.footprint.plans import ENDPOINT, action, build_endpoint_plan, variant
from tests.plan.plan_builder import build_change, build_plan

TODAY = date(2026, 11, 24)


def build_notebook(name: str, environment: str, *, before: bool = False, type_: str = "ml.m5.large") -> dict[str, Any]:
    """Return a notebook that runs all month, so its cost is that of its hours."""
    tags = {"workload": "delay", "environment": environment}
    values = {"name": name, "instance_type": type_, "tags": tags, "tags_all": tags, "region": "eu-north-1"}
    return build_change(f"aws_sagemaker_notebook_instance.{name}", values, before=values if before else None)


TWO = build_plan(build_notebook("a", "dev", before=True), build_notebook("b", "prod"))


def evaluate_limits(plan: Plan, **limits: Any) -> list[BudgetStatus]:
    tags: dict[str, str] = {key: limits.pop(key) for key in ("workload", "environment") if key in limits}
    budget = Budget("b", tags, limits)
    return [budget_result.status for budget_result in review(plan, budgets=[budget], today=TODAY).budgets]


def get_running_figure(result: Review, metric: str) -> float:
    figure = result.footprint.total_after.get(metric)
    assert figure is not None
    return figure.central


def test_a_budget_is_over_from_the_first_cent() -> None:
    usd, kg = (
        get_running_figure(review(TWO, today=TODAY), "cost"),
        get_running_figure(review(TWO, today=TODAY), "total"),
    )
    assert evaluate_limits(TWO, usd_per_month=usd) == [BudgetStatus.WITHIN]
    assert evaluate_limits(TWO, usd_per_month=usd * 0.999) == [BudgetStatus.OVER]
    assert evaluate_limits(TWO, kg_per_month=kg * 0.999, usd_per_month=usd) == [BudgetStatus.OVER, BudgetStatus.WITHIN]


def test_a_budget_of_an_increase_counts_only_the_increase_by_the_plan() -> None:
    usd = get_running_figure(review(build_plan(build_notebook("b", "prod")), today=TODAY), "cost")
    assert evaluate_limits(TWO, usd_increase=usd * 1.001) == [BudgetStatus.WITHIN]
    assert evaluate_limits(TWO, usd_increase=usd * 0.999) == [BudgetStatus.OVER]


def test_a_budget_of_tags_counts_only_resources_with_them() -> None:
    usd = get_running_figure(review(build_plan(build_notebook("b", "prod")), today=TODAY), "cost")
    assert evaluate_limits(TWO, environment="prod", usd_per_month=usd * 1.001) == [BudgetStatus.WITHIN]
    assert evaluate_limits(TWO, workload="delay", usd_per_month=usd * 1.001) == [BudgetStatus.OVER]
    assert evaluate_limits(TWO, workload="other", usd_per_month=0) == [BudgetStatus.NOTHING]


def test_a_deposed_object_does_not_hide_its_replacement() -> None:
    usd = get_running_figure(review(build_plan(build_notebook("b", "prod")), today=TODAY), "cost")
    left = {**build_notebook("b", "prod", before=True)["change"]["before"], "tags_all": {}}
    plan = build_plan(
        build_notebook("b", "prod"), build_change("aws_sagemaker_notebook_instance.b", before=left, deposed="1a2b3c4d")
    )
    assert evaluate_limits(plan, environment="prod", usd_per_month=usd * 0.999) == [BudgetStatus.OVER]


def test_a_budget_without_estimates_is_undecided() -> None:
    result = BudgetResult("b", "kg_per_month", 50, BudgetStatus.UNKNOWN, None, uses_high_end=False, unknown=("a",))
    assert format_budget(result) == "undecided: no covered resource has an estimate; the limit is 50 kgCO2e"


def test_a_budget_may_limit_the_upper_bound() -> None:
    central = get_running_figure(review(TWO, today=TODAY), "total")
    results = [
        review(TWO, budgets=[Budget("b", {}, {"kg_per_month": central * 1.01}, high)], today=TODAY).budgets[0].status
        for high in (False, True)
    ]
    assert results == [BudgetStatus.WITHIN, BudgetStatus.OVER]


@check_cases("form", ["text", "markdown", "html", "sarif", "json"])
def test_an_exceeded_budget_is_reported_in_every_format(form: str) -> None:
    result = review(TWO, budgets=[Budget("for tests", {}, {"usd_per_month": 1})], today=TODAY)
    page = re.sub(r"\s+", " ", render(result, form))
    assert result.budgets[0].status is BudgetStatus.OVER
    assert "for tests" in page
    assert form == "json" or format_budget(result.budgets[0]) in page


@check_cases("form", ["text", "markdown", "html"])
def test_a_budget_within_its_limit_is_reported_to_people(form: str) -> None:
    result = review(TWO, budgets=[Budget("for tests", {}, {"usd_per_month": 1e6})], today=TODAY)
    assert result.budgets[0].status is BudgetStatus.WITHIN
    assert format_budget(result.budgets[0]) in re.sub(r"\s+", " ", render(result, form))


def test_a_resource_without_an_estimate_is_never_within_a_budget() -> None:
    plan = build_plan(build_notebook("a", "dev"), build_notebook("b", "dev", type_="ml.future.large"))
    result = review(plan, budgets=[Budget("b", {}, {"usd_per_month": 1e6})], today=TODAY)
    assert [budget_result.status for budget_result in result.budgets] == [BudgetStatus.UNKNOWN]
    assert result.budgets[0].unknown == ("aws_sagemaker_notebook_instance.b",)
    assert result.verdict is not ReviewVerdict.FINE


def test_tags_that_are_unknown_until_apply_leave_the_budget_open() -> None:
    values = {"name": "a", "instance_type": "ml.m5.large", "region": "eu-north-1"}
    plan = build_plan(
        build_change("aws_sagemaker_notebook_instance.a", values, unknown={"tags_all": True, "tags": True})
    )
    assert evaluate_limits(plan, workload="delay", usd_per_month=1e6) == [BudgetStatus.UNKNOWN]


def endpoint(*actions: dict[str, Any]) -> Plan:
    """Return an ml.m5.large endpoint for 84 USD a month that no policy scales."""
    return build_plan(*build_endpoint_plan(variant("ml.m5.large"), scaled=(1, 4), follows=None), *actions)


def test_a_budget_counts_scheduled_capacity() -> None:
    daily = endpoint(action("cron(0 8 * * ? *)", 20, 20))
    assert evaluate_limits(daily, usd_per_month=1679) == [BudgetStatus.WITHIN]
    assert evaluate_limits(daily, usd_per_month=1678) == evaluate_limits(daily, usd_increase=100) == [BudgetStatus.OVER]
    assert evaluate_limits(endpoint(), usd_per_month=84) == [BudgetStatus.WITHIN]


def test_a_partial_estimate_is_never_within_a_budget() -> None:
    once = endpoint(action("at(2027-01-01T08:00:00)", 20, 20))
    result = review(once, budgets=[Budget("b", {}, {"usd_per_month": 100, "usd_increase": 100})], today=TODAY)
    assert [budget_result.status for budget_result in result.budgets] == [BudgetStatus.UNKNOWN] * 2
    text = format_budget(result.budgets[0])
    assert text == f"undecided: {ENDPOINT} without a full estimate; the rest is 84 USD, within the limit of 100 USD"
    gate = next(gate for gate in result.gates if gate.name == "budgets")
    assert (gate.level, gate.text) == (Level.LOOK, "2 to look at")
    assert evaluate_limits(once, usd_per_month=80) == [BudgetStatus.OVER]


def test_an_incomplete_plan_is_never_within_a_budget() -> None:
    plan = build_plan(build_notebook("a", "dev"), complete=False)
    result = review(plan, budgets=[Budget("b", {}, {"usd_per_month": 1e6})], today=TODAY).budgets[0]
    assert (result.status, format_budget(result)[:34]) == (BudgetStatus.UNKNOWN, "undecided: the plan is incomplete;")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("budgets: 3", "budgets: must be a list"),
        ("budgets: [3]", "budgets[0]: must be a mapping"),
        ("budgets: [{workload: a}]", "budgets[0]: sets no limit"),
        ("budgets: [{kg_per_monht: 3}]", "budgets[0]: unknown key kg_per_monht"),
        ("budgets: [{kg_per_month: -1}]", "budgets[0].kg_per_month: must be a number of at least 0"),
        ("budgets: [{kg_per_month: .nan}]", "budgets[0].kg_per_month: must be a number"),
        ("budgets: [{kg_per_month: 1, hold: low}]", "budgets[0].hold: must be expected or high"),
        ("budgets: [{kg_per_month: 1, workload: 3}]", "budgets[0].workload: must be text"),
        ("budgets: [{kg_per_month: ~}]", "budgets[0].kg_per_month: has no value"),
        ("budgets: [{kg_per_month: 1, workload: ~}]", "budgets[0].workload: has no value"),
        ("budgets: [{kg_per_month: 5, kg_per_month: 5000}]", "the key 'kg_per_month' appears twice"),
        ("limits: []", "unknown key limits"),
        ("- a", "must be a mapping"),
        ("{", "not valid YAML"),
    ],
)
def test_an_invalid_budget_file_is_reported_with_the_location(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "budgets.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        read_budgets(file)
    assert place in str(error.value)
    assert "\n" not in str(error.value)


def test_budgets_are_read_with_their_tags_and_limits(tmp_path: Path) -> None:
    file = tmp_path / "budgets.yaml"
    file.write_text(
        "budgets:\n  - {workload: delay, environment: prod, kg_per_month: 50, usd_increase: 4.5, hold: high}\n"
    )
    tags = {"workload": "delay", "environment": "prod"}
    assert read_budgets(file) == [
        Budget("delay, prod", tags, {"kg_per_month": 50.0, "usd_increase": 4.5}, uses_high_end=True)
    ]


DELETED = build_plan(build_change("aws_s3_bucket.scratch", before={"bucket": "scratch"}))


@check_cases(
    ("address", "risk", "until", "verdict"),
    [
        ("aws_s3_bucket.scratch", "DATA_DELETED", TODAY, ReviewVerdict.FINE),
        ("aws_s3_bucket.*", "data", TODAY, ReviewVerdict.FINE),
        ("aws_s3_bucket.*", "privileges", TODAY, ReviewVerdict.STOP),
        ("aws_s3_bucket.other", "DATA_DELETED", TODAY, ReviewVerdict.STOP),
        ("aws_s3_bucket.scratch", "DATA_DELETED", date(2026, 11, 23), ReviewVerdict.STOP),
    ],
)
def test_an_accepted_risk_stops_nothing_until_its_day(
    address: str, risk: str, until: date, verdict: ReviewVerdict
) -> None:
    accepted = [Acceptance(address, risk, "it is empty", until)]
    assert review(DELETED, accepted=accepted, today=TODAY).verdict is verdict


def test_an_acceptance_with_a_plan_applies_to_this_plan_only(tmp_path: Path) -> None:
    file = tmp_path / "accepted.yaml"
    entry = "address: aws_s3_bucket.scratch, risk: DATA_DELETED, reason: it is empty, until: 2026-12-31, plan: dev"
    file.write_text(f"accepted: [{{{entry}}}]")
    dev, prod = copy(DELETED), copy(DELETED)
    dev.name, prod.name = "dev", "prod"
    reviews = review_all([dev, prod], accepted=read_acceptances(file), today=TODAY)
    assert [one.verdict for one in reviews] == [ReviewVerdict.FINE, ReviewVerdict.STOP]


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("{address: a, risk: data, until: 2026-12-31}", "accepted[0].reason: must be text, and is missing"),
        ("{address: a, risk: data, reason: b}", "accepted[0].until: must be a date"),
        ("{address: a, risk: data, reason: b, until: soon}", "accepted[0].until: must be a date"),
        ("{address: a, risk: data, reason: b, until: 2026-12-31 10:00:00}", "accepted[0].until: must be a date"),
        ("{address: a, risk: data, reason: b, until: 2026-12-31, plan: 3}", "accepted[0].plan: must be text"),
        ("{address: a, risk: dta, reason: b, until: 2026-12-31}", "accepted[0].risk: must be the ID of a risk"),
        ("{address: a, risk: DATA_DELETD, reason: b, until: 2026-12-31}", "accepted[0].risk: must be the ID of a risk"),
    ],
)
def test_an_acceptance_without_a_reason_or_a_day_is_refused(tmp_path: Path, entry: str, place: str) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text(f"accepted: [{entry}]")
    with pytest.raises(UserError) as error:
        read_acceptances(file)
    assert place in str(error.value)
