"""The order of a report, folded sections, and counted items."""

import re
from html import unescape
from typing import Any

import pytest

from sustainable_mlops.footprint.figures import format_number
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import effects, render, wording
from sustainable_mlops.review.formats.items import (
    FIX_CODE,
    ItemGroup,
    ReportItem,
    ReportSection,
    get_fold_title,
    group_by_section,
    list_acceptance_lines,
    list_items,
    summarize_until_apply,
)
from sustainable_mlops.review.gates import DEFAULT_GATES
from sustainable_mlops.review.review import ChangeSummary, ReviewGate
from sustainable_mlops.review.risk import Level
from sustainable_mlops.rules import Outcome
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES
from tests.review.hostile_plan import TODAY

PEOPLE = ("markdown", "html", "text")
TAGS = {"workload": "a", "environment": "dev", "owner": "b"}
CHANGE, PLATFORM = (review(load(FIXTURES / f"{name}.json"), today=TODAY) for name in ("change", "platform"))


def topic(name: str) -> dict[str, Any]:
    return build_change(f"aws_sns_topic.{name}", {"name": name, "tags_all": TAGS})


def build_unchanged(address: str, **values: Any) -> dict[str, Any]:
    """Return a resource that the plan does not change."""
    return build_change(address, values, before=values)


def variants(*types: str, **more: Any) -> dict[str, Any]:
    names = [{"variant_name": f"v{n}", "model_name": "m", "instance_type": type_, "initial_instance_count": 1, **more}
             for n, type_ in enumerate(types)]  # fmt: skip
    return {"name": "c", "production_variants": names, "region": "eu-north-1", "tags_all": TAGS}


NOTEBOOK = "aws_sagemaker_notebook_instance.n"
DEAD = build_unchanged(
    "aws_sagemaker_endpoint_configuration.dead", **variants("ml.m5.large", accelerator_type="ml.eia2.medium")
)


def list_summaries(page: str) -> list[str]:
    return re.findall(r"<summary>(?:<b>)?(.*?)(?:</b>)?</summary>", page)


def find_gate(result: Review, name: str) -> ReviewGate:
    return next(gate for gate in result.gates if gate.name == name)


@check_cases("form", PEOPLE)
def test_sections_are_in_the_order_stop_look_effects_rest(form: str) -> None:
    page = render(CHANGE, form)
    titles = ["What this change does", "ml.c7g.xlarge", "For the record", "Without an estimate: ", "Assumptions: "]
    order = [str(ReportSection.STOP), str(ReportSection.LOOK), *titles]
    places = [page.index(title) for title in order]
    assert places == sorted(places)


@check_cases("form", PEOPLE)
def test_a_report_has_the_entries_that_accept_its_risks(form: str) -> None:
    lines = list_acceptance_lines(CHANGE)
    assert lines
    page = unescape(render(CHANGE, form))
    assert wording.ACCEPTANCE in page
    assert all(line.strip() in page for line in lines[:5])


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_many_rules_to_look_at_are_folded_and_stopping_ones_never(form: str) -> None:
    page = render(CHANGE, form)
    fold = re.search(r"<details[^>]*><summary>(?:<b>|<h3>)Rules: (\d+) rules on (\d+) resources", page)
    assert fold is not None
    assert page.index(str(ReportSection.LOOK)) < fold.start()
    result = group_by_section(list_items(CHANGE))[ReportSection.LOOK]
    assert (int(fold[1]), int(fold[2])) == (len({one.id for one in result}), len({one.address for one in result}))
    stops = page[page.index(str(ReportSection.STOP)) : page.index(str(ReportSection.LOOK))]
    assert "<details" not in stops.replace(f"<details><summary>{FIX_CODE}", "")


