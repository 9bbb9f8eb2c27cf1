"""Findings of advisory rules: they need a look, in every format."""

import html
import json
import re

from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import FORMATS, render
from tests.cases import check_cases
from tests.review.missed_cases.case import Case
from tests.review.missed_cases.rules import CHOICES


def review_case(case: Case) -> Review:
    return review(load(json.dumps(case.document).encode()))


@check_cases("case", CHOICES.values(), ids=CHOICES.keys())
def test_a_choice_needs_a_look_and_stops_nothing(case: Case) -> None:
    result = review_case(case)
    assert (result.verdict, result.exit_code) == (case.verdict, 0)


@check_cases("form", FORMATS)
@check_cases("case", CHOICES.values(), ids=CHOICES.keys())
def test_every_format_reports_the_finding_without_secrets(case: Case, form: str) -> None:
    text = re.sub(r"\s+", " ", html.unescape(render(review_case(case), form)))
    assert case.expected_text in text
    assert "hunter2" not in text
