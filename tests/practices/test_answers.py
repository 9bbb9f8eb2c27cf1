"""Answers for two plans, compared with answers by hand, and requests that AWS accepts."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator

from sustainable_mlops.aws.constraints import list_violations
from sustainable_mlops.aws.service_model import load_service_model
from sustainable_mlops.plan import load
from sustainable_mlops.practices.answers import PracticeAnswer, QuestionAnswer, answer_questions, build_requests
from sustainable_mlops.practices.lens import build_lens
from tests.rules.endpoints import build_real_time
from tests.rules.plan_builder import build_plan

FIXTURES = Path(__file__).resolve().parents[1] / "plan" / "fixtures"
WORKLOAD = "0123456789abcdef0123456789abcdef"
LENS = "arn:aws:wellarchitected:eu-north-1:123456789012:lens/0123456789abcdef0123456789abcdef"
#: Answers by hand, from the HCL of the plans: a feature group with an online store, models and an inference role.
CHANGE = {
    2: "OPEN",  # no rule
    9: "NOT_APPLICABLE",  # no Glue job
    13: "UNSELECTED",  # the online store has no time to live
    14: "SELECTED",  # its throughput is on demand
    15: "NOT_APPLICABLE",  # there is no offline store
    16: "UNSELECTED",  # it has no key
    47: "SELECTED",  # the image has a version
    76: "UNSELECTED",  # the role allows every action
    78: "UNSELECTED",  # the feature group has no tags
}
PLATFORM = {
    5: "SELECTED",  # the model and the pipeline read from their own Region
    7: "UNSELECTED",  # a pipeline has no limit of parallel steps
    9: "NOT_APPLICABLE",
    17: "UNSELECTED",  # the lifecycle configuration does not abort uploads
    27: "OPEN",  # two definitions of pipelines are known after apply
    70: "UNSELECTED",  # endpoints without an alarm
}


def answer(plan: str) -> list[QuestionAnswer]:
    return answer_questions(load(FIXTURES / plan), date(2026, 11, 30))


def list_answers(answers: list[QuestionAnswer]) -> dict[int, PracticeAnswer]:
    return {one.practice.row: one for question in answers for one in question.practices}


def build(plan: str) -> dict[str, dict[str, Any]]:
    """Return the requests for a plan by question."""
    return {request["QuestionId"]: request for request in build_requests(answer(plan), plan, WORKLOAD, LENS)}


@pytest.mark.parametrize(("plan", "expected"), [("change.json", CHANGE), ("platform.json", PLATFORM)])
def test_the_answers_are_those_by_hand(plan: str, expected: dict[int, str]) -> None:
    answers = list_answers(answer(plan))
    assert sorted(answers) == list(range(1, 79))
    assert {row: str(answers[row].status) for row in expected} == expected


def test_a_request_has_the_selection_each_decided_choice_and_the_evidence() -> None:
    request = build("change.json")["data_features"]
    notes = request.pop("Notes")
    updates = request.pop("ChoiceUpdates")
    assert request == {
        "WorkloadId": WORKLOAD,
        "LensAlias": LENS,
        "QuestionId": "data_features",
        "SelectedChoices": ["practice_14"],
        "IsApplicable": True,
    }
    assert list(updates) == ["practice_12", "practice_13", "practice_14", "practice_15", "practice_16"]
    assert updates["practice_13"] == {
        "Status": "UNSELECTED",
        "Notes": "SUS_ONLINE_STORE_TTL failed: aws_sagemaker_feature_group.this",
    }
    assert updates["practice_15"] == {
        "Status": "NOT_APPLICABLE",
        "Reason": "OUT_OF_SCOPE",
        "Notes": "no resource of the plan is checked by SUS_OFFLINE_STORE_ICEBERG, SUS_ICEBERG_COMPACTION",
    }
    assert notes.startswith("Answers of smlops practices for change.json.\npractice_12, unselected: ")


def test_a_question_without_a_followed_practice_is_answered_with_none_of_these() -> None:
    request = build("change.json")["monitoring_governance"]
    assert request["SelectedChoices"] == ["monitoring_governance_no"]
    assert request["ChoiceUpdates"]["monitoring_governance_no"] == {"Status": "SELECTED"}


def test_a_question_without_rules_that_apply_is_not_applicable() -> None:
    request = build("change.json")["data_storage"]
    assert (request["IsApplicable"], request["Reason"], request["SelectedChoices"]) == (False, "OUT_OF_SCOPE", [])


def test_an_open_practice_stays_open_and_the_notes_name_the_reason() -> None:
    request = build("platform.json")["training_effort"]
    assert "practice_27" not in request["ChoiceUpdates"]
    assert "practice_30, open: no rule checks it" in request["Notes"]
    assert "practice_27, open: SUS_TUNING_STRATEGY depends on values known after apply" in request["Notes"]


def test_a_waived_practice_is_not_selected_and_the_notes_say_so() -> None:
    tags = {"sust_waiver:SUS_ROLLBACK_ALARMS": "shadow traffic until 2026-11-30"}
    plan = build_plan(build_real_time(endpoint={"tags": tags}))
    rollback = list_answers(answer_questions(plan, date(2026, 11, 30)))[66]
    assert rollback.status == "UNSELECTED"
    assert "SUS_ROLLBACK_ALARMS is waived: " in rollback.format_notes()


@pytest.mark.parametrize("plan", ["change.json", "platform.json"])
def test_aws_accepts_the_requests_for_the_questions_of_the_lens(plan: str) -> None:
    shape = load_service_model("wellarchitected").operation_model("UpdateAnswer").input_shape
    assert shape is not None
    questions = {question["id"]: question for pillar in build_lens()["pillars"] for question in pillar["questions"]}
    requests = build(plan)
    assert list(requests) == list(questions)
    for id_, request in requests.items():
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()
        assert not list(list_violations(request, shape)), id_  # upper bounds and patterns too
        choices = {choice["id"] for choice in questions[id_]["choices"]}
        assert {*request["SelectedChoices"], *request["ChoiceUpdates"]} <= choices
        selected = [name for name, update in request["ChoiceUpdates"].items() if update["Status"] == "SELECTED"]
        assert request["SelectedChoices"] == selected