def test_more_than_three_rules_are_many() -> None:
    def of(number: int, rule: str = "") -> str:
        items = [
            ReportItem(ReportSection.LOOK, "Rules", Level.LOOK, "look", f"a{n}", "t", id=rule) for n in range(number)
        ]
        return get_fold_title(ReportSection.LOOK, "Rules", [ItemGroup(item, (item,)) for item in items])

    assert of(4, "SUS_X") == "Rules: 4 rules on 4 resources"
    assert of(3, "SUS_X") == of(4) == of(3) == ""


def test_every_piece_of_code_in_a_remedy_is_code() -> None:
    assessment = CHANGE.risks[0]
    risks = (assessment._replace(risk=assessment.risk._replace(fix="Set `one` or `two`.")),)
    page = render(CHANGE._replace(risks=risks), "html")
    assert "Set <code>one</code> or <code>two</code>." in page


@check_cases("form", PEOPLE)
def test_replaced_and_deleted_resources_are_named_and_added_ones_counted(form: str) -> None:
    page = re.sub(r"</?(?:code|strong|b)>|[`\n]| {2,}", "", render(CHANGE, form)).replace("&#34;", '"')
    start = page.index("What this change does")
    assert "deletes 2: aws_s3_bucket.this[" in page[start:]
    assert "aws_sagemaker_feature_group.this" in page[page.index("replaces 3: ") :].partition("deletes")[0]
    added = " ".join(re.sub(r"</?(?:code|strong)>|`", "", render(PLATFORM, form)).split())
    assert "adds 30: 4 aws_sagemaker_endpoint, 4 aws_sagemaker_model, 3 aws_" in added


@check_cases("form", PEOPLE)
def test_an_untouched_failure_is_folded_and_its_title_shows_that_it_stops(form: str) -> None:
    result = review(build_plan(DEAD, topic("new")), today=TODAY)
    assert result.exit_code == 1
    page = render(result, form)
    title = re.search(r"Rules on unchanged resources: \d+ \(1 to stop[^)]*\)", page)
    assert title is not None
    assert page.index(str(ReportSection.STOP)) < title.start() < page.index("What this change does")
    if form == "markdown":
        assert f"🛑 {title[0]}" in list_summaries(page)
        assert page.index("SUS_ELASTIC_INFERENCE") > title.start()


def test_one_undecided_finding_makes_a_review_unknown() -> None:
    texts = review(build_plan(topic("new")), today=TODAY)
    assert not texts.has_unknowns
    assert texts._replace(findings=(next(finding for finding in PLATFORM.findings if finding.is_open),)).has_unknowns


def test_a_touched_resource_is_not_among_untouched_ones() -> None:
    result = group_by_section(list_items(review(build_plan(DEAD, topic("new")), today=TODAY)))
    assert {point.address for point in result[ReportSection.UNTOUCHED]} == {"aws_sagemaker_endpoint_configuration.dead"}
    assert not result[ReportSection.STOP]
    untouched = review(build_plan(DEAD, topic("new")), today=TODAY)
    findings = tuple(finding._replace(is_touched=True) for finding in untouched.findings)
    touched = untouched._replace(findings=findings)
    assert {point.id for point in group_by_section(list_items(touched))[ReportSection.STOP]} == {
        "SUS_ELASTIC_INFERENCE"
    }


def test_undecided_rules_are_one_item_per_resource() -> None:
    texts = [
        finding
        for finding in PLATFORM.findings
        if finding.is_open and finding.finding.address == "aws_sagemaker_pipeline.s3"
    ]
    assert len(texts) > 30
    lines = [item for item in list_items(PLATFORM) if item.label == "undecided"]
    (line,) = (one for one in lines if one.address == "aws_sagemaker_pipeline.s3")
    assert line.source.startswith(f"{len(texts)} rules: SUS_")
    assert line.text == texts[0].finding.message
    untold = {
        finding.finding.address for finding in PLATFORM.findings if finding.is_open and finding.level is Level.LOOK
    }
    assert {
        item.address for item in list_items(PLATFORM) if item.label == "undecided" and item.level is Level.LOOK
    } >= untold
    counted = rf"1 to stop, \d\d to look at, {len(untold)} resources? undecided, \d\d for the record, .*"
    assert re.fullmatch(counted, find_gate(PLATFORM, "rules").text)


