"""Guarantees of the formats: schemas, sizes, no secrets, and escaped names."""

import functools
import json
import re
from html.parser import HTMLParser

import jsonschema
import pytest
from markdown_it import MarkdownIt

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.budgets import Budget
from sustainable_mlops.review.comment_marker import build_marker
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.review.formats.comment_limit import LIMIT
from sustainable_mlops.review.formats.escaping import escape_text
from sustainable_mlops.review.formats.text import print_to_terminal
from sustainable_mlops.review.risk import RISK_TITLES
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES
from tests.review.hostile_plan import ATTACKS, SECRET, TODAY, build_hostile_plan

BUDGETS = [
    Budget(ATTACKS[0], {}, {"kg_per_month": 0, "usd_increase": 0}),
    Budget("dev", {"environment": "dev"}, {"usd_per_month": 1}),
]
ACCEPTED = [Acceptance("aws_s3_bucket.*", "data", ATTACKS[0], TODAY)]


def review_plan(name: str) -> Review:
    result = build_hostile_plan() if name == "hostile" else load(FIXTURES / f"{name}.json")
    return review(result, budgets=BUDGETS, accepted=ACCEPTED, today=TODAY)


REVIEWS = {name: review_plan(name) for name in ("hostile", "platform", "change", "targeted")}


@functools.cache
def build_large_review() -> Review:
    """Return a review that is larger than a comment."""
    many = (build_change(f"aws_s3_bucket.b{n}", before={"bucket": f"{n}" * 50}, index="x" * 300) for n in range(3000))
    return review(build_plan(*many), today=TODAY)


