"""The baseline: known findings are for the record, and new ones are never hidden."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import rules
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.baseline import KNOWN_BEFORE, apply_baseline, read_baseline, render_baseline
from sustainable_mlops.review.checkov import CheckovFinding, CheckovResult
from sustainable_mlops.review.risk import Level
from sustainable_mlops.rules import Outcome
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.rules.case_tables import CaseRow, RuleCase, list_rows

TAGS = {"workload": "a", "environment": "dev", "owner": "b"}
DATABASE = "aws_db_instance.d"


def build_notebook(name: str, *, new: bool = False) -> dict[str, Any]:
    """Return a notebook that needs a look and stops nothing."""
    values = {"name": name, "instance_type": "ml.t3.medium", "region": "eu-north-1", "tags_all": TAGS}
    return build_change(f"aws_sagemaker_notebook_instance.{name}", values, before=None if new else values)


def build_warm_endpoint(workers: int, *, new: bool = True) -> dict[str, Any]:
    """Return a serverless endpoint with provisioned concurrency."""
    serverless = {"memory_size_in_mb": 2048, "max_concurrency": 50, "provisioned_concurrency": workers}
    variant = {"variant_name": "v", "model_name": "m", "serverless_config": [serverless]}
    values = {"name_prefix": "delay-", "production_variants": [variant], "region": "eu-north-1", "tags_all": TAGS}
    return build_change("aws_sagemaker_endpoint_configuration.c", values, before=None if new else values)


def build_database(size: str, before: str | None = None) -> dict[str, Any]:
    """Return a database, which has no estimate."""
    values = {"instance_class": size, "tags_all": TAGS}
    return build_change(DATABASE, values, before=None if before is None else {**values, "instance_class": before})


@pytest.fixture
def review_with_baseline(tmp_path: Path) -> Any:
    """Return a function that reviews plans with a baseline of other plans."""

    def review_both(before: Plan | list[Review], after: Plan | list[Review], suffix: str = ".json") -> Any:
        file = tmp_path / f"baseline{suffix}"
        file.write_text(render_baseline(before if isinstance(before, list) else [review(before)], suffix))
        baseline = read_baseline(file)
        if isinstance(after, list):
            return apply_baseline(after, baseline)
        return apply_baseline([review(after)], baseline)[0]

    return review_both


def list_loud_addresses(result: Review) -> set[str]:
    """Return the addresses of findings that need a look or stop the plan."""
    return {finding.finding.address for finding in result.findings if finding.level in (Level.STOP, Level.LOOK)}


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_findings_of_the_baseline_are_notes(review_with_baseline: Any, suffix: str) -> None:
    before = build_plan(build_notebook("a"), build_database("db.r6g.large"))
    assert review(before).verdict is ReviewVerdict.LOOK
    result = review_with_baseline(before, before, suffix)
    assert result.verdict is ReviewVerdict.FINE
    assert not result.has_unknowns
    assert result.remarks == ()
    assert {finding.finding.address for finding in result.findings if finding.in_baseline} == {
        "aws_sagemaker_notebook_instance.a"
    }
    assert [gap.in_baseline for gap in result.coverage_gaps] == [True]


def test_the_same_at_another_address_is_new(review_with_baseline: Any) -> None:
    result = review_with_baseline(
        build_plan(build_notebook("a")), build_plan(build_notebook("a"), build_notebook("b", new=True))
    )
    assert list_loud_addresses(result) == {"aws_sagemaker_notebook_instance.b"}


def test_more_of_the_same_is_new_where_the_plan_touches_it(review_with_baseline: Any) -> None:
    assert (
        list_loud_addresses(
            review_with_baseline(build_plan(build_warm_endpoint(2)), build_plan(build_warm_endpoint(2)))
        )
        == set()
    )
    assert list_loud_addresses(
        review_with_baseline(build_plan(build_warm_endpoint(2)), build_plan(build_warm_endpoint(20)))
    ) == {"aws_sagemaker_endpoint_configuration.c"}


def test_figures_may_move_where_the_plan_leaves_the_resource_alone(review_with_baseline: Any) -> None:
    assert (
        list_loud_addresses(
            review_with_baseline(build_plan(build_warm_endpoint(2)), build_plan(build_warm_endpoint(20, new=False)))
        )
        == set()
    )


@pytest.mark.parametrize(
    ("text", "level"),
    [("ml.m5.large: 4 of 12 versions", Level.NOTE), ("ml.m5.4xlarge: 3 of 1,000.5 versions", Level.LOOK)],
)
def test_numbers_in_names_are_no_figures(review_with_baseline: Any, text: str, level: Level) -> None:
    base = review(build_plan(build_notebook("a")))
    (one,) = (finding for finding in base.findings if finding.level is Level.LOOK)
    three, other = (
        base._replace(findings=(one._replace(finding=one.finding._replace(message=message)),))
        for message in ("ml.m5.large: 3 of 1,000.5 versions", text)
    )
    assert review_with_baseline([three], [other])[0].findings[0].level is level


def test_an_undecided_finding_that_fails_now_is_new(review_with_baseline: Any) -> None:
    base = review(build_plan(build_notebook("a")))
    (one,) = (finding for finding in base.findings if finding.level is Level.LOOK)
    was = base._replace(findings=(one._replace(finding=one.finding._replace(outcome=Outcome.UNKNOWN)),))
    assert list_loud_addresses(review_with_baseline([was], [base])[0]) == {"aws_sagemaker_notebook_instance.a"}
    assert list_loud_addresses(review_with_baseline([was], [was])[0]) == set()


def test_a_resolved_entry_is_a_remark_without_effect_on_the_verdict(review_with_baseline: Any) -> None:
    result = review_with_baseline(build_plan(build_notebook("a"), build_notebook("b")), build_plan(build_notebook("a")))
    assert result.verdict is ReviewVerdict.FINE
    assert [remark.partition(" ")[2] for remark in result.remarks] == [
        "entry of the baseline is resolved: write the baseline again with --write-baseline"
    ]


def test_a_coverage_gap_of_the_baseline_is_new_when_the_plan_changes_it(review_with_baseline: Any) -> None:
    before = build_plan(build_database("db.r6g.large"))
    assert (
        review_with_baseline(before, build_plan(build_database("db.r6g.large"))).verdict is ReviewVerdict.FINE
    )  # as where there is no state
    changed = review_with_baseline(before, build_plan(build_database("db.r6g.16xlarge", before="db.r6g.large")))
    assert [gap.level for gap in changed.coverage_gaps] == [Level.LOOK]
    assert changed.verdict is ReviewVerdict.LOOK


def test_no_risk_is_ever_in_a_baseline(review_with_baseline: Any) -> None:
    public = {"bucket": "p", "acl": "public-read"}
    stopped = build_plan(
        build_change("aws_s3_bucket.gone", before={"bucket": "gone", "tags_all": TAGS}),
        build_change("aws_s3_bucket_acl.p", public),
    )
    result = review_with_baseline(stopped, stopped)
    assert {risk.level for risk in result.risks} == {Level.STOP}
    assert result.exit_code == 1


def test_checkovs_failures_are_known_by_check_and_address(review_with_baseline: Any) -> None:
    one, other = (
        CheckovFinding("CKV_AWS_18", "logging", "aws_s3_bucket.a"),
        CheckovFinding("CKV_AWS_18", "logging", "aws_s3_bucket.b"),
    )
    base = review(build_plan(build_notebook("a")))
    before, after = (base._replace(checkov_result=CheckovResult(1, [], failed)) for failed in ([one], [one, other]))
    (result,) = review_with_baseline([before], [after])
    assert result.checkov_result.failed == [other]
    assert result.checkov_result.explained == [one._replace(reason=KNOWN_BEFORE)]
    (same,) = review_with_baseline([result], [after])
    assert same.checkov_result.failed == [], "what one baseline explains stands in the next, too"


def review_together(*changes: list[dict[str, Any]]) -> list[Review]:
    plans = [build_plan(*result) for result in changes]
    for one, name in zip(plans, ("dev", "prod"), strict=False):
        one.name = name
    return review_all(plans)


def test_each_of_several_plans_has_its_own_entries(review_with_baseline: Any) -> None:
    dev, prod = review_with_baseline(
        review_together([build_notebook("a")], []), review_together([build_notebook("a")], [build_notebook("a")])
    )
    assert (dev.verdict, prod.verdict) == (ReviewVerdict.FINE, ReviewVerdict.LOOK)
    (alone,) = review_with_baseline(
        review_together([build_notebook("a")], [build_notebook("a")]), review_together([build_notebook("a")])
    )
    assert alone.verdict is ReviewVerdict.FINE, "the entries of a plan are found by its name"
    assert alone.remarks == ()


def test_a_baseline_without_entries_for_the_plan_is_a_remark(review_with_baseline: Any) -> None:
    dev, prod = review_with_baseline(review_together([build_notebook("a")]), review_together([build_notebook("a")], []))
    assert dev.remarks == ("the baseline has no entry for dev, only for a single plan",)
    assert prod.remarks == ("the baseline has no entry for prod, only for a single plan",)


def test_a_baseline_is_sorted_an_entry_a_line_and_the_same_for_the_same_plan() -> None:
    text = render_baseline([review(build_plan(build_notebook("b"), build_notebook("a")))], ".json")
    assert text == render_baseline([review(build_plan(build_notebook("a"), build_notebook("b")))], ".json")
    entries = json.loads(text)["baseline"]
    assert entries[0]["kind"] == "fail"
    assert len(text.splitlines()) == len(entries) + 2
    assert json.loads(render_baseline([review(build_plan())], ".json")) == {"baseline": []}


ENTRY = {"kind": "fail", "id": "SUS_TAGS", "address": "a", "what": "b"}


@pytest.mark.parametrize(
    ("content", "expected_text"),
    [
        ("[1]", "must be a mapping"),
        ("{", "not valid JSON"),
        ({"entries": []}, "unknown key entries"),
        ({"baseline": {}}, "baseline: must be a list"),
        (
            {"baseline": [{**ENTRY, "kind": "risk"}]},
            "baseline[0].kind: must be one of fail, unknown, coverage_gap, checkov",
        ),
        ({"baseline": [ENTRY, {**ENTRY, "adress": "a"}]}, "baseline[1]: unknown key adress"),
        ({"baseline": [{**ENTRY, "what": 3}]}, "baseline[0].what: must be text"),
        ({"baseline": [{"kind": "fail"}]}, "baseline[0].id: must be text, and is missing"),
    ],
)
def test_an_invalid_file_is_reported_with_the_location(tmp_path: Path, content: Any, expected_text: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UserError) as error:
        read_baseline(file)
    assert expected_text in str(error.value)
    assert "\n" not in str(error.value)


def build_settled_plan(case: RuleCase) -> Plan:
    """Return the plan after its apply: the same resources without changes."""
    stays = {address: "no-op" for address, action in case.actions.items() if action not in ("create", "delete")}
    deleted = {address: "delete" for address, action in case.actions.items() if action == "delete"}
    document = replace(case, actions=stays | deleted, before={}).document()
    document["resource_changes"] = [
        change for change in document["resource_changes"] if change["address"] not in deleted
    ]
    return load(json.dumps(document).encode())


CHANGING = [row for row in list_rows("fail") if set(row.case.actions.values()) - {"create", "no-op"}]


@check_cases("row", CHANGING, ids=lambda row: f"{row.rule}-{row.title}")
def test_a_rule_about_changes_is_marked_and_is_never_in_a_baseline(row: CaseRow) -> None:
    rule = rules.BY_ID[row.rule]
    left = [
        finding for finding in rules.evaluate(build_settled_plan(row.case), [rule]) if finding.outcome is Outcome.FAIL
    ]
    assert rule.is_about_change is not bool(left)


def test_a_finding_about_a_change_counts_in_spite_of_the_baseline(review_with_baseline: Any) -> None:
    (row,) = (one for one in CHANGING if one.title == "a model with the same name")
    result = review_with_baseline(row.case.plan(), row.case.plan())
    assert [finding.rule.id for finding in result.findings if finding.level is Level.STOP] == [
        "SUS_ENDPOINT_KEEPS_OLD_MODEL"
    ]