@check_cases("form", PEOPLE)
def test_findings_known_only_after_apply_take_one_line(form: str) -> None:
    later = [finding.finding for finding in PLATFORM.findings if finding.until_apply]
    assert {one.address for one in later} == {"aws_sagemaker_pipeline.unknown"}
    line = summarize_until_apply(PLATFORM)
    assert line == f"The outcome of {len(later)} rules on 1 resource is known only after this apply"
    assert render(PLATFORM, form).count(line) == 1
    entries = {(item.id, item.address) for item in list_items(PLATFORM)}
    assert not entries & {(one.rule, one.address) for one in later}


def test_findings_known_only_after_apply_are_not_notes() -> None:
    later = sum(finding.until_apply for finding in PLATFORM.findings)
    assert find_gate(PLATFORM, "rules").text.endswith(f"for the record, {later} known only after apply")


@check_cases("form", PEOPLE)
def test_findings_of_the_baseline_take_one_folded_line(form: str) -> None:
    before = tuple(finding._replace(in_baseline=True) for finding in CHANGE.findings)
    result = CHANGE._replace(findings=before)
    number = len(CHANGE.findings)
    page = render(result, form)
    assert f"{number} findings in the baseline" in page
    assert ReportSection.LOOK not in page
    assert find_gate(result, "rules").text == f"{number} for the record"


def test_a_gate_that_is_off_stops_nothing_and_unknown_stops_if_selected() -> None:
    loud = group_by_section(list_items(PLATFORM._replace(fail_on=frozenset())))
    assert not loud[ReportSection.STOP]
    assert "SUS_SPOT_WAIT" in {point.id for point in loud[ReportSection.LOOK]}
    strict = group_by_section(list_items(PLATFORM._replace(fail_on=frozenset((*DEFAULT_GATES, "unknown")))))
    assert {"undecided", "stop"} == {point.label for point in strict[ReportSection.STOP]}
    assert {"aws_sagemaker_pipeline.s3"} < {point.address for point in strict[ReportSection.STOP]}
    assert "Undecided" not in {point.topic for point in strict[ReportSection.LOOK]}


@check_cases("form", PEOPLE)
def test_an_alternative_names_its_variant_and_its_address(form: str) -> None:
    address = "aws_sagemaker_endpoint_configuration.c"
    result = review(build_plan(build_change(address, variants("ml.m5.xlarge", "ml.c5.4xlarge"))), today=TODAY)
    assert {alternative.part for alternative in result.alternatives} >= {"variant v0", "variant v1"}
    page = re.sub(r"<wbr>", "", render(result, form))
    assert "variant v1: ml.c" in page
    if form == "html":
        assert re.search(rf'title="variant v1: [^"]*: {re.escape(address)}"', page)


@check_cases("form", PEOPLE)
def test_a_note_a_remark_and_the_scope_are_at_the_top(form: str) -> None:
    result = CHANGE._replace(notes=("the plan is incomplete",), remarks=("the Region is taken",), scope=("module.x.*",))
    page = render(result, form)
    for text in ("the plan is incomplete", "the Region is taken", "Scope", "changes more than module.x."):
        assert page.replace("&#42;", "*").index(text) < page.index(str(ReportSection.STOP))


@check_cases(("actions", "max_named"), [("create", 3), ("import", 3), ("move", 3), ("update", 5)])
def test_a_few_are_named_and_more_are_counted_by_type(actions: str, max_named: int) -> None:
    def summarize_changes(number: int) -> list[tuple[tuple[str, ...], tuple[tuple[int, str], ...]]]:
        result = [ChangeSummary(f"aws_x.x{n}", "aws_x", actions) for n in range(number)]
        return [
            (change.addresses, change.types)
            for change in effects.summarize_actions(CHANGE._replace(changes=tuple(result)))
        ]

    assert summarize_changes(max_named) == [(tuple(f"aws_x.x{n}" for n in range(max_named)), ())]
    assert summarize_changes(max_named + 1) == [((), ((max_named + 1, "aws_x"),))]


