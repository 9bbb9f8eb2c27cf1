"""Reports about several plans: the worst first, totals, and common items once."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.budgets import Budget
from sustainable_mlops.review.comment_marker import build_marker, find_plan_hashes
from sustainable_mlops.review.formats import FORMATS, effects, render
from sustainable_mlops.review.formats.bundle import build_bundle
from sustainable_mlops.review.formats.comment_limit import LIMIT
from sustainable_mlops.review.formats.items import ReportSection
from sustainable_mlops.review.formats.markdown import render_not_reviewed
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES
from tests.review.hostile_plan import ATTACKS, SECRET, TODAY, build_hostile_plan
from tests.review.test_formats import MADE_OF, REVIEWS, parse_page
from tests.review.test_report import DEAD

PEOPLE = ("markdown", "html", "text")
TAGS = {"workload": "a", "environment": "dev", "owner": "b"}
QUIET = review(build_plan(build_change("aws_sns_topic.t", {"name": "t", "tags_all": TAGS})), today=TODAY)


def rename_review(name: str, result: Review) -> Review:
    return result._replace(name=name)


#: Two environments of one code base, one of which is worse, and one that is fine.
DEV, FINE = rename_review("dev", REVIEWS["platform"]), rename_review("quiet", QUIET)
PROD = rename_review("prod", REVIEWS["platform"]._replace(risks=(*REVIEWS["platform"].risks, *REVIEWS["change"].risks)))
ALL = [FINE, DEV, PROD]


def test_a_list_with_one_review_renders_as_the_review() -> None:
    assert all(render([DEV], form) == render(DEV, form) for form in FORMATS)


def test_the_worst_review_is_first_and_equal_verdicts_keep_their_order() -> None:
    assert QUIET.verdict is ReviewVerdict.FINE
    assert [member.review.name for member in build_bundle(ALL).members] == ["dev", "prod", "quiet"]


@check_cases("form", PEOPLE)
def test_the_first_line_names_the_worst_verdict_and_its_plans(form: str) -> None:
    assert "Stop in dev, prod: data at risk, privileges, budgets, rules" in render(ALL, form)
    assert "Fine: nothing to look at in any of 2 plans · no change of cost or carbon" in render(
        [FINE, rename_review("other", QUIET)], form
    )


@check_cases("form", PEOPLE)
def test_common_items_appear_once_and_others_in_the_section_of_their_plan(form: str) -> None:
    page = render(ALL, form)
    for common in ("AmazonSageMakerFullAccess, an AWS managed policy", "power model of the server: "):
        assert page.count(common) == 1
        assert render(DEV, form).count(common) == 1
    own = "its objects will be lost"
    section = page.index("── prod" if form == "text" else "prod: Stop: ")
    assert page.index("In several plans") < page.index("AmazonSageMakerFullAccess") < section < page.index(own)


def test_an_item_of_some_plans_names_them() -> None:
    result = build_bundle(ALL)
    assert {point.plans for point in result.common_items[ReportSection.STOP]} == {("dev", "prod")}
    assert {point.plans for point in build_bundle([DEV, PROD]).common_items[ReportSection.STOP]} == {()}
    assert "(in dev, prod)" in render(ALL, "markdown")
    assert "in dev, prod" in render(ALL, "html")


def test_a_common_note_appears_once_and_another_in_the_section_of_its_plan() -> None:
    notes = (("all", "two"), ("all", "two"), ("all", "one"))
    result = build_bundle([QUIET._replace(name=str(n), notes=items, remarks=items) for n, items in enumerate(notes)])
    assert result.notes == result.remarks == ("all", "two")
    assert [(member.notes, member.remarks) for member in result.members] == [((), ()), ((), ()), (("one",), ("one",))]


def test_each_item_is_reported_for_every_plan_that_has_it() -> None:
    result = build_bundle(ALL)
    for member in result.members:
        alone = build_bundle([member.review]).members[0].own_items
        for place in ReportSection:
            common = [item for item in result.common_items[place] if not item.plans or member.review.name in item.plans]
            texts = {item._replace(plans=()) for item in (*common, *member.own_items[place])}
            assert texts == set(alone[place])


def test_the_counts_of_the_table_are_those_of_a_single_review() -> None:
    (dev,) = (member for member in build_bundle(ALL).members if member.review is DEV)
    alone = build_bundle([DEV]).members[0]
    assert (dev.stop_count, dev.look_count) == (alone.stop_count, alone.look_count)
    assert dev.stop_count == len(alone.own_items[ReportSection.STOP])
    assert dev.shared_count == dev.stop_count + dev.look_count
    carbon = effects.list_totals(DEV.footprint)[0].change
    assert f"| {carbon} | {dev.stop_count} | {dev.look_count} |" in render(ALL, "markdown")


def test_the_counts_of_the_table_include_untouched_resources() -> None:
    old = rename_review(
        "old", review(build_plan(DEAD, build_change("aws_sns_topic.t", {"name": "t", "tags_all": TAGS})), today=TODAY)
    )
    alone = build_bundle([old]).members[0]
    assert [str(point.level) for point in alone.own_items[ReportSection.UNTOUCHED]] == ["stop", "look"]
    assert (alone.stop_count, alone.look_count, alone.shared_count) == (1, 1, 0)
    assert build_bundle([old, rename_review("twin", old)]).members[0].shared_count == 2


def test_totals_are_the_sum_over_all_plans() -> None:
    whole = build_bundle([DEV, PROD]).footprint
    for metric in ("total", "cost"):
        one, both = DEV.footprint.delta.get(metric), whole.delta.get(metric)
        assert one is not None
        assert both is not None
        assert both.central == pytest.approx(2 * one.central)
        assert both.high == pytest.approx(2 * one.high)


def test_the_worst_plan_alone_is_open() -> None:
    for form in ("markdown", "html"):
        opened = re.findall(r"<details[^>]* open[^>]*><summary>(.*?)</summary>", render(ALL, form))
        assert sum("dev" in title for title in opened) == 1
        assert not any("prod" in title or "quiet" in title for title in opened)


def test_a_comment_about_the_same_plans_is_found_again() -> None:
    assert render(ALL, "markdown").startswith(build_marker("quiet", "dev", "prod") + "\n")
    assert find_plan_hashes(render(ALL, "markdown")) == find_plan_hashes(render(ALL[::-1], "markdown"))
    assert render_not_reviewed(["dev", "a`b"], "x.json: <no> file") == (
        f"{build_marker('dev', 'a`b')}\n## ❔ Not reviewed\n\n`dev`, ``a`b``: x.json: &#60;no&#62; file\n"
    )


@pytest.mark.parametrize("number", [2, 30, pytest.param(400, marks=pytest.mark.slow)])
def test_a_comment_about_any_number_of_large_plans_fits(number: int) -> None:
    large = review(
        build_plan(*(build_change(f"aws_s3_bucket.b{n}", before={"bucket": "b"}, index="x" * 200) for n in range(300)))
    )
    comment = render([rename_review(f"{'x' * 150}{n}", large if n % 2 else DEV) for n in range(number)], "markdown")
    assert len(comment.encode("utf-16-le")) / 2 < 65_536
    assert len(comment) > LIMIT * 0.5
    assert comment.count("<details") == comment.count("</details>")
    if number == 400:
        assert re.search(r"… \d+ more plans: too many for one comment", comment)


def test_the_json_of_several_plans_is_valid_against_its_schema() -> None:
    folder = ROOT / "sustainable_mlops/review"
    schemas = {name: json.loads((folder / f"{name}.schema.json").read_text()) for name in ("review", "reviews")}
    registry: Registry[bool | Mapping[str, Any]] = Registry().with_resource(
        "review.schema.json", Resource.from_contents(schemas["review"])
    )
    jsonschema.Draft202012Validator.check_schema(schemas["reviews"])
    document = json.loads(render(ALL, "json"))
    jsonschema.Draft202012Validator(schemas["reviews"], registry=registry).validate(document)
    assert (document["verdict"], document["exit_code"]) == ("stop", 1)
    assert document["plans"] == [json.loads(render(one, "json")) for one in ALL]
    assert document["totals"]["changes"]["counts"]["create"] == 61
    both = 2 * DEV.footprint.delta.figures["cost"].central
    assert document["totals"]["delta"]["cost"]["central"] == pytest.approx(both)


def test_sarif_has_one_run_and_each_result_names_its_plan() -> None:
    (run,) = json.loads(render(ALL, "sarif"))["runs"]
    places = [
        result_item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result_item in run["results"]
    ]
    assert set(places) == {"dev", "prod"}
    prints = [result_item["partialFingerprints"]["ruleAndAddress/v1"] for result_item in run["results"]]
    assert len(set(prints)) == len(prints)
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]


def test_a_budget_over_all_plans_is_reported_once() -> None:
    plans = [load((FIXTURES / "platform.json").read_bytes(), name) for name in ("a", "b")]
    result = review_all(plans, budgets=[Budget("all", {}, {"usd_per_month": 3000})], today=TODAY)
    (over,) = (item for item in build_bundle(result).common_items[ReportSection.STOP] if item.topic == "Budgets")
    assert "a and b together" in over.text
    assert render(result, "text").count("Reasons to stop") == 1


ONES: dict[str, Callable[[], list[Review]]] = {
    "names": lambda: [rename_review(attack, QUIET if n % 2 else DEV) for n, attack in enumerate(ATTACKS)],
    "contents": lambda: [rename_review(name, review(build_hostile_plan(), today=TODAY)) for name in ("a", "b")],
}


@pytest.mark.slow
@check_cases("kind", ONES)
def test_names_stay_names_where_there_are_several_plans(kind: str) -> None:
    result = ONES[kind]()
    page = parse_page(render(result, "markdown"))
    assert {tag for tag, _ in page.tags} <= MADE_OF
    assert not re.search(r"@\w|#\d|://|www\.", page.text)
    html = parse_page(render(result, "html"), markdown=False)
    assert not {tag for tag, _ in html.tags} & {"script", "img", "iframe", "a", "object", "link", "textarea"}
    assert not {name for _, name in html.tags if name.startswith("on") or name in ("src", "href", "srcdoc")}
    assert all(character.isprintable() or character == "\n" for character in render(result, "text"))
    assert not any(SECRET in render(result, form) for form in FORMATS)
