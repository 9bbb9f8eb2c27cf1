"""Several plans in one report: names, common settings, the worst exit code, and no partial files."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint.usage import ResourceUsage
from sustainable_mlops.plan import Plan
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.budgets import Budget, BudgetResult, BudgetStatus
from sustainable_mlops.review.checkov import CheckovResult
from sustainable_mlops.review.checkov_pool import CheckovPool
from sustainable_mlops.review.command import main
from sustainable_mlops.review.comment_marker import build_marker
from sustainable_mlops.review.formats.wording import format_budget
from sustainable_mlops.review.risk import Level
from tests.plan.plan_builder import build_change, build_document, build_plan
from tests.plan.test_load import FIXTURES
from tests.review.test_budgets import build_notebook, get_running_figure

TAGS = {"workload": "a", "environment": "dev", "owner": "b"}
TOPIC = {"name": "t", "tags_all": TAGS}
FINE = [build_change("aws_sns_topic.t", TOPIC, before=TOPIC)]
STOPPED = [build_change("aws_s3_bucket.b", before={"bucket": "b", "tags_all": TAGS})]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two environments: dev without changes, and prod, which loses a bucket."""
    for name, changes in (("dev", FINE), ("prod", STOPPED)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_text(json.dumps(build_document(*changes)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


PLANS = ["dev/plan.json", "prod/plan.json"]


def review_plans(folder: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    """Return the exit code, and the verdict of each plan by name."""
    code = main([*arguments, "--write", str(folder / "review.json")])
    document = json.loads((folder / "review.json").read_text())
    return code, {plan["plan"]: plan["verdict"] for plan in document["plans"]}


def test_the_worst_of_several_plans_is_the_exit_code(folder: Path) -> None:
    assert review_plans(folder, *PLANS) == (1, {"dev": "fine", "prod": "stop"})
    assert review_plans(folder, *PLANS, "--fail-on", "none") == (0, {"dev": "fine", "prod": "look"})


def test_names_may_alternate_with_their_plans(folder: Path) -> None:
    arguments = ["--name", "one", PLANS[0], "--name", "two", PLANS[1]]
    assert review_plans(folder, *arguments) == (1, {"one": "fine", "two": "stop"})


def test_one_of_them_may_come_from_stdin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(build_document(*STOPPED)).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert review_plans(folder, PLANS[0], "-") == (1, {"plan": "fine", "stdin": "stop"})


@pytest.mark.parametrize(
    ("arguments", "expected_text"),
    [
        ([*PLANS, "missing/plan.json"], "missing/plan.json: no such file"),
        ([*PLANS, "--base", PLANS[0]], "--base: works with one plan, not with 2"),
        ([*PLANS, "--name", "dev"], "--name: 1 names for 2 plans"),
        ([*PLANS, PLANS[0]], "dev/plan.json: appears twice"),
        (["-", "-"], "-: stdin can be read only once"),
        ([*PLANS, "--region", "eu-nort-1"], "--region: eu-nort-1 is not a Region of the catalogue; did you mean eu-"),
        ([*PLANS, "--region", "x"], "--region: x is not a Region of the catalogue, such as eu-north-1"),
        ([*PLANS, "--only", " "], "--only: is empty"),
        ([*PLANS, "--only", "lab:module.x"], "--only: no plan is named lab"),
        ([*PLANS, "--baseline", "missing.json"], "missing.json: no such file"),
        (
            [*PLANS, "--write-baseline", "baseline.txt"],
            "--write-baseline baseline.txt: must end in one of .json, .yaml, .yml",
        ),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing_half_written(
    folder: Path, arguments: list[str], expected_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = [] if "--write-baseline" in arguments else ["--write-baseline", "new.json"]
    assert main([*arguments, *baseline, "--write", "review.md", "review.json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {expected_text}")
    assert captured.err.count("\n") == 1
    files = {file.name for file in folder.iterdir()} - {"dev", "prod"}
    assert files <= {"review.md"}, "the comment alone says why there is no review"


def test_the_comment_about_all_plans_reports_an_unreadable_one(folder: Path) -> None:
    Path(PLANS[1]).write_text("{")
    assert main([*PLANS, "--write", "review.md"]) == 2
    text = (folder / "review.md").read_text()
    assert text.startswith(build_marker("dev", "prod") + "\n## ❔ Not reviewed")
    assert "prod/plan.json: is not JSON" in text


def test_a_usage_entry_is_unused_where_no_plan_uses_it() -> None:
    use: dict[str, Any] = {"aws_sagemaker_notebook_instance.b": {}, "aws_sagemaker_notebook_instance.c": {}}
    dev, prod = review_all(
        [build_plan(build_notebook("a", "dev")), build_plan(build_notebook("b", "prod"))], usage=ResourceUsage(use)
    )
    unused = "the usage file has an entry aws_sagemaker_notebook_instance.c, but"
    assert dev.notes == prod.notes == (f"{unused} these plans have no estimated resource for it",)
    (alone,) = review_all([build_plan(build_notebook("b", "prod"))], usage=ResourceUsage(use))
    assert alone.notes == (f"{unused} this plan has no estimated resource for it",)


def evaluate_budget(plans: list[Plan], budget: Budget) -> list[tuple[BudgetResult, ...]]:
    return [budget_result.budgets for budget_result in review_all(plans, budgets=[budget])]


def name_plan(name: str, *changes: dict[str, Any]) -> Plan:
    plan = build_plan(*changes)
    plan.name = name
    return plan


DEV, PROD = name_plan("dev", build_notebook("n", "dev")), name_plan("prod", build_notebook("n", "prod"))
USD = get_running_figure(review(DEV), "cost")


def test_a_budget_limits_the_sum_over_all_plans() -> None:
    (dev,), (prod,) = evaluate_budget([DEV, PROD], Budget("b", {"workload": "delay"}, {"usd_per_month": USD * 1.5}))
    assert dev == prod
    assert dev.status is BudgetStatus.OVER
    assert dev.value == pytest.approx(2 * USD)
    assert dev.description == "cost a month, dev and prod together"
    assert review(DEV, budgets=[Budget("b", {}, {"usd_per_month": USD * 1.5})]).budgets[0].status is BudgetStatus.WITHIN


def describe_budgets(plans: list[Plan], limit: float) -> list[tuple[BudgetStatus, str, Level | None]]:
    results = evaluate_budget(plans, Budget("b", {}, {"usd_per_month": limit}))
    return [(result.status, format_budget(result).partition("USD")[2], result.level) for (result,) in results]


def test_a_shared_budget_stops_only_the_plans_that_add_to_it() -> None:
    running = name_plan("dev", build_notebook("n", "dev", before=True))
    assert describe_budgets([running, PROD], USD * 1.5) == [
        (
            BudgetStatus.OVER_ELSEWHERE,
            f" exceeds the limit of {USD * 1.5:.4g} USD; the excess comes from prod, not from this plan",
            Level.NOTE,
        ),
        (BudgetStatus.OVER, f" exceeds the limit of {USD * 1.5:.4g} USD", Level.STOP),
    ]
    dev, prod = review_all([running, PROD], budgets=[Budget("b", {}, {"usd_per_month": USD * 1.5})])
    assert (dev.exit_code, prod.exit_code) == (0, 1)


def test_an_exceeded_budget_that_no_plan_adds_to_needs_a_look() -> None:
    plans = [name_plan(name, build_notebook("n", name, before=True)) for name in ("dev", "prod")]
    text = f" exceeded the limit of {USD * 1.5:.4g} USD before this change, which does not add to it"
    assert describe_budgets(plans, USD * 1.5) == [(BudgetStatus.OVER_BEFORE, text, Level.LOOK)] * 2
    assert (
        describe_budgets(plans, USD * 2.1)
        == [(BudgetStatus.WITHIN, f", within the limit of {USD * 2.1:.4g} USD", None)] * 2
    )


def test_a_plan_that_may_add_to_an_exceeded_budget_is_stopped() -> None:
    unknown = name_plan("dev", build_notebook("n", "dev", type_="ml.future.large"))
    statuses = [status for status, _, _ in describe_budgets([unknown, PROD], USD * 0.5)]
    assert statuses == [BudgetStatus.OVER, BudgetStatus.OVER]


def test_a_budget_of_one_environment_applies_to_its_plan() -> None:
    budget = Budget("b", {"environment": "prod"}, {"usd_per_month": USD * 0.5})
    dev, prod = review_all([DEV, PROD], budgets=[budget])
    assert dev.budgets == ()
    assert [(budget_result.status, budget_result.description) for budget_result in prod.budgets] == [
        (BudgetStatus.OVER, "cost a month")
    ]
    assert (dev.exit_code, prod.exit_code) == (0, 1)


def test_an_unestimated_resource_of_a_budget_is_named_with_its_plan() -> None:
    unknown = name_plan("prod", build_notebook("n", "prod", type_="ml.future.large"))
    (dev,), (prod,) = evaluate_budget([DEV, unknown], Budget("b", {}, {"usd_per_month": 1e6}))
    assert dev.status is prod.status is BudgetStatus.UNKNOWN
    assert dev.unknown == ("prod: aws_sagemaker_notebook_instance.n",)


def test_a_budget_without_resources_is_reported_for_each_plan() -> None:
    (dev,), (prod,) = evaluate_budget([DEV, PROD], Budget("b", {"workload": "other"}, {"usd_per_month": 1}))
    assert dev.status is prod.status is BudgetStatus.NOTHING


NO_REGION = {"name": "n", "instance_type": "ml.m5.large", "tags_all": TAGS}


def test_the_default_region_applies_to_a_plan_without_a_region(folder: Path) -> None:
    (folder / "n.json").write_text(
        json.dumps(build_document(build_change("aws_sagemaker_notebook_instance.n", NO_REGION)))
    )
    totals = []
    for region in ([], ["--region", "eu-north-1"], ["--region", "us-east-1"]):
        assert main(["n.json", "--write", "review.json", *region]) == 0
        document = json.loads((folder / "review.json").read_text())
        totals.append(document["footprint"]["after"]["total"])
    assert totals[0] is None
    assert totals[1] != totals[2]


def test_the_default_region_is_a_remark_without_effect_on_the_verdict() -> None:
    result: list[Review] = []
    for region in (None, "eu-north-1"):
        one = build_plan(*FINE)
        one.default_region = region
        result.append(review(one))
    assert [one.verdict for one in result] == [ReviewVerdict.FINE, ReviewVerdict.FINE]
    assert [one.remarks for one in result] == [
        (),
        ("resources without a Region in the plan are reviewed as in eu-north-1 (--region)",),
    ]


class FakeCheckov:
    """A checkov that counts its starts and stops."""

    start_count = stop_count = 0

    def __init__(self) -> None:
        type(self).start_count += 1

    def check(self, plan: bytes) -> CheckovResult:
        if plan == b"bad":
            raise UserError("checkov: checked no resource of the plan")
        return CheckovResult(int(plan))

    def stop(self) -> None:
        type(self).stop_count += 1


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeCheckov]:
    FakeCheckov.start_count = FakeCheckov.stop_count = 0
    monkeypatch.setattr("sustainable_mlops.review.checkov_pool.Checkov", FakeCheckov)
    return FakeCheckov


def test_checkov_starts_for_two_plans_at_once_and_each_gets_its_own_result(fake: type[FakeCheckov]) -> None:
    with CheckovPool(5) as pool:
        assert fake.start_count == 2
        results = [pool.submit(str(number).encode(), f"plan {number}") for number in range(5)]
        assert [result_item.result().passed for result_item in results] == [0, 1, 2, 3, 4]
    assert fake.start_count == fake.stop_count == 5, "every started process is stopped"


@pytest.mark.slow
@pytest.mark.usefixtures("fake")
def test_a_plan_that_checkov_cannot_read_is_named() -> None:
    with CheckovPool(1) as pool, pytest.raises(UserError, match="prod: checkov: checked no resource of the plan"):
        pool.submit(b"bad", "prod").result()


@pytest.mark.slow
def test_checkov_runs_over_each_of_several_plans(folder: Path) -> None:
    for name in PLANS:
        Path(name).write_bytes((FIXTURES / "platform.json").read_bytes())
    main([*PLANS, "--checkov", "--write", "review.json"])
    document = json.loads((folder / "review.json").read_text())
    assert [bool(plan["checkov"]["failed"]) for plan in document["plans"]] == [True, True]
