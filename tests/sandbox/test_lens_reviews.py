"""The Well-Architected Tool: custom lenses, workloads, answers with their risks, and refused requests."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sagemaker_sandbox.services.wellarchitected.risk_rules import ConditionError, RiskCondition
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.plan import load
from sustainable_mlops.practices.answers import answer_questions, build_requests
from sustainable_mlops.practices.lens import build_lens
from tests.cases import check_cases
from tests.sandbox.support import catch_error

pytestmark = pytest.mark.slow

#: An account that no other test uses, because lists count.
ACCOUNT = "210000000078"
LENS: dict[str, Any] = {
    "schemaVersion": "2021-11-01",
    "name": "Small",
    "description": "A lens of one question.",
    "pillars": [
        {
            "id": "pillar",
            "name": "Pillar",
            "questions": [
                {
                    "id": "question",
                    "title": "How?",
                    "choices": [
                        {"id": "one", "title": "One", "improvementPlan": {"displayText": "Do one."}},
                        {"id": "two", "title": "Two", "improvementPlan": {"displayText": "Do two."}},
                        {"id": "question_no", "title": "None of these"},
                    ],
                    "riskRules": [
                        {"condition": "one && two", "risk": "NO_RISK"},
                        {"condition": "one || two", "risk": "MEDIUM_RISK"},
                        {"condition": "default", "risk": "HIGH_RISK"},
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def tool(sandbox: Sandbox) -> Any:
    return make_client("wellarchitected", "eu-north-1", sandbox.endpoint, ACCOUNT)


def publish(tool: Any, lens: dict[str, Any]) -> str:
    """Import and publish a lens, and return its ARN."""
    arn = tool.import_lens(JSONString=json.dumps(lens))["LensArn"]
    tool.create_lens_version(LensAlias=arn, LensVersion="1", IsMajorVersion=True)
    return str(arn)


def describe_workload(name: str, *lenses: str) -> dict[str, Any]:
    """Return the parameters of a workload with the framework's lens and others."""
    return {
        "WorkloadName": name,
        "Description": "a workload",
        "Environment": "PRODUCTION",
        "AwsRegions": ["eu-north-1"],
        "ReviewOwner": "owner@example.com",
        "Lenses": ["wellarchitected", *lenses],
    }


def create_workload(tool: Any, name: str, *lenses: str) -> str:
    return str(tool.create_workload(**describe_workload(name, *lenses))["WorkloadId"])


def test_the_practices_are_imported_published_and_answered_for_a_plan(tool: Any) -> None:
    document = build_lens()
    arn = publish(tool, document)
    workload = create_workload(tool, "flight-delay", arn)
    try:
        answers = answer_questions(load(Path(ROOT, "tests/plan/fixtures/change.json")))
        requests = build_requests(answers, "change.json", workload, arn)
        for request in requests:
            answer = tool.update_answer(**request)["Answer"]
            assert sorted(answer["SelectedChoices"]) == sorted(request["SelectedChoices"])
            assert (
                tool.get_answer(WorkloadId=workload, LensAlias=arn, QuestionId=request["QuestionId"])["Answer"]
                == answer
            )
            assert answer["Notes"] == request["Notes"]
        answers = tool.list_answers(WorkloadId=workload, LensAlias=arn, MaxResults=50)["AnswerSummaries"]
        risks = {answer["QuestionId"]: answer["Risk"] for answer in answers}
        assert list(risks) == [request["QuestionId"] for request in requests]
        assert risks["data_features"] == "MEDIUM"  # one of four practices that apply
        assert risks["monitoring_governance"] == "HIGH"  # none of them
        assert risks["data_storage"] == "NOT_APPLICABLE"
        assert risks["training_effort"] == "UNANSWERED"  # the plan decides nothing
        exported = tool.export_lens(LensAlias=arn)["LensJSON"]
        assert json.loads(exported) == document
    finally:
        tool.delete_workload(WorkloadId=workload)
        tool.delete_lens(LensAlias=arn, LensStatus="ALL")
    assert tool.list_lenses(LensStatus="ALL")["LensSummaries"] == []


