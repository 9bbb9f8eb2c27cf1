"""The limit for the cost that a change adds, and the cost and carbon in the title of each report."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import Plan
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.budgets import Budget
from sustainable_mlops.review.command import main
from sustainable_mlops.review.comment_marker import find_cost_change
from sustainable_mlops.review.cost_limit import DEFAULT_COST_LIMIT, CostLimit, parse_cost_limit
from sustainable_mlops.review.formats import render
from sustainable_mlops.review.formats.headline import format_money
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_document, build_plan
from tests.review.test_budgets import build_notebook

NOTEBOOK = "aws_sagemaker_notebook_instance"
ROLE = build_change("aws_sagemaker_model_package_group.g", {"model_package_group_name": "g"})


def build_resized(name: str, before: str, after: str) -> dict[str, Any]:
    """Return the change of the instance type of a notebook."""
    old = build_notebook(name, "prod", type_=before)["change"]["after"]
    return build_change(f"{NOTEBOOK}.{name}", {**old, "instance_type": after}, before=old)


def build_running(count: int, type_: str = "ml.m5.xlarge") -> list[dict[str, Any]]:
    """Return notebooks that the plan does not change; each costs about 180 USD a month."""
    return [build_notebook(f"r{number}", "prod", before=True, type_=type_) for number in range(count)]


def find_level(result: Review) -> str | None:
    (gate,) = (gate for gate in result.gates if gate.name == "limit")
    return gate.level


GROWTH = build_plan(build_resized("a", "ml.t3.medium", "ml.m5.2xlarge"))
SHRINKING = build_plan(build_resized("a", "ml.m5.2xlarge", "ml.t3.medium"))
NEW = build_plan(build_notebook("a", "prod", type_="ml.p3.16xlarge"))


@check_cases(
    ("plan", "level"),
    [
        (GROWTH, "look"),
        (SHRINKING, None),
        (NEW, "look"),
        (build_plan(build_notebook("a", "prod", type_="ml.t3.medium")), None),  # less than 100 USD
        (build_plan(build_notebook("a", "prod", type_="ml.m5.xlarge"), *build_running(6)), None),  # less than 20 %
        (build_plan(build_notebook("a", "prod", type_="ml.m5.xlarge"), *build_running(4)), "look"),
        (build_plan(build_resized("a", "ml.future.large", "ml.m5.2xlarge")), "look"),  # unknown before
        (build_plan(build_notebook("a", "prod", before=True, type_="ml.p3.16xlarge")), None),
        (build_plan(ROLE), None),
    ],
)
def test_an_increase_over_100_usd_and_20_percent_needs_a_look(plan: Plan, level: str | None) -> None:
    result = review(plan)
    assert find_level(result) == level
    if level:
        assert result.verdict is not ReviewVerdict.FINE
        assert review(plan, fail_on=frozenset(("limit",))).verdict is ReviewVerdict.STOP


def build_pool_change(before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    """Return the change of the instance pool of an endpoint that always runs one instance."""
    values = [
        {"name": "c", "region": "eu-north-1", "production_variants": [
            {"variant_name": "v", "model_name": "m", "initial_instance_count": 1, "instance_pools": [
                {"instance_type": type_, "priority": priority} for priority, type_ in enumerate(types, 1)
            ]}
        ]}
        for types in (before, after)
    ]  # fmt: skip
    return build_change("aws_sagemaker_endpoint_configuration.c", values[1], before=values[0])


@check_cases(
    ("before", "after", "level", "title"),
    [
        (["ml.g5.xlarge"], ["ml.g5.xlarge", "ml.p5.48xlarge"], "look", r"up to \+[\d,]{6,} USD"),
        (["ml.g5.xlarge", "ml.p5.48xlarge"], ["ml.g5.xlarge"], None, "no change of cost"),
        (["ml.g5.xlarge"], ["ml.g5.xlarge", "ml.g4dn.xlarge"], None, "no change of cost"),
        (["ml.g5.xlarge", "ml.p5.48xlarge"], ["ml.g5.xlarge", "ml.p5.48xlarge"], None, "no change of cost"),
    ],
)
def test_a_more_expensive_type_of_an_instance_pool_is_an_increase(
    before: list[str], after: list[str], level: str | None, title: str
) -> None:
    result = review(build_plan(build_pool_change(before, after)))
    assert find_level(result) == level
    assert re.search(title, format_money(result))
    text = re.sub(r"\s+", " ", render(result, "text"))
    assert ("if each instance pool uses its most expensive type, over the limit" in text) is bool(level)


def test_an_increase_from_an_unknown_cost_is_an_upper_bound() -> None:
    increase, reduction = (
        review(build_plan(build_resized("a", before, "ml.m5.2xlarge")))
        for before in ("ml.future.large", "ml.future.24xlarge")
    )
    text = re.sub(r"\s+", " ", render(increase, "text"))
    assert re.search(r"up to \+\d+ USD a month because the cost before the change is unknown, over the limit", text)
    assert find_level(reduction) is None


@check_cases("form", ["text", "markdown", "html", "sarif", "json"])
def test_every_format_names_the_increase_and_the_limit(form: str) -> None:
    text = re.sub(r"\s+", " ", render(review(GROWTH), form))
    if form == "json":
        increase = json.loads(text)["cost_increase"]
        assert increase["over"] is True
        assert increase["limit"] == {"usd": 100, "percent": 20}
    else:
        assert re.search(r"\+\d+ USD \(\+[\d,]+ %\) a month, over the limit of 100 USD and 20 %", text)
    within = re.sub(r"\s+", " ", render(review(SHRINKING), form))
    assert "over the limit" not in within
    assert form != "json" or json.loads(within)["cost_increase"]["over"] is False


@check_cases(
    ("text", "limit"),
    [
        ("500", CostLimit(500, 0)),
        ("500USD", CostLimit(500, 0)),
        ("$500", CostLimit(500, 0)),
        ("10%", CostLimit(0, 10)),
        ("500USD,10%", CostLimit(500, 10)),
        ("10 %, 500 usd", CostLimit(500, 10)),
        ("99.5,0%", CostLimit(99.5, 0)),
        ("0", None),
        ("0USD", None),
    ],
)
def test_a_limit_is_an_amount_a_percentage_or_both(text: str, limit: CostLimit | None) -> None:
    assert parse_cost_limit(text) == limit


@pytest.mark.parametrize("text", ["", "much", "-5", "1,000", "5%,6%", "500EUR", "nan", "1e3", "500,10%,3", ","])
def test_an_invalid_limit_ends_with_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError):
        parse_cost_limit(text)
    assert main(["plan.json", f"--limit={text}", "--write", str(tmp_path / "review.md")]) == 2
    error = capsys.readouterr().err
    assert error.splitlines() == [
        f"error: --limit: must be like 500, 500USD, 10% or 500USD,10%, or 0 for no limit, not {text!r}"
    ]
    assert "Not reviewed" in (tmp_path / "review.md").read_text()


@pytest.mark.parametrize(
    ("limit", "verdict"), [(None, "look"), ("100000", "fine"), ("5%", "look"), ("100000,5%", "fine"), ("0", "fine")]
)
def test_the_option_changes_the_limit_or_turns_it_off(
    limit: str | None, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = build_running(1)[0]["change"]["after"]
    document = build_document(
        build_change(f"{NOTEBOOK}.a", {**before, "instance_type": "ml.m5.12xlarge"}, before=before)
    )
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(document))
    main([str(plan), "--json", *([f"--limit={limit}"] if limit else [])])
    output = json.loads(capsys.readouterr().out)
    gates = {gate["name"]: gate["level"] for gate in output["gates"]}
    assert gates.get("limit") == ("look" if verdict == "look" else None)
    assert ("limit" in gates) is (limit != "0")


@check_cases(
    ("budgets", "level"),
    [
        ([Budget("b", {}, {"usd_per_month": 1e6})], "none"),  # the budget limits the cost of all resources
        ([Budget("b", {"workload": "delay"}, {"usd_increase": 1e6})], "none"),
        ([Budget("b", {"workload": "other"}, {"usd_per_month": 1e6})], "look"),
        ([Budget("b", {}, {"kg_per_month": 1e6})], "look"),  # it limits no cost
    ],
)
def test_the_default_limit_excludes_resources_with_a_budget(budgets: list[Budget], level: str) -> None:
    result = review(NEW, budgets=budgets)
    assert {gate.name: str(gate.level) for gate in result.gates}.get("limit", "none") == level
    explicit = review(NEW, budgets=budgets, limit=parse_cost_limit("100"))
    assert find_level(explicit) == "look"


def test_several_plans_are_compared_alone_and_together() -> None:
    plans = [build_plan(build_notebook("a", name, type_="ml.t3.xlarge")) for name in ("dev", "prod")]
    plans.append(build_plan(ROLE))
    for plan, name in zip(plans, ("dev", "prod", "network"), strict=True):
        plan.name = name
    limit = CostLimit(200, 20)
    alone = [find_level(review(plan, limit=limit)) for plan in plans]
    together = review_all(plans, limit=limit)
    assert alone == [None, None, None]
    assert list(map(find_level, together)) == ["look", "look", None]
    assert "dev, prod and network together: +" in render(together, "text")
    assert list(map(find_level, review_all([GROWTH, plans[2]], limit=limit))) == ["look", None]


@check_cases(
    ("plan", "money"),
    [
        (GROWTH, r"\+\d+ USD \(\+\d+ %\), \+[\d.]+ kgCO2e a month"),
        (SHRINKING, r"-\d+ USD \(-\d+ %\), -[\d.]+ kgCO2e a month"),
        (NEW, r"\+[\d,]+ USD, \+[\d,]+ kgCO2e a month"),  # no percentage of zero
        (build_plan(build_notebook("a", "prod", before=True)), "no change of cost or carbon"),
        (
            build_plan(build_notebook("a", "prod", type_="ml.future.large")),  # its volume is counted
            r"\+[\d.]+ USD, \+[\d.]+ kgCO2e a month, 1 resource not counted in full",
        ),
        (
            build_plan(build_notebook("a", "prod"), build_notebook("b", "prod", type_="ml.future.large")),
            r"\+\d+ USD, \+[\d.]+ kgCO2e a month, 1 resource not counted in full",
        ),
        (  # no percentage of a cost that is known only in part
            build_plan(build_notebook("a", "prod"), build_notebook("b", "prod", before=True, type_="ml.future.large")),
            r"\+\d+ USD, \+[\d.]+ kgCO2e a month",
        ),
        (build_plan(build_change("acme_machine.m", {"size": 3})), "cost of 1 resource unknown"),
    ],
)
def test_the_title_has_the_verdict_and_then_cost_and_carbon(plan: Plan, money: str) -> None:
    result = review(plan)
    text = format_money(result)
    assert re.fullmatch(money, text)
    for form in ("text", "markdown", "html"):
        page = re.sub(r"\s+", " ", render(result, form))
        assert re.search(rf"(?:Fine|Look|Stop): [^·<>#]+ · {re.escape(text)}", page), form


def test_the_title_of_several_plans_has_the_sum() -> None:
    reviews = review_all([GROWTH, NEW])
    cost = sum(result.footprint.delta.figures["cost"].central for result in reviews)
    amount = re.search(r"\+([\d,]+) USD", format_money(*reviews))
    assert amount
    assert float(amount[1].replace(",", "")) == pytest.approx(cost, rel=0.05)
    assert format_money(*reviews) in render(reviews, "markdown").splitlines()[1]


def test_the_comment_records_a_change_of_cost_that_a_threshold_may_omit() -> None:
    limit = CostLimit(1e6, 0)
    small, large, saved = (review(plan, limit=limit) for plan in (build_plan(ROLE), NEW, SHRINKING))
    uncounted = review(build_plan(build_notebook("a", "prod", type_="ml.future.large")))
    stopped = review(build_plan(build_change("aws_s3_bucket.b", before={"bucket": "b"})))
    changes = [find_cost_change(render(result, "markdown")) for result in (small, large, saved, uncounted, stopped)]
    assert changes[0] == 0
    assert (changes[1] or 0) > 1000
    assert (changes[2] or 0) > 100
    assert changes[3:] == [None, None]
    several = find_cost_change(render([large, saved], "markdown"))
    assert several == changes[1], "the largest change of a plan counts, so opposite changes do not hide each other"


def test_the_default_limit_is_the_documented_one() -> None:
    assert str(DEFAULT_COST_LIMIT) == "100 USD and 20 %"