def test_a_saving_has_no_sign() -> None:
    (saved, *_) = PLATFORM.alternatives
    page = " ".join(render(PLATFORM, "text").split())
    kg = saved.saved_kg
    assert f"saves {format_number(kg.central)} ({format_number(kg.low)} to {format_number(kg.high)}) kgCO2e" in page


@pytest.mark.parametrize(("action", "changes"), [*((one, True) for one in ("create", "delete", "update", "replace")),
                                                 ("no-op", False)])  # fmt: skip
def test_a_changed_resource_without_figures_may_change(action: str, changes: bool) -> None:
    none = (None, None, None)
    assert effects.list_rows(PLATFORM)[0]._replace(action=action, kg=none, usd=none).is_changing is changes


def test_the_page_has_the_section_of_untouched_resources_once_if_needed() -> None:
    pages = [render(review(build_plan(*resources, topic("new")), today=TODAY), "html") for resources in ([DEAD], [])]
    assert [page.count("Rules on unchanged resources") for page in pages] == [1, 0]


def test_the_comment_folds_unchanged_footprints() -> None:
    values = {"name": "n", "instance_type": "ml.m5.large", "region": "eu-north-1", "tags_all": TAGS}
    for notebook, stays in ((build_unchanged(NOTEBOOK, **values), True), (build_change(NOTEBOOK, values), False)):
        page = render(review(build_plan(notebook, topic("new")), today=TODAY), "markdown")
        assert ("1 resources with an unchanged footprint" in page) is stays


def test_the_comment_names_a_rule_once_and_marks_a_waived_one() -> None:
    finding = next(
        finding
        for finding in CHANGE.findings
        if finding.level is Level.LOOK and finding.is_touched and not finding.is_open
    )
    waived = finding._replace(finding=finding.finding._replace(outcome=Outcome.WAIVED))
    for one, word in ((finding, ""), (waived, " · waived")):
        page = render(CHANGE._replace(findings=(one,)), "markdown")
        assert page.count(f"`{one.rule.id}`") == 1
        assert f"**{one.rule.problem}**{word} · `{one.rule.id}`" in page


@check_cases("form", ["html", "markdown", "sarif"])
def test_a_report_has_the_terraform_code_of_a_rule_once(form: str) -> None:
    page = render(CHANGE, form)
    code = next(one.rule.fix_code for one in CHANGE.findings if one.level is Level.LOOK and one.is_touched)
    text = {"html": unescape(page), "sarif": page.replace("\\n", "\n").replace('\\"', '"')}.get(form, page)
    assert code
    assert text.count(code) == 1


def test_a_cost_that_leaves_out_a_changed_part_is_unknown_and_not_zero() -> None:
    alarm = build_unchanged("aws_cloudwatch_metric_alarm.a", metric_name="Errors", period=60)
    sizes = [{"instance_class": f"db.r6g.{size}", "engine": "postgres"} for size in ("large", "xlarge")]
    headlines = []
    for before, after in (sizes, (sizes[0], {**sizes[0], "apply_immediately": True})):
        plan = build_plan(alarm, build_change("aws_db_instance.d", after, before=before))
        costs = [total for total in effects.list_totals(review(plan).footprint) if total.title == "Cost"]
        headlines.append(costs[0].headline)
    assert headlines == ["unknown", "0"]


def test_a_headline_names_money_before_rules_and_gaps() -> None:
    endpoint = variants("ml.g5.12xlarge", "ml.g5.12xlarge")
    title = render(review(build_plan(build_change("aws_sagemaker_endpoint_configuration.e", endpoint))), "markdown")
    assert re.search("^## .*(?:Look|Stop): (?:.*, )?cost increase, rules", title, re.M), title[:300]