def test_a_lens_is_a_draft_until_it_is_published_and_workloads_keep_their_version(tool: Any) -> None:
    arn = tool.import_lens(JSONString=json.dumps(LENS), Tags={"team": "ml"})["LensArn"]
    assert tool.list_lenses()["LensSummaries"] == []
    assert [one["LensArn"] for one in tool.list_lenses(LensStatus="DRAFT")["LensSummaries"]] == [arn]
    assert catch_error(tool.create_workload, **describe_workload("early", arn))[0] == "ValidationException"

    tool.create_lens_version(LensAlias=arn, LensVersion="1")
    workload = create_workload(tool, "small", arn)
    assert catch_error(tool.create_workload, **describe_workload("small", arn))[0] == "ConflictException"
    assert catch_error(tool.create_lens_version, LensAlias=arn, LensVersion="2")[0] == "ConflictException"
    tool.import_lens(LensAlias=arn, JSONString=json.dumps(LENS | {"name": "Larger"}))
    assert catch_error(tool.create_lens_version, LensAlias=arn, LensVersion="1")[0] == "ConflictException"
    tool.create_lens_version(LensAlias=arn, LensVersion="2")
    lens = tool.get_lens(LensAlias=arn)["Lens"]
    assert (lens["Name"], lens["LensVersion"], lens["Tags"]) == ("Larger", "2", {"team": "ml"})
    assert tool.get_lens(LensAlias=arn, LensVersion="1")["Lens"]["Name"] == "Small"

    tool.delete_lens(LensAlias=arn, LensStatus="ALL")
    assert catch_error(tool.get_lens, LensAlias=arn)[0] == "ResourceNotFoundException"
    assert len(tool.list_answers(WorkloadId=workload, LensAlias=arn)["AnswerSummaries"]) == 1
    tool.delete_workload(WorkloadId=workload)


@check_cases(
    ("answer", "risk"),
    [
        ({"SelectedChoices": ["one", "two"]}, "NONE"),
        ({"SelectedChoices": ["one"]}, "MEDIUM"),
        ({"SelectedChoices": ["question_no"]}, "HIGH"),
        ({"SelectedChoices": []}, "UNANSWERED"),
        ({"SelectedChoices": ["one"], "ChoiceUpdates": {"two": {"Status": "NOT_APPLICABLE"}}}, "NONE"),
        ({"SelectedChoices": ["question_no"], "ChoiceUpdates": {"two": {"Status": "NOT_APPLICABLE"}}}, "HIGH"),
        ({"IsApplicable": False, "Reason": "OUT_OF_SCOPE"}, "NOT_APPLICABLE"),
    ],
)
def test_the_first_rule_whose_condition_is_met_sets_the_risk(tool: Any, answer: dict[str, Any], risk: str) -> None:
    arn = publish(tool, LENS)
    workload = create_workload(tool, "risk")
    tool.associate_lenses(WorkloadId=workload, LensAliases=[arn])
    try:
        response = tool.update_answer(WorkloadId=workload, LensAlias=arn, QuestionId="question", **answer)
        assert response["Answer"]["Risk"] == risk
        (summary,) = tool.list_workloads()["WorkloadSummaries"]
        assert summary["RiskCounts"] == {risk: 1}
        described = tool.get_workload(WorkloadId=workload)["Workload"]
        assert described["Lenses"] == ["wellarchitected", arn]
        assert (described["ReviewOwner"], described["RiskCounts"]) == ("owner@example.com", {risk: 1})
        tool.disassociate_lenses(WorkloadId=workload, LensAliases=[arn])
        assert tool.get_workload(WorkloadId=workload)["Workload"]["Lenses"] == ["wellarchitected"]
    finally:
        tool.delete_workload(WorkloadId=workload)
        tool.delete_lens(LensAlias=arn, LensStatus="ALL")


