"""The custom lens has every practice once, keeps the limits of AWS, and never changes an ID."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sagemaker_sandbox.services.wellarchitected.lens_documents import parse_lens
from sagemaker_sandbox.services.wellarchitected.risk_rules import find_risk
from sustainable_mlops.aws.service_model import load_service_model
from sustainable_mlops.practices import load_practices
from sustainable_mlops.practices.lens import build_lens

#: The IDs of the first release. AWS keeps answers by ID: add IDs, and never change or move one.
IDS = {
    "goals": {"goals_measurement": [1, 2], "goals_selection": [3, 4, 5, 6]},
    "data": {
        "data_processing": [7, 8, 9, 10, 11, 24],
        "data_features": [12, 13, 14, 15, 16],
        "data_storage": [17, 18, 19, 20, 21, 22, 23],
    },
    "training": {
        "training_effort": [25, 26, 27, 28, 29, 30, 31],
        "training_compute": [32, 33, 34, 38, 39],
        "training_utilization": [35, 36, 37, 46],
        "training_reuse": [40, 41, 42, 47],
        "training_artifacts": [43, 44, 45],
    },
    "deployment": {
        "deployment_release": [48, 49, 50, 66],
        "deployment_inference": [51, 52, 54, 56, 68],
        "deployment_scaling": [53, 55, 57, 58, 67],
        "deployment_hardware": [59, 60, 61, 62, 63],
        "deployment_sharing": [64, 65],
    },
    "monitoring": {
        "monitoring_efficiency": [69, 71, 72],
        "monitoring_health": [70, 73, 74, 75],
        "monitoring_governance": [76, 77, 78],
    },
}
SOURCE = "https://code.example/mlops/blob/main"


@pytest.fixture(scope="module")
def lens() -> dict[str, Any]:
    return build_lens()


def list_questions(lens: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the questions of all pillars."""
    for pillar in lens["pillars"]:
        yield from pillar["questions"]


def list_choices(lens: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the choices of all questions by ID, without `None of these`."""
    choices = [choice for question in list_questions(lens) for choice in question["choices"]]
    return {choice["id"]: choice for choice in choices if not choice["id"].endswith("_no")}


def test_every_practice_is_one_choice(lens: dict[str, Any]) -> None:
    titles = [choice["title"] for choice in list_choices(lens).values()]
    assert len(titles) == 78
    assert sorted(titles) == sorted(practice.title for practice in load_practices().values())


def test_the_ids_are_those_of_the_first_release(lens: dict[str, Any]) -> None:
    assert [pillar["id"] for pillar in lens["pillars"]] == list(IDS)
    for pillar in lens["pillars"]:
        ids = {question["id"]: [choice["id"] for choice in question["choices"]] for question in pillar["questions"]}
        assert ids == {
            question: [*(f"practice_{row:02}" for row in rows), f"{question}_no"]
            for question, rows in IDS[pillar["id"]].items()
        }


def test_the_choice_of_a_practice_has_its_row(lens: dict[str, Any]) -> None:
    for row, practice in load_practices().items():
        assert list_choices(lens)[f"practice_{int(row):02}"]["title"] == practice.title


@pytest.mark.parametrize("source_url", ["", SOURCE])
def test_the_lens_has_the_documented_format(source_url: str) -> None:
    text = json.dumps(build_lens(source_url))
    parse_lens(text)
    assert len(text.encode()) <= 500_000


def test_the_texts_keep_the_limits_of_the_api_too(lens: dict[str, Any]) -> None:
    model = load_service_model("wellarchitected")
    limits = {
        name: model.shape_for(name).metadata["max"]
        for name in ("ChoiceId", "ChoiceContentDisplayText", "PillarId", "QuestionDescription", "LensDescription")
    }
    assert len(lens["description"]) <= limits["LensDescription"]
    assert all(len(pillar["id"]) <= limits["PillarId"] for pillar in lens["pillars"])
    for question in list_questions(lens):
        assert len(question["description"]) <= limits["QuestionDescription"]
        assert len(question["helpfulResource"]["displayText"]) <= model.shape_for("DisplayText").metadata["max"]
        for choice in question["choices"]:
            assert len(choice["id"]) <= limits["ChoiceId"]
            texts = [choice[name]["displayText"] for name in ("helpfulResource", "improvementPlan") if name in choice]
            assert all(len(text) <= limits["ChoiceContentDisplayText"] for text in texts), choice["id"]


def test_a_choice_names_aws_texts_the_input_and_the_remedies_of_its_rules(lens: dict[str, Any]) -> None:
    choice = list_choices(lens)["practice_13"]
    assert choice["helpfulResource"] == {
        "displayText": "ML Lens MLSUS03-BP02. Practice 13 of sustainable-mlops: implemented.",
        "url": "https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/mlsus03-bp02.html",
    }
    text = choice["improvementPlan"]["displayText"]
    assert text.startswith("Use the module feature_store (input feature_groups). The command smlops review checks")
    assert "SUS_ONLINE_STORE_TTL: " in text


def test_further_texts_of_aws_are_additional_resources(lens: dict[str, Any]) -> None:
    (resource,) = list_choices(lens)["practice_28"]["additionalResources"]
    assert resource["type"] == "HELPFUL_RESOURCE"
    assert [item["displayText"] for item in resource["content"]] == ["ML Lens MLSUS04-BP04"]


def test_a_practice_that_is_not_possible_says_why(lens: dict[str, Any]) -> None:
    text = list_choices(lens)["practice_68"]["improvementPlan"]["displayText"]
    assert text.startswith("Not possible: SageMaker Edge Manager ended on 2024-04-26")


def test_links_need_the_address_of_the_source(lens: dict[str, Any]) -> None:
    assert all("url" not in choice["improvementPlan"] for choice in list_choices(lens).values())
    choice = list_choices(build_lens(f"{SOURCE}/"))["practice_55"]
    assert choice["improvementPlan"]["url"] == f"{SOURCE}/modules/async_endpoint"
    (resource,) = choice["additionalResources"]
    assert resource["content"][0]["url"] == f"{SOURCE}/modules/async_endpoint"


def test_the_risk_is_high_with_no_practice_medium_with_some_and_none_with_all(lens: dict[str, Any]) -> None:
    for question in list_questions(lens):
        choices = {choice["id"]: False for choice in question["choices"]}
        states = {f"practice_{practice.row:02}": practice.state for practice in load_practices().values()}
        possible = [id_ for id_ in choices if states.get(id_, "not possible") != "not possible"]
        assert find_risk(question["riskRules"], choices) == "HIGH"
        assert find_risk(question["riskRules"], choices | dict.fromkeys(possible, True)) == "NONE"
        if len(possible) > 1:
            assert find_risk(question["riskRules"], choices | {possible[0]: True}) == "MEDIUM"
