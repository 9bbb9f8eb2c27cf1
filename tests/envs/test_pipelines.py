"""Environments set the parameters of pipeline definitions and report errors before Terraform starts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clone import synth
from envs import overlay, settings
from envs.components import pipelines
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import load_yaml
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.specs.common import FrameworkImage
from tests.cases import check_cases
from tests.envs.example import CATALOGUE
from tests.envs.test_overlay import DEV

ENVIRONMENTS = synth.list_names()[1]
FILE = "workloads/flight_delay/pipeline.json"


def load_pipeline(**changes: Any) -> settings.EnvironmentSettings:
    """Load the settings of dev with additional options of the pipeline flight_delay."""
    text = yaml.safe_dump({**DEV, "pipelines": {"flight_delay": changes}})
    return settings.parse(text, "settings.yaml", CATALOGUE)


def list_parameters(file: str) -> dict[str, Any]:
    """Return the parameters of a definition with their defaults."""
    whole = json.loads((ROOT / file).read_text())
    return {one["Name"]: one.get("DefaultValue") for one in whole["Parameters"]}


@check_cases(
    ("changes", "message"),
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
        ({"drift": {"workload": "w", "reason_parameter": "Why"}}, "drift.reason_parameter: "),
        ({"drift": {"workload": "w"}}, "drift.parameters: the drift alarm would start the pipeline without InputKey"),
        ({"data_arrival": {"bucket": "mine"}}, "data_arrival.bucket: unknown key"),
        ({"schedule": {"expression": "daily"}}, "must be cron(…), rate(…) or at(…)"),
        (
            {"schedule": {"expression": "rate(7 days)"}},
            "schedule.parameters: the schedule would start the pipeline without InputKey; set a value here",
        ),
    ],
)
def test_errors_name_the_file_and_the_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        load_pipeline(**changes)
    assert "settings.yaml: pipelines.flight_delay" in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Parameters": [1]}', '{"Parameters": 1}', "\xff"])
def test_files_that_are_not_definitions_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "other.json").write_text(text, encoding="latin-1")
    monkeypatch.setattr(pipelines, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"definition_file: other\.json is not a pipeline definition"):
        load_pipeline(definition_file="other.json")
    pipelines._list_declared_parameters.cache_clear()


def test_parameters_missing_at_data_arrival_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = [{"Name": name, "Type": "String"} for name in (*list_parameters(FILE), "Season", "Airline")]
    (tmp_path / "more.json").write_text(json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": []}))
    monkeypatch.setattr(pipelines, "ROOT", tmp_path)
    with pytest.raises(
        UserError,
        match=r"parameters: new data would start the pipeline without Airline, .*, "
        "Season, ",
    ):
        load_pipeline(definition_file="more.json")
    assert load_pipeline(definition_file="more.json", data_arrival=None)
    pipelines._list_declared_parameters.cache_clear()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_all_parameters_without_defaults_have_values_and_images_equal_those_of_the_sdk(
    name: str, environment: Callable[..., Any]
) -> None:
    env_settings = settings.load(ROOT / "envs" / name)
    values = env_settings.model_dump(exclude_unset=True)
    call = environment(**values).to_json()["module"]["pipeline_flight_delay"]
    (entry,) = (one for key, one in values["pipelines"].items() if key == "flight_delay")
    lacking = {one for one, default in list_parameters(entry["definition_file"]).items() if default is None}
    assert lacking - call["parameters"].keys() == {"InputKey"}, "which the data that arrives gives"
    assert call["parameters"].keys() <= list_parameters(entry["definition_file"]).keys()
    for parameter, image in entry["images"].items():
        framework, tag = image.removeprefix("sagemaker-").split(":")
        version, arm, _ = tag.partition("-arm64")
        known = find_image_address(
            FrameworkImage(framework=framework.replace("scikit-learn", "sklearn"), version=version),
            env_settings.region,
            "ml.c7g.large" if arm else "ml.m7i.large",
            "inference",
        )
        assert call["parameters"][parameter] == known


def test_images_equal_those_of_the_job_files() -> None:
    images = load_yaml(ROOT / "envs" / "catalogue" / "pipelines" / "flight_delay.yaml", overlay.RawYaml).data["images"]
    steps = {"ProcessingImage": "process.yaml", "TrainingImage": "job.yaml", "InferenceImage": "job.yaml"}
    for parameter, file in steps.items():
        image = yaml.safe_load((ROOT / "workloads" / "flight_delay" / file).read_text())["image"]
        assert images[parameter] == f"sagemaker-{image['framework']}:{image['version']}"


def test_the_documented_settings_start_the_check_of_drift_and_the_retraining(
    environment: Callable[..., Any], dev: dict[str, Any], tmp_path: Path
) -> None:
    catalogue_entry, overrides = (
        text.partition("```")[0]
        for text in (ROOT / "docs" / "jobs.md").read_text().replace("BUCKET/", "bucket/").split("```yaml\n")
        if "flight_delay_batches/" in text.partition("```")[0] or "flight_delay_drift:" in text.partition("```")[0]
    )
    shutil.copytree(ROOT / "envs" / "catalogue", tmp_path, dirs_exist_ok=True)
    (tmp_path / "pipelines" / "flight_delay_drift.yaml").write_text(catalogue_entry)
    text = (ROOT / "envs" / "dev" / "settings.yaml").read_text() + overrides
    pipelines = settings.parse(text, "settings.yaml", tmp_path).model_dump(exclude_unset=True)["pipelines"]
    calls = environment(**{**dev, "pipelines": pipelines}).to_json()["module"]
    assert calls["pipeline_flight_delay"]["drift"] == yaml.safe_load(overrides)["pipelines"]["flight_delay"]["drift"]
    check = calls["pipeline_flight_delay_drift"]
    assert check["parameters"]["DriftNamespace"] == f"{dev['name_prefix']}/drift"
    assert check["parameters"]["Profile"].startswith("s3://bucket/runs/flight-delay/")


def test_complete_addresses_and_schedules_are_passed_unchanged(
    environment: Callable[..., Any], dev: dict[str, Any]
) -> None:
    own = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delays:7"
    changes = {
        **dev["pipelines"]["flight_delay"],
        "images": {**dev["pipelines"]["flight_delay"]["images"], "TrainingImage": own},
        "parameters": {"MaxDepth": "7"},
        "schedule": {"expression": "rate(7 days)", "parameters": {"InputKey": "raw/flight_delay/all/"}},
    }
    body = environment(pipelines={"flight_delay": changes}, access={"role_path": "/mlops/"}).to_json()
    call = body["module"]["pipeline_flight_delay"]
    assert call["parameters"]["TrainingImage"] == own
    assert call["parameters"]["MaxDepth"] == "7"
    assert call["schedule"] == changes["schedule"]
    assert call["role_path"] == "/mlops/"
    assert body["locals"]["platform"]["pipelines"] == {"flight_delay": "${module.pipeline_flight_delay.name}"}


def test_pipelines_are_optional(environment: Callable[..., Any]) -> None:
    body = environment(pipelines={}).to_json()
    assert [name for name in body["module"] if name.startswith("pipeline")] == []
    assert "pipeline_failure_topics" not in body["output"]
