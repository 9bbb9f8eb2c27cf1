"""What a rule that the field taught says of plans that were called fine: to look at, in every format."""

import html
import json
import re

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import FORMATS, render
from tests.review.missed_cases.case import Case
from tests.review.missed_cases.rules import CHOICES


def reviewed(case: Case) -> Review:
    return review(load(json.dumps(case.document).encode()))


@pytest.mark.parametrize("case", CHOICES.values(), ids=CHOICES.keys())
def test_a_choice_is_to_look_at_and_stops_nothing(case: Case) -> None:
    found = reviewed(case)
    assert (found.verdict, found.exit_code) == (case.verdict, 0)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", CHOICES.values(), ids=CHOICES.keys())
def test_every_format_reports_the_finding_without_secrets(case: Case, form: str) -> None:
    text = re.sub(r"\s+", " ", html.unescape(render(reviewed(case), form)))
    assert case.says in text
    assert "hunter2" not in text
