"""Plans that an earlier version called fine: expected verdicts and texts in each format."""

import html
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.review.gates import DEFAULT_GATES
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.review.missed_cases.case import Case

_HERE = Path(__file__).parent / "missed_cases"
CASES: dict[str, Case] = {
    f"{file.stem}: {title}": case
    for file in sorted(_HERE.glob("*.py"))
    for title, case in getattr(import_module(f"tests.review.missed_cases.{file.stem}"), "CASES", {}).items()
}


def review_case(case: Case, *more: str) -> Review:
    return review(load(json.dumps(case.document).encode(), "plan"), fail_on=frozenset((*DEFAULT_GATES, *more)))


def extract_words(text: str) -> str:
    """Return only letters and digits, because formats escape, fold and break other characters differently."""
    return re.sub(r"[^a-z0-9]+", "", html.unescape(re.sub(r"</?[a-z][^<>]*>", " ", text)).lower())


@check_cases("case", CASES.values(), ids=CASES.keys())
def test_a_missed_case_has_its_verdict(case: Case) -> None:
    result = review_case(case)
    assert result.verdict == case.verdict
    assert extract_words(case.expected_text) in extract_words(render(result, "text"))


@pytest.mark.slow
@check_cases("form", sorted({*FORMATS} - {"text"}), group=str)
@check_cases("case", CASES.values(), ids=CASES.keys())
def test_every_format_contains_the_expected_words(form: str, case: Case) -> None:
    assert extract_words(case.expected_text) in extract_words(render(review_case(case), form))


@check_cases("case", CASES.values(), ids=CASES.keys())
def test_fail_on_unknown_stops_the_plan(case: Case) -> None:
    assert review_case(case, "unknown").exit_code == 1


def test_only_data_sources_of_unknown_providers_are_gaps() -> None:
    def source(kind: str, provider: str) -> dict[str, Any]:
        name = f"registry.terraform.io/{provider}"
        return build_change(f"data.{kind}.d", {"id": "x"}, actions=["read"], provider_name=name)

    loaded = review(build_plan(source("aws_ami", "hashicorp/aws"), source("acme_thing", "acme/acme")))
    assert [gap.address for gap in loaded.coverage_gaps] == ["data.acme_thing.d"]