def change_lens(path: str, value: Any) -> dict[str, Any]:
    """Return the small lens with one value changed; None removes it."""
    lens = deepcopy(LENS)
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    target: Any = lens
    for part in parents:
        target = target[part]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return lens


QUESTION = "pillars.0.questions.0"


@check_cases(
    ("path", "value", "text"),
    [
        ("schemaVersion", "2020-01-01", "schemaVersion must be 2021-11-01"),
        ("name", "a" * 129, "name must be a text of 1 to 128 characters"),
        ("pillars", [], "pillars must be a list of 1 to 10 objects"),
        ("pillars.0.id", "a b", "pillars[0].id must have 3 to 128 letters, digits and underscores"),
        (f"{QUESTION}.title", "", "title must be a text"),
        (f"{QUESTION}.choices", LENS["pillars"][0]["questions"][0]["choices"] * 6, "1 to 15 objects"),
        (f"{QUESTION}.choices.1.id", "one", "choices repeats one"),
        (f"{QUESTION}.choices.0.improvementPlan", None, "choices[0].improvementPlan is required"),
        (f"{QUESTION}.choices.0.improvementPlan", {"url": "https://a.example"}, "displayText must be a text"),
        (f"{QUESTION}.choices.0.helpfulResource", {"displayText": "a", "url": "ftp://a"}, "must start with http://"),
        (f"{QUESTION}.choices.0.additionalResources", [{"type": "OTHER"}], "type must be HELPFUL_RESOURCE or"),
        (f"{QUESTION}.riskRules.0.condition", "one && three", "names three, which is no choice"),
        (f"{QUESTION}.riskRules.0.condition", "one &&", "is not a Boolean expression: a choice is missing"),
        (f"{QUESTION}.riskRules.1.risk", "NO_RISK", "riskRules repeats NO_RISK"),
        (f"{QUESTION}.riskRules.2", None, "must have one rule with the condition default"),
    ],
)
def test_a_wrong_lens_is_refused(tool: Any, path: str, value: Any, text: str) -> None:
    code, message = catch_error(tool.import_lens, JSONString=json.dumps(change_lens(path, value)))
    assert (code, text in message) == ("ValidationException", True), message


def test_answers_of_unknown_questions_choices_and_official_lenses_are_refused(tool: Any) -> None:
    arn = publish(tool, LENS)
    workload = create_workload(tool, "refused", arn)
    one = {"WorkloadId": workload, "LensAlias": arn}
    assert catch_error(tool.get_answer, **one, QuestionId="other")[0] == "ResourceNotFoundException"
    code, message = catch_error(tool.update_answer, **one, QuestionId="question", SelectedChoices=["three"])
    assert (code, "three" in message) == ("ValidationException", True)
    official = {"WorkloadId": workload, "LensAlias": "wellarchitected"}
    assert catch_error(tool.list_answers, **official)[0] == "UnsupportedOperationException"
    assert catch_error(tool.delete_workload, WorkloadId="0" * 32)[0] == "ResourceNotFoundException"
    tool.delete_workload(WorkloadId=workload)
    tool.delete_lens(LensAlias=arn, LensStatus="ALL")


@check_cases(
    ("condition", "selected", "is_met"),
    [
        ("aaa && (bbb || !ccc)", {"aaa": True, "bbb": False, "ccc": False}, True),
        ("aaa && (bbb || !ccc)", {"aaa": True, "bbb": False, "ccc": True}, False),
        ("aaa || bbb && ccc", {"aaa": True, "bbb": False, "ccc": False}, True),  # && binds more strongly
        ("aaa && bbb", {"aaa": True}, True),  # bbb is not applicable
        ("aaa && bbb", {}, True),
    ],
)
def test_a_condition_is_a_boolean_expression(condition: str, selected: dict[str, bool], is_met: bool) -> None:
    assert RiskCondition(condition).is_met(selected) is is_met


@check_cases("condition", ["", "aaa bbb", "aaa & bbb", "(aaa", "aaa)", "!"])
def test_another_text_is_no_condition(condition: str) -> None:
    with pytest.raises(ConditionError):
        RiskCondition(condition)
