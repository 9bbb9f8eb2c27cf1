"""The baseline: what was there before is for the record, and nothing new hides behind it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import rules
from sustainable_mlops.checkov import Finding, Result
from sustainable_mlops.errors import UserError
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.baseline import KNOWN_BEFORE, apply_baseline, read_baseline, render_baseline
from sustainable_mlops.review.risk import Level
from sustainable_mlops.rules import Outcome
from tests.plan.plan_builder import build_change, build_plan
from tests.rules.case_tables import CaseRow, RuleCase, list_rows

TAGS = {"workload": "a", "environment": "dev", "owner": "b"}
DATABASE = "aws_db_instance.d"


def notebook(name: str, *, new: bool = False) -> dict[str, Any]:
    """A notebook that nothing stops, which is to look at."""
    values = {"name": name, "instance_type": "ml.t3.medium", "region": "eu-north-1", "tags_all": TAGS}
    return build_change(f"aws_sagemaker_notebook_instance.{name}", values, before=None if new else values)


def warm(workers: int, *, new: bool = True) -> dict[str, Any]:
    """A serverless endpoint with workers that stay warm."""
    serverless = {"memory_size_in_mb": 2048, "max_concurrency": 50, "provisioned_concurrency": workers}
    variant = {"variant_name": "v", "model_name": "m", "serverless_config": [serverless]}
    values = {"name_prefix": "delay-", "production_variants": [variant], "region": "eu-north-1", "tags_all": TAGS}
    return build_change("aws_sagemaker_endpoint_configuration.c", values, before=None if new else values)


def database(size: str, before: str | None = None) -> dict[str, Any]:
    """A database, which nobody counts."""
    values = {"instance_class": size, "tags_all": TAGS}
    return build_change(DATABASE, values, before=None if before is None else {**values, "instance_class": before})


@pytest.fixture
def known(tmp_path: Path) -> Any:
    """Reviews against the baseline that was written of others."""

    def judged(before: Plan | list[Review], after: Plan | list[Review], suffix: str = ".json") -> Any:
        file = tmp_path / f"baseline{suffix}"
        file.write_text(render_baseline(before if isinstance(before, list) else [review(before)], suffix))
        baseline = read_baseline(file)
        if isinstance(after, list):
            return apply_baseline(after, baseline)
        return apply_baseline([review(after)], baseline)[0]

    return judged


def loud(found: Review) -> set[str]:
    """Where the rules find what has to be looked at."""
    return {one.finding.address for one in found.findings if one.level in (Level.STOP, Level.LOOK)}


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_findings_of_the_baseline_are_for_the_record(known: Any, suffix: str) -> None:
    before = build_plan(notebook("a"), database("db.r6g.large"))
    assert review(before).verdict is ReviewVerdict.LOOK
    found = known(before, before, suffix)
    assert found.verdict is ReviewVerdict.FINE
    assert not found.has_unknowns
    assert found.remarks == ()
    assert {one.finding.address for one in found.findings if one.in_baseline} == {"aws_sagemaker_notebook_instance.a"}
    assert [one.in_baseline for one in found.coverage_gaps] == [True]


def test_the_same_at_another_address_is_new(known: Any) -> None:
    found = known(build_plan(notebook("a")), build_plan(notebook("a"), notebook("b", new=True)))
    assert loud(found) == {"aws_sagemaker_notebook_instance.b"}


def test_more_of_the_same_is_new_where_the_plan_touches_it(known: Any) -> None:
    assert loud(known(build_plan(warm(2)), build_plan(warm(2)))) == set()
    assert loud(known(build_plan(warm(2)), build_plan(warm(20)))) == {"aws_sagemaker_endpoint_configuration.c"}


def test_figures_may_move_where_the_plan_leaves_the_resource_alone(known: Any) -> None:
    assert loud(known(build_plan(warm(2)), build_plan(warm(20, new=False)))) == set()


@pytest.mark.parametrize(
    ("text", "level"),
    [("ml.m5.large: 4 of 12 versions", Level.NOTE), ("ml.m5.4xlarge: 3 of 1,000.5 versions", Level.LOOK)],
)
def test_numbers_in_names_are_no_figures(known: Any, text: str, level: Level) -> None:
    base = review(build_plan(notebook("a")))
    (one,) = (one for one in base.findings if one.level is Level.LOOK)
    three, other = (
        replace(base, findings=(replace(one, finding=one.finding._replace(message=message)),))
        for message in ("ml.m5.large: 3 of 1,000.5 versions", text)
    )
    assert known([three], [other])[0].findings[0].level is level


def test_an_undecided_finding_that_fails_now_is_new(known: Any) -> None:
    base = review(build_plan(notebook("a")))
    (one,) = (one for one in base.findings if one.level is Level.LOOK)
    was = replace(base, findings=(replace(one, finding=one.finding._replace(outcome=Outcome.UNKNOWN)),))
    assert loud(known([was], [base])[0]) == {"aws_sagemaker_notebook_instance.a"}
    assert loud(known([was], [was])[0]) == set()


def test_a_resolved_entry_is_a_remark_without_effect_on_the_verdict(known: Any) -> None:
    found = known(build_plan(notebook("a"), notebook("b")), build_plan(notebook("a")))
    assert found.verdict is ReviewVerdict.FINE
    assert [one.partition(" ")[2] for one in found.remarks] == [
        "entry of the baseline is resolved: write the baseline again with --write-baseline"
    ]


def test_a_coverage_gap_of_the_baseline_is_new_when_the_plan_changes_it(known: Any) -> None:
    before = build_plan(database("db.r6g.large"))
    assert (
        known(before, build_plan(database("db.r6g.large"))).verdict is ReviewVerdict.FINE
    )  # as where there is no state
    changed = known(before, build_plan(database("db.r6g.16xlarge", before="db.r6g.large")))
    assert [one.level for one in changed.coverage_gaps] == [Level.LOOK]
    assert changed.verdict is ReviewVerdict.LOOK


def test_no_risk_is_ever_in_a_baseline(known: Any) -> None:
    public = {"bucket": "p", "acl": "public-read"}
    stopped = build_plan(
        build_change("aws_s3_bucket.gone", before={"bucket": "gone", "tags_all": TAGS}),
        build_change("aws_s3_bucket_acl.p", public),
    )
    found = known(stopped, stopped)
    assert {one.level for one in found.risks} == {Level.STOP}
    assert found.exit_code == 1


def test_checkovs_failures_are_known_by_check_and_address(known: Any) -> None:
    one, other = (
        Finding("CKV_AWS_18", "logging", "aws_s3_bucket.a"),
        Finding("CKV_AWS_18", "logging", "aws_s3_bucket.b"),
    )
    base = review(build_plan(notebook("a")))
    before, after = (replace(base, checkov_result=Result(1, [], failed)) for failed in ([one], [one, other]))
    (found,) = known([before], [after])
    assert found.checkov_result.failed == [other]
    assert found.checkov_result.explained == [replace(one, reason=KNOWN_BEFORE)]
    (same,) = known([found], [after])
    assert same.checkov_result.failed == [], "what one baseline explains stands in the next, too"


def together(*changes: list[dict[str, Any]]) -> list[Review]:
    plans = [build_plan(*found) for found in changes]
    for one, name in zip(plans, ("dev", "prod"), strict=False):
        one.name = name
    return review_all(plans)


def test_each_of_several_plans_has_its_own_entries(known: Any) -> None:
    dev, prod = known(together([notebook("a")], []), together([notebook("a")], [notebook("a")]))
    assert (dev.verdict, prod.verdict) == (ReviewVerdict.FINE, ReviewVerdict.LOOK)
    (alone,) = known(together([notebook("a")], [notebook("a")]), together([notebook("a")]))
    assert alone.verdict is ReviewVerdict.FINE, "the entries of a plan are found by its name"
    assert alone.remarks == ()


def test_a_baseline_without_entries_for_the_plan_is_a_remark(known: Any) -> None:
    dev, prod = known(together([notebook("a")]), together([notebook("a")], []))
    assert dev.remarks == ("the baseline has no entry for dev, only for a single plan",)
    assert prod.remarks == ("the baseline has no entry for prod, only for a single plan",)


def test_a_baseline_is_sorted_an_entry_a_line_and_the_same_for_the_same_plan() -> None:
    text = render_baseline([review(build_plan(notebook("b"), notebook("a")))], ".json")
    assert text == render_baseline([review(build_plan(notebook("a"), notebook("b")))], ".json")
    listed = json.loads(text)["baseline"]
    assert listed[0]["kind"] == "fail"
    assert len(text.splitlines()) == len(listed) + 2
    assert json.loads(render_baseline([review(build_plan())], ".json")) == {"baseline": []}


ENTRY = {"kind": "fail", "id": "SUS_TAGS", "address": "a", "what": "b"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", "must be a mapping"),
        ("{", "is not JSON"),
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
def test_an_invalid_file_is_reported_with_the_location(tmp_path: Path, content: Any, says: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UserError) as error:
        read_baseline(file)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def settled(case: RuleCase) -> Plan:
    """The plan once it is applied: the same resources, and nothing is done to them."""
    stays = {address: "no-op" for address, action in case.actions.items() if action not in ("create", "delete")}
    gone = {address: "delete" for address, action in case.actions.items() if action == "delete"}
    document = replace(case, actions=stays | gone, before={}).document()
    document["resource_changes"] = [one for one in document["resource_changes"] if one["address"] not in gone]
    return load(json.dumps(document).encode())


CHANGING = [row for row in list_rows("fail") if set(row.case.actions.values()) - {"create", "no-op"}]


@pytest.mark.parametrize("row", CHANGING, ids=lambda row: f"{row.rule}-{row.title}")
def test_a_rule_about_changes_is_marked_and_is_never_in_a_baseline(row: CaseRow) -> None:
    rule = rules.BY_ID[row.rule]
    left = [one for one in rules.evaluate(settled(row.case), [rule]) if one.outcome is Outcome.FAIL]
    assert rule.is_about_change is not bool(left)


def test_a_finding_about_a_change_counts_in_spite_of_the_baseline(known: Any) -> None:
    (row,) = (one for one in CHANGING if one.title == "a model under its old name")
    found = known(row.case.plan(), row.case.plan())
    assert [one.rule.id for one in found.findings if one.level is Level.STOP] == ["SUS_ENDPOINT_KEEPS_OLD_MODEL"]