@check_cases("name", REVIEWS)
def test_the_json_is_valid_against_its_schema(name: str) -> None:
    schema = json.loads((ROOT / "sustainable_mlops/review/review.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(render(REVIEWS[name], "json")))


@check_cases("form", FORMATS)
def test_the_same_plan_gives_the_same_report(form: str) -> None:
    assert render(review_plan("change"), form) == render(REVIEWS["change"], form)


@check_cases("form", FORMATS)
def test_no_sensitive_value_is_in_any_report(form: str) -> None:
    assert SECRET not in render(REVIEWS["hostile"], form)


@check_cases("name", REVIEWS)
def test_sarif_holds_what_code_scanning_asks_for(name: str) -> None:
    document = json.loads(render(REVIEWS[name], "sarif"))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] == 1
        assert location["logicalLocations"][0]["fullyQualifiedName"]
        assert re.fullmatch(r"[0-9a-f]{64}", result["partialFingerprints"]["ruleAndAddress/v1"])
    fingerprints = [result["partialFingerprints"]["ruleAndAddress/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_no_link_can_be_made_in_a_sarif_message() -> None:
    for result in json.loads(render(REVIEWS["hostile"], "sarif"))["runs"][0]["results"]:
        assert not re.search(r"(?<!\\)\[", result["message"]["text"].replace("\\\\", ""))


def test_an_accepted_risk_is_suppressed_in_sarif_not_left_out() -> None:
    results = json.loads(render(REVIEWS["change"], "sarif"))["runs"][0]["results"]
    deleted = next(result for result in results if result["ruleId"] == "DATA_DELETED")
    assert deleted["suppressions"][0]["kind"] == "external"


@pytest.mark.parametrize("name", [*REVIEWS, "large"])
def test_a_comment_fits_and_is_found_again(name: str) -> None:
    result = REVIEWS[name] if name in REVIEWS else build_large_review()
    comment = render(result, "markdown")
    assert comment.startswith(build_marker(result.name) + "\n")
    assert parse_comment(result).comments == [build_marker(result.name)[4:-3]]
    assert len(comment.encode("utf-16-le")) / 2 < 65_536


def test_omitted_lines_of_a_comment_are_counted_and_every_section_stays() -> None:
    comment = render(build_large_review(), "markdown")
    assert len(comment) > LIMIT * 0.8
    assert len(re.findall(r"… \d+ more: too many for one comment", comment)) >= 2
    for title in ("### Reasons to stop", "**Data at risk**", "### What this change does", "Changes: 3000"):
        assert title in comment


class _Page(HTMLParser):
    """A parser that collects tags with attributes, comments, and text outside code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[tuple[str, str]] = set()
        self.comments: list[str] = []
        self.text = ""
        self._code = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags |= {(tag, name) for name, _ in attrs} or {(tag, "")}
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.text += data


def parse_page(text: str, *, markdown: bool = True) -> _Page:
    return _Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text) if markdown else text)


def parse_comment(result: Review) -> _Page:
    return parse_page(render(result, "markdown"))


#: All that a comment may be made of.
MADE_OF = {"blockquote", "b", "br", "code", "details", "em", "h2", "h3", "h4", "hr", "li", "p", "pre", "strong", "sub",
           "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"}  # fmt: skip


def test_names_stay_names_in_markdown() -> None:
    result = parse_comment(REVIEWS["hostile"]).tags
    assert {tag for tag, _ in result} <= MADE_OF
    assert {name for _, name in result} <= {"", "class", "open", "style"}  # class: the language of a code block


def test_nothing_in_a_comment_becomes_a_mention_or_a_link() -> None:
    assert not re.search(r"@\w|#\d|://|www\.", parse_comment(REVIEWS["hostile"]).text)


@check_cases("text", ["# Fine", "- a", "+ a", "===", "1. a", "12) a", "> a", "---"])
def test_no_text_starts_a_heading_or_a_list(text: str) -> None:
    page = MarkdownIt("commonmark").render(f"> {escape_text(text)}")
    assert page == f"<blockquote>\n<p>{text.replace('>', '&gt;')}</p>\n</blockquote>\n"


def test_a_text_of_500_characters_is_whole_and_a_longer_one_is_cut_to_them() -> None:
    assert escape_text("x" * 500) == "x" * 500
    assert len(escape_text("x" * 501)) == 500


def test_no_part_of_an_arn_becomes_a_picture() -> None:
    assert ":secret:" not in escape_text("arn:aws:secretsmanager:eu-north-1:123456789012:secret:db")


def test_names_stay_names_in_html() -> None:
    page = render(REVIEWS["hostile"], "html")
    result = _Page(page).tags
    assert not {tag for tag, _ in result} & {"script", "img", "iframe", "a", "object", "link", "textarea"}
    assert not {name for _, name in result if name.startswith("on") or name in ("src", "href", "srcdoc")}
    assert "default-src 'none'" in page


def test_text_has_no_colors_and_no_control_characters() -> None:
    text = render(REVIEWS["hostile"], "text")
    assert all(character.isprintable() or character == "\n" for character in text)


#: A style of a terminal (ECMA-48, select graphic rendition).
_STYLE = re.compile(r"\033\[[0-9;]*m")


@check_cases(
    ("variable", "value", "has_styles"), [("NO_COLOR", "1", False), ("TERM", "dumb", False), ("TERM", "xterm", True)]
)
def test_a_terminal_has_styles_unless_it_cannot_show_them_or_they_are_off(
    variable: str, value: str, has_styles: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    print_to_terminal([REVIEWS["change"]])
    assert bool(_STYLE.search(capsys.readouterr().out)) is has_styles


def print_lines(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that a terminal shows, without styles."""
    monkeypatch.setenv("COLUMNS", str(width))
    print_to_terminal([REVIEWS["change"]])
    return _STYLE.sub("", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_what_to_do_and_what_is_not_counted_in_its_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = print_lines(width, monkeypatch, capsys)
    assert max(map(len, lines)) <= width
    assert lines[0].startswith(" Stop:")
    text = " ".join(" ".join(lines).split())
    assert "→ Narrow it, or accept it with a reason" in text
    assert re.search(r"Without an estimate: [1-9]", text)
    assert "Assumptions: " in text
    assert "  -  aws_sagemaker_endpoint_configuration.this" in lines
    assert "     ml.m5.xlarge → ml.c7g.xlarge, 1 instance" in lines


def test_every_line_of_an_item_stays_in_its_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = print_lines(80, monkeypatch, capsys)
    start = lines.index("Reasons to stop")
    items = lines[start + 1 : lines.index("", start)]
    assert len(items) > 10
    assert all(re.match(r" [A-Z]|  (stop|look|undecided)  \S|      ", line) for line in items)


ONE_SIDE = review(
    build_plan(
        build_change(
            "aws_sagemaker_notebook_instance.n",
            {"name": "n", "instance_type": "ml.m5.large", "region": "eu-north-1", "volume_size": 5},
            before={"name": "n", "instance_type": "ml.m5.large", "volume_size": 5, "region": "xx-north-1"},
        )
    ),
    today=TODAY,
)


@check_cases("form", ["markdown", "html", "text"])
def test_a_figure_known_on_one_side_is_shown(form: str) -> None:
    page = render(ONE_SIDE, form)
    assert re.search(r"unknown → [0-9.]+", page)
    assert "Nothing in this plan is estimated" not in page


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_the_carbon_of_a_thousand_requests_is_shown_at_the_endpoint(form: str) -> None:
    assert re.search(r"[0-9.]+ \([0-9.]+ to [0-9.]+\) gCO2e per 1,000 requests", render(REVIEWS["change"], form))


def test_every_risk_has_a_title() -> None:
    assert {risk.risk.id for result in [*REVIEWS.values(), build_large_review()] for risk in result.risks} <= set(
        RISK_TITLES
    )
