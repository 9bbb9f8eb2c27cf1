"""Sentences of reports: they state the problem without repetitions and contradictions."""

import json
import re

from sustainable_mlops.footprint.figures import FootprintFigure, format_compared
from sustainable_mlops.plan import load
from sustainable_mlops.review import review
from sustainable_mlops.review.formats import render
from sustainable_mlops.review.formats.wording import format_description, format_saving
from sustainable_mlops.review.risk import Level, Risk, RiskArea
from sustainable_mlops.rules import BY_ID
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES
from tests.review.hostile_plan import TODAY

PLATFORM = review(load((FIXTURES / "platform.json").read_bytes(), "platform"), today=TODAY)


def build_figure(low: float, central: float, high: float) -> FootprintFigure:
    return FootprintFigure(low, central, high, "A", "", "USD")


@check_cases("form", ["text", "markdown", "html", "sarif"])
def test_a_finding_is_headed_by_its_problem_not_by_the_requirement(form: str) -> None:
    page = render(PLATFORM, form)
    if form == "sarif":
        rules = json.loads(page)["runs"][0]["tool"]["driver"]["rules"]
        page = "\n".join(rule["shortDescription"]["text"] for rule in rules)
    page = re.sub(r"\s+", " ", page)
    decided = {one.rule.id for one in PLATFORM.findings if one.level is Level.STOP}
    assert decided
    for rule in decided:
        assert BY_ID[rule].problem in page
        assert BY_ID[rule].title not in page


def test_sarif_has_one_result_for_all_rules_without_an_outcome_on_a_resource() -> None:
    results = json.loads(render(PLATFORM, "sarif"))["runs"][0]["results"]
    address = "aws_sagemaker_pipeline.s3"
    open_rules = {one.rule.id for one in PLATFORM.findings if one.is_open and one.finding.address == address}
    (result,) = (one for one in results if one["ruleId"] == "UNDECIDED" and address in one["message"]["text"])
    assert f"{len(open_rules)} rules: SUS_" in result["message"]["text"]
    problem_ids = {one["ruleId"] for one in results if one["message"]["text"].startswith(f"{address}:")}
    assert not problem_ids & open_rules, "the problem of a rule without an outcome may not exist"


@check_cases("form", ["text", "markdown", "html"])
def test_one_coverage_gap_of_many_resources_is_one_item(form: str) -> None:
    instances = [
        build_change(f"aws_instance.gpu[{number}]", {"instance_type": "hpc9z.large", "region": "us-east-1"})
        for number in range(8)
    ]
    result = review(build_plan(*instances))
    page = re.sub(r"\s+", " ", render(result, form))
    look = page.partition("What this change does")[0]
    reason = next(gap.description for gap in result.coverage_gaps)
    assert look.count(reason) == 1
    assert "aws_instance.gpu[0]" in look


@check_cases(
    ("setting", "text"),
    [
        ({"force_destroy": False}, "AWS refuses while it is not empty, because force_destroy is false"),
        ({"force_destroy": True}, "force_destroy is true, so Terraform empties it first"),
        ({}, "S3 refuses to delete a bucket with objects unless force_destroy is true"),
    ],
)
def test_a_deletion_describes_the_effect_of_its_settings(setting: dict[str, bool], text: str) -> None:
    plan = build_plan(build_change("aws_s3_bucket.b", before={"bucket": "b", **setting}))
    (risk,) = review(plan).risks
    assert risk.risk.description == f"deleted: its objects will be lost; {text}"


@check_cases(
    ("usd", "text"),
    [
        (build_figure(5, 12, 40), "saves 2.0 (1.0 to 3.0) kgCO2e and 12 (5.0 to 40) USD"),
        (build_figure(-40, -12, -5), "saves 2.0 (1.0 to 3.0) kgCO2e, costs 12 (5.0 to 40) USD more"),
        (build_figure(0, 0, 0), "saves 2.0 (1.0 to 3.0) kgCO2e, same cost"),
        (None, "saves 2.0 (1.0 to 3.0) kgCO2e, cost unknown"),
    ],
)
def test_an_alternative_that_costs_more_is_no_saving(usd: FootprintFigure | None, text: str) -> None:
    assert format_saving(build_figure(1, 2, 3), usd) == text


@check_cases(
    ("description", "text"),
    [("a.b: new action", "new action"), ("new: a.b: sts", "new: sts"), ("a.c: new action", "a.c: new action")],
)
def test_a_risk_does_not_repeat_its_address(description: str, text: str) -> None:
    assert format_description(Risk("X", RiskArea.DATA, Level.STOP, "a.b", description)) == text


@check_cases(
    ("value", "limit", "text"),
    [(42_000, 2_000, "42,000"), (104, 100, "104"), (100.4, 100, "100.4"), (1049, 1020, "1,049"), (83.95, 100, "84")],
)
def test_a_compared_value_is_on_the_right_side_of_its_limit(value: float, limit: float, text: str) -> None:
    assert format_compared(value, limit) == text
