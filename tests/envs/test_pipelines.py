"""An environment fills what its pipelines' definitions declare, and says before Terraform starts what cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from envs import overlay, settings
from envs.components import pipelines
from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.image import image_address
from sustainable_mlops.jobs.specs.common import FrameworkImage
from sustainable_mlops.settings import load_yaml
from sustainable_mlops.terraform import ROOT
from tests.envs.test_overlay import DEV

ENVIRONMENTS = synth.list_names()[1]
FILE = "workloads/flight_delay/pipeline.json"


def parse(**changed: Any) -> settings.EnvironmentSettings:
    """dev's settings with this said of the pipeline flight_delay besides, over the catalogue."""
    text = yaml.safe_dump({**DEV, "pipelines": {"flight_delay": changed}})
    return settings.parse(text, "settings.yaml", ROOT / "envs" / "catalogue")


def declared(file: str) -> dict[str, Any]:
    """The parameters of a definition, with their defaults."""
    whole = json.loads((ROOT / file).read_text())
    return {one["Name"]: one.get("DefaultValue") for one in whole["Parameters"]}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"model": "flight_dely"},
            "model: models has no 'flight_dely'; use another model, or set the pipeline to null",
        ),
        (
            {"definition_file": "workloads/none.json"},
            "definition_file: workloads/none.json does not exist; the workload's",
        ),
        ({"definition_file": "../pipeline.json"}, "must be a JSON file in the repository"),
        (
            {"images": {"TrainingImge": "x:1"}},
            f"images.TrainingImge: {FILE} declares no parameter 'TrainingImge'; did you",
        ),
        ({"images": {"TrainingImage": "docker.io/x:1"}}, "must be an image of SageMaker's own"),
        ({"parameters": {"MaxDeph": "3"}}, f"parameters.MaxDeph: {FILE} declares no parameter 'MaxDeph'; did you mean"),
        ({"data_arrival": {"key_parameter": "Key"}}, "data_arrival.key_parameter: "),
        ({"data_arrival": {"bucket": "mine"}}, "data_arrival.bucket: unknown key"),
        ({"schedule": {"expression": "daily"}}, "must be cron(…), rate(…) or at(…)"),
        (
            {"schedule": {"expression": "rate(7 days)"}},
            "schedule.parameters: the schedule would start the pipeline without InputKey; set a value here",
        ),
    ],
)
def test_a_mistake_is_told_where_it_was_made(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as refused:
        parse(**changed)
    assert "settings.yaml: pipelines.flight_delay" in str(refused.value)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Parameters": [1]}', '{"Parameters": 1}', "\xff"])
def test_a_file_that_is_no_definition_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "other.json").write_text(text, encoding="latin-1")
    monkeypatch.setattr(pipelines, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"definition_file: other\.json is not a pipeline definition"):
        parse(definition_file="other.json")
    pipelines._declared.cache_clear()


def test_what_data_that_arrives_would_start_without_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = [{"Name": name, "Type": "String"} for name in (*declared(FILE), "Season", "Airline")]
    (tmp_path / "more.json").write_text(json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": []}))
    monkeypatch.setattr(pipelines, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"parameters: arriving data would start the pipeline without Airline, .*, Season, "):
        parse(definition_file="more.json")
    assert parse(definition_file="more.json", data_arrival=None)
    pipelines._declared.cache_clear()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_parameter_without_a_default_is_filled_and_images_are_those_of_the_sdk(
    name: str, environment: Callable[..., Any]
) -> None:
    given = settings.load(ROOT / "envs" / name)
    said = given.model_dump(exclude_unset=True)
    call = environment(**said).json()["module"]["pipeline_flight_delay"]
    (entry,) = (one for key, one in said["pipelines"].items() if key == "flight_delay")
    lacking = {one for one, default in declared(entry["definition_file"]).items() if default is None}
    assert lacking - call["parameters"].keys() == {"InputKey"}, "which the data that arrives gives"
    assert call["parameters"].keys() <= declared(entry["definition_file"]).keys()
    for parameter, image in entry["images"].items():
        framework, tag = image.removeprefix("sagemaker-").split(":")
        version, arm, _ = tag.partition("-arm64")
        known = image_address(
            FrameworkImage(framework=framework.replace("scikit-learn", "sklearn"), version=version),
            given.region,
            "ml.c7g.large" if arm else "ml.m7i.large",
            "inference",
        )
        assert call["parameters"][parameter] == known


def test_the_images_are_those_that_the_workload_s_job_files_name() -> None:
    images = load_yaml(ROOT / "envs" / "catalogue" / "pipelines" / "flight_delay.yaml", overlay.RawYaml).data["images"]
    steps = {"ProcessingImage": "process.yaml", "TrainingImage": "job.yaml", "InferenceImage": "job.yaml"}
    for parameter, file in steps.items():
        named = yaml.safe_load((ROOT / "workloads" / "flight_delay" / file).read_text())["image"]
        assert images[parameter] == f"sagemaker-{named['framework']}:{named['version']}"


def test_whole_addresses_and_schedules_are_passed_on(environment: Callable[..., Any], dev: dict[str, Any]) -> None:
    own = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delays:7"
    changed = {
        **dev["pipelines"]["flight_delay"],
        "images": {**dev["pipelines"]["flight_delay"]["images"], "TrainingImage": own},
        "parameters": {"MaxDepth": "7"},
        "schedule": {"expression": "rate(7 days)", "parameters": {"InputKey": "raw/flight_delay/all/"}},
    }
    body = environment(pipelines={"flight_delay": changed}, access={"role_path": "/mlops/"}).json()
    call = body["module"]["pipeline_flight_delay"]
    assert call["parameters"]["TrainingImage"] == own
    assert call["parameters"]["MaxDepth"] == "7"
    assert call["schedule"] == changed["schedule"]
    assert call["role_path"] == "/mlops/"
    assert body["locals"]["platform"]["pipelines"] == {"flight_delay": "${module.pipeline_flight_delay.name}"}


def test_an_environment_may_leave_the_pipeline_out(environment: Callable[..., Any]) -> None:
    body = environment(pipelines={}).json()
    assert [name for name in body["module"] if name.startswith("pipeline")] == []
    assert "pipeline_failure_topics" not in body["output"]
