"""Rules and estimates use one model of scaling and never contradict each other."""

import json
from pathlib import Path

import pytest

from sustainable_mlops.footprint import estimate_plan, find_alternatives
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.review import review
from sustainable_mlops.review.formats.json import build_document
from tests.cases import check_cases
from tests.review.missed_cases.case import Case
from tests.review.missed_cases.scaling import CASES, CHECKED_BY_RULES
from tests.review_checks import list_disagreements
from tests.rules.case_tables import list_rows

FIXTURES = sorted((Path(__file__).parents[1] / "plan" / "fixtures").glob("*.json"))


def find_disagreements(plan: Plan) -> list[str]:
    footprint = estimate_plan(plan)
    return list_disagreements(plan, footprint, find_alternatives(footprint))


@check_cases("answer", ["pass", "fail", "unknown", "not_applicable"])
def test_rules_and_figures_agree_on_every_case_of_a_rule(answer: str) -> None:
    wrong = {
        f"{row.rule}, {row.title}": result
        for row in list_rows(answer)
        if any(address.startswith("aws_sagemaker_endpoint.") for address in row.case.resources)
        and (result := find_disagreements(row.case.plan()))
    }
    assert wrong == {}


@check_cases("path", FIXTURES, ids=lambda path: path.stem)
def test_rules_and_figures_agree_on_plans_of_terraform(path: Path) -> None:
    assert find_disagreements(load(path)) == []


@pytest.mark.parametrize("case", [*CASES.values(), *CHECKED_BY_RULES.values()], ids=[*CASES, *CHECKED_BY_RULES])
def test_ineffective_scaling_needs_a_look(case: Case) -> None:
    result = review(load(json.dumps(case.document).encode(), "plan"))
    assert result.verdict == case.verdict
    assert case.expected_text in json.dumps(build_document(result))
