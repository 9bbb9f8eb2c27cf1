"""Every environment plans with every model's package in its file, also one whose names are as long as may be."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from envs import settings
from envs.components.model_endpoints import ModelEndpoints
from envs.environment import COMPONENTS
from envs.names import NameKind, longest_name
from envs.settings import EnvironmentSettings
from sustainable_mlops import synth
from sustainable_mlops.terraform import ROOT, Terraform
from tests.renewal import renew

#: Nobody is asked anything, so no account has to be there.
OFFLINE = """
terraform {
  backend "local" {}
}
provider "aws" {
  allowed_account_ids         = null
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
"""
#: Which attribute of which resource holds a name of each kind.
NAMED: Mapping[NameKind, tuple[str, str]] = {
    "bucket": ("aws_s3_bucket", "bucket"),
    "endpoint": ("aws_sagemaker_endpoint", "name"),
    "feature_group": ("aws_sagemaker_feature_group", "feature_group_name"),
    "model_package_group": ("aws_sagemaker_model_package_group", "model_package_group_name"),
    "parameter": ("aws_ssm_parameter", "name"),
    "pipeline": ("aws_sagemaker_pipeline", "pipeline_name"),
}
LONGEST = {
    "environment": "longestnames",
    "account_id": "000000000042",
    "region": "ap-southeast-1",
    "name_prefix": "platform-of-all-models-x",
    "state": {"bucket": "b" * 63},
    "observability": {"idle_stop": "delete", "by_model": {"breast_cancer_stage_and_gradez": {"idle_stop": "report"}}},
    "storage": {"extra_buckets": {"landing-it": {}}},
    "models": {
        f"breast_cancer_stage_and_grade{end}": {"serverless_endpoint": said}
        for end, said in {"x": {"memory_mb": 1024}, "y": {"max_concurrency": 2}}.items()
    }
    | {
        "breast_cancer_stage_and_gradez": {
            "async_endpoint": {"max_instances": 1},
            "realtime_endpoint": {"latency_slo_ms": 100, "data_capture": {"percent": 5}},
            "serverless_endpoint": {},
        }
    },
    "pipelines": {
        "breast_cancer_stage_grades": {
            "definition_file": "workloads/flight_delay/pipeline.json",
            "model": "breast_cancer_stage_and_gradex",
            "images": {
                **dict.fromkeys(("InferenceImage", "ProcessingImage", "TrainingImage"), "sagemaker-xgboost:3.0-5"),
                "InferenceImageGraviton": "sagemaker-scikit-learn:1.0-1-arm64-cpu-py3",
            },
            "data_arrival": {"key_prefix": "raw/"},
            "schedule": {"expression": "rate(7 days)", "parameters": {"InputKey": "raw/all/"}},
        }
    },
}


def served(given: EnvironmentSettings) -> list[str]:
    """The models that have an endpoint, once for each."""
    kinds = [component for component in COMPONENTS if issubclass(component, ModelEndpoints)]
    return [key for kind in kinds for key in kind(given).declared_endpoints()]


def planned(
    folder: Path, given: EnvironmentSettings, variables: dict[str, str], region: str = "", *more: str
) -> dict[str, Any]:
    """The plan of a root module in `folder`, every model (and `more`) packaged in the file that Terraform reads by
    itself, in its Region or another."""
    group = f"arn:aws:sagemaker:{region or given.region}:{given.account_id}:model-package/group"
    packages = {"model_packages": {key: f"{group}/{number}" for number, key in enumerate([*served(given), *more], 1)}}
    (folder / synth.PACKAGES).write_text(json.dumps(packages))
    (folder / "offline_override.tf").write_text(OFFLINE)
    for name in synth.CALLED_FOLDERS:
        (folder.parents[1] / name).symlink_to(ROOT / name)
    terraform = Terraform(folder, variables)
    terraform.init()
    return terraform.plan(folder / "tfplan")


def check(plan: Mapping[str, Any], given: EnvironmentSettings) -> None:
    """What is planned is served, and named as it was said before Terraform started."""
    resources = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
    assert [change["address"] for change in resources if change["change"]["actions"] != ["create"]] == []
    names = [name for component in COMPONENTS for name in component(given).list_names()]
    for kind, (of_type, attribute) in NAMED.items():
        found = [change["change"]["after"][attribute] for change in resources if change["type"] == of_type]
        assert sorted(found) == sorted(name.text for name in names if name.kind == kind)
    assert sum(change["type"] == "aws_sagemaker_endpoint" for change in resources) == len(served(given)) > 0
    assert set(checks(plan).values()) == {"pass"}


def checks(plan: Mapping[str, Any]) -> dict[str, str]:
    """What came of each `check` block, by name."""
    return {one["address"]["name"]: one["status"] for one in plan["checks"] if one["address"]["kind"] == "check"}


def committed(folder: Path, name: str) -> tuple[Path, EnvironmentSettings]:
    """A copy in `folder` of a committed root module, and its settings."""
    copy = folder / "envs" / name
    copy.mkdir(parents=True)
    for file in (ROOT / "envs" / name).glob("*.tf"):
        shutil.copy(file, copy)
    return copy, settings.load(ROOT / "envs" / name)


@pytest.mark.toolchain
@pytest.mark.plan
@pytest.mark.parametrize("name", synth.list_names()[1])
def test_the_committed_environment_plans_with_every_model_packaged(
    tmp_path: Path, name: str, offline_environment: dict[str, str]
) -> None:
    folder, given = committed(tmp_path, name)
    check(planned(folder, given, offline_environment), given)


@pytest.mark.plan
def test_a_package_of_another_region_or_of_no_model_is_told_in_the_plan(
    tmp_path: Path, offline_environment: dict[str, str]
) -> None:
    plan = planned(*committed(tmp_path, "staging"), offline_environment, "eu-north-1", "flight_dely")
    told = {name for name, status in checks(plan).items() if status == "fail"}
    assert told == {"model_packages_are_of_known_models", "model_packages_are_of_this_region"}


@pytest.mark.plan
def test_one_with_the_longest_names_that_are_allowed_plans_too(
    tmp_path: Path, dev: dict[str, Any], environment: Callable[..., Any], offline_environment: dict[str, str]
) -> None:
    flights = dev["feature_groups"]["flights"]
    whole = {**LONGEST, "feature_groups": {"scheduled_flights_an_hour_before_depart": flights}}
    given = EnvironmentSettings.model_validate({**dev, **whole})
    most = {name.kind: len(name.text) for component in COMPONENTS for name in component(given).list_names()}
    assert (most["bucket"], most["feature_group"]) == (longest_name("bucket"), longest_name("feature_group"))
    folder = tmp_path / "envs" / "longestnames"
    folder.mkdir(parents=True)
    body = environment(**whole).json()
    del body["terraform"]["backend"]
    (folder / "main.tf.json").write_text(json.dumps(body))
    check(planned(folder, given, offline_environment), given)


@pytest.mark.parametrize("name", synth.list_names()[1])
def test_the_file_of_promoted_packages_is_committed_and_names_models_that_are_served(name: str) -> None:
    file = ROOT / "envs" / name / synth.PACKAGES
    assert file.is_file(), renew("smlops synth")
    (variable, packages), *others = json.loads(file.read_text()).items()
    assert others == []
    assert f'variable "{variable}"' in (file.parent / "variables.tf").read_text()
    assert set(packages) <= set(served(settings.load(file.parent)))
