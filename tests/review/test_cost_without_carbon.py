"""Reports on services with a known price only, or without one."""

from datetime import date
from typing import Any

import pytest

from sustainable_mlops.review import Review, review
from sustainable_mlops.review.budgets import Budget, BudgetStatus
from sustainable_mlops.review.coverage_gaps import GapKind
from sustainable_mlops.review.formats import render
from sustainable_mlops.review.formats.effects import list_rows
from sustainable_mlops.review.formats.headline import format_money
from sustainable_mlops.review.risk import Level
from tests.plan.plan_builder import build_change, build_plan

TODAY = date(2026, 11, 28)
REGION = "us-east-1"
KEY = build_change("aws_kms_key.k", {"region": REGION, "enable_key_rotation": True})


def review_changes(*changes: dict[str, Any], **options: Any) -> Review:
    return review(build_plan(*changes), today=TODAY, **options)


def list_uncounted(result: Review) -> list[tuple[Level, str]]:
    return [(gap.level, gap.description) for gap in result.coverage_gaps if gap.kind is GapKind.NOT_COUNTED]


def test_the_title_has_the_cost_and_no_false_zero_of_carbon() -> None:
    added = review_changes(build_change("aws_nat_gateway.n", {"region": REGION}))
    assert format_money(added) == "+33 USD a month, no estimate of carbon"
    removed = review_changes(build_change("aws_nat_gateway.n", before={"region": REGION}))
    assert format_money(removed).startswith("-33 USD")
    volume = build_change("aws_ebs_volume.v", {"size": 900, "type": "gp3", "region": REGION, "encrypted": True})
    assert "kgCO2e" in format_money(review_changes(volume, KEY))
    assert list_uncounted(added) == []


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_title_states_that_nothing_is_counted(form: str) -> None:
    role = build_change("aws_iam_group.g", {"name": "g"}, before={"name": "h"})
    report = render([review_changes(role)], form)
    assert "nothing counted" in report
    assert "0 → 0" not in report


def test_a_change_without_an_effect_on_the_cost_has_no_row() -> None:
    before = {"name": "a", "load_balancer_type": "application", "region": REGION, "idle_timeout": 60}
    (same,), (other,) = (
        list_rows(review_changes(build_change("aws_lb.l", {**before, **change}, before=before)))
        for change in ({"idle_timeout": 90}, {"load_balancer_type": "gateway"})
    )
    assert not same.is_changing
    assert other.is_changing


def test_the_encryption_of_a_proxy_has_no_effect_on_its_cost() -> None:
    before = {"name": "p", "require_tls": False, "engine_family": "MYSQL"}
    (encrypted,), (other,) = (
        list_uncounted(review_changes(build_change("aws_db_proxy.p", {**before, **change}, before=before)))
        for change in ({"require_tls": True}, {"engine_family": "SQLSERVER"})
    )
    assert (encrypted[0], other[0]) == (Level.NOTE, Level.LOOK)


def test_a_report_says_that_there_is_no_carbon_and_names_the_units() -> None:
    endpoint = {"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b"], "region": REGION}
    report = render([review_changes(build_change("aws_vpc_endpoint.e", endpoint))], "markdown")
    assert "interface endpoint, 2 zones" in report
    assert "its fixed price is counted; its carbon is not known; not counted: traffic" in report


def test_types_billed_by_usage_are_one_line() -> None:
    queues = [build_change(f"aws_sqs_queue.q{number}", {"name": f"q{number}"}) for number in range(3)]
    assert "billed by usage; a plan does not contain the usage: 3 aws_sqs_queue" in render(
        [review_changes(*queues)], "text"
    )


def test_a_larger_database_needs_a_look_and_a_smaller_one_does_not() -> None:
    small, large = {"instance_class": "db.t4g.micro"}, {"instance_class": "db.r6i.32xlarge"}
    grown = review_changes(build_change("aws_db_instance.d", large, before=small))
    reason = "its cost is not counted: no price known"
    assert list_uncounted(grown) == [(Level.LOOK, f"db.t4g.micro → db.r6i.32xlarge: {reason}")]
    assert f"db.t4g.micro → db.r6i.32xlarge: {reason}" in render([grown], "markdown")
    shrunk = review_changes(build_change("aws_db_instance.d", small, before=large))
    assert list_uncounted(shrunk) == [(Level.NOTE, f"db.r6i.32xlarge → db.t4g.micro: {reason}")]


def test_a_new_size_has_an_unknown_cost_and_a_new_code_version_has_none() -> None:
    before = {"memory_size": 128, "source_code_hash": "a"}
    code, size = (
        review_changes(build_change("aws_lambda_function.f", {**before, **change}, before=before))
        for change in ({"source_code_hash": "b"}, {"memory_size": 10240})
    )
    assert format_money(code) == "no change of cost or carbon"
    assert format_money(size) == "cost of 1 resource unknown"
    ((_, reason),) = list_uncounted(size)
    assert "cost: billed by usage, and a plan does not contain the usage; carbon: AWS does not publish" in reason


def test_more_workers_of_a_class_without_a_price_need_a_look() -> None:
    values = [{"environment_class": "mw1.2xlarge", "max_workers": number, "region": REGION} for number in (1, 25)]
    more, fewer = (
        review_changes(build_change("aws_mwaa_environment.e", new, before=old)) for old, new in (values, values[::-1])
    )
    assert [level for level, _ in list_uncounted(more)] == [Level.LOOK]
    assert [level for level, _ in list_uncounted(fewer)] == [Level.NOTE]


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [("mw1.2xlarge", "mw1.small", None), ("mw1.micro", "mw1.large", "look"), ("mw1.small", "mw1.2xlarge", "look"),
     ("mw1.large", "mw1.micro", None)],
)  # fmt: skip
def test_only_a_larger_class_is_an_increase_without_a_price(before: str, after: str, level: str | None) -> None:
    old, new = ({"environment_class": size, "region": REGION} for size in (before, after))
    result = review_changes(build_change("aws_mwaa_environment.e", new, before=old))
    assert result.verdict == (level or "fine")
    assert format_money(result) == "cost of 1 resource unknown"
    assert f"{before} → {after}" in render([result], "text")


def test_a_new_resource_of_a_type_in_no_list_needs_a_look() -> None:
    (new,) = list_uncounted(review_changes(build_change("aws_not_invented_yet.n", {"name": "n"})))
    assert new == (Level.LOOK, "it is not known if this type costs money")


def test_a_budget_of_carbon_ignores_services_without_carbon() -> None:
    limits = {"kg_per_month": 5.0, "kg_increase": 5.0, "usd_per_month": 0.5, "usd_increase": 2.0}
    result = review_changes(KEY, budgets=[Budget("b", {}, limits)])
    assert {one.limit: one.status for one in result.budgets} == {
        "kg_per_month": BudgetStatus.NOTHING,
        "kg_increase": BudgetStatus.NOTHING,
        "usd_per_month": BudgetStatus.OVER,
        "usd_increase": BudgetStatus.WITHIN,
    }
