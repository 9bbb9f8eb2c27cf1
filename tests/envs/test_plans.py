"""All environments plan with packages of all models, including one with the longest allowed names.

The review of the committed ones is fine.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from clone import synth
from envs import settings
from envs.components.model_endpoints import ModelEndpoints
from envs.environment import COMPONENTS
from envs.names import NameKind, get_max_length
from envs.settings import EnvironmentSettings
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, Terraform
from sustainable_mlops.review.acceptances import Acceptance, read_acceptances
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.docs.blocks import blocks
from tests.envs.reviews import check_own_review
from tests.review_checks import check_review, list_blocking_gates
from tests.stale_files import suggest_update

#: Override that needs no AWS account.
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
#: Resource type and attribute of each kind of name.
NAME_ATTRIBUTES: Mapping[NameKind, tuple[str, str]] = {
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
        f"breast_cancer_stage_and_grade{end}": {"serverless_endpoint": options}
        for end, options in {"x": {"memory_mb": 1024}, "y": {"max_concurrency": 2}}.items()
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
            "drift": {"workload": "grades", "parameters": {"InputKey": "raw/all/"}},
            "schedule": {"expression": "rate(7 days)", "parameters": {"InputKey": "raw/all/"}},
        }
    },
}


def list_served_models(env_settings: EnvironmentSettings) -> list[str]:
    """Return the models with endpoints, one entry for each endpoint."""
    kinds = [component for component in COMPONENTS if issubclass(component, ModelEndpoints)]
    return [key for kind in kinds for key in kind(env_settings).list_declared_endpoints()]


def create_plan(
    folder: Path, env_settings: EnvironmentSettings, variables: dict[str, str], *more: str
) -> dict[str, Any]:
    """Plan a root module in `folder` with packages of all models and of `more`."""
    group = f"arn:aws:sagemaker:{env_settings.region}:{env_settings.account_id}:model-package/group"
    packages = {
        "model_packages": {
            key: f"{group}/{number}" for number, key in enumerate([*list_served_models(env_settings), *more], 1)
        }
    }
    (folder / synth.PACKAGES).write_text(json.dumps(packages))
    (folder / "offline_override.tf").write_text(OFFLINE)
    for name in synth.CALLED_FOLDERS:
        (folder.parents[1] / name).symlink_to(ROOT / name)
    terraform = Terraform(folder, variables)
    terraform.init()
    return terraform.plan(folder / "tfplan")


def check_served_models(plan: Mapping[str, Any], env_settings: EnvironmentSettings) -> None:
    """Check that all served models are planned, with the names that the environment lists."""
    resources = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
    assert [change["address"] for change in resources if change["change"]["actions"] != ["create"]] == []
    names = [name for component in COMPONENTS for name in component(env_settings).list_names()]
    for kind, (of_type, attribute) in NAME_ATTRIBUTES.items():
        planned = [change["change"]["after"][attribute] for change in resources if change["type"] == of_type]
        assert sorted(planned) == sorted(name.text for name in names if name.kind == kind)
    endpoints = sum(change["type"] == "aws_sagemaker_endpoint" for change in resources)
    assert endpoints == len(list_served_models(env_settings)) > 0
    assert set(list_check_results(plan).values()) == {"pass"}


def list_check_results(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of each `check` block, by name."""
    return {one["address"]["name"]: one["status"] for one in plan["checks"] if one["address"]["kind"] == "check"}


def copy_environment(folder: Path, name: str) -> tuple[Path, EnvironmentSettings]:
    """Copy a committed root module to `folder` and return its settings, too."""
    copy = folder / "envs" / name
    copy.mkdir(parents=True)
    for file in (ROOT / "envs" / name).glob("*.tf"):
        shutil.copy(file, copy)
    return copy, settings.load(ROOT / "envs" / name)


#: Instance types and minimum counts of the endpoints of the page.
INSTANCES = {
    "dev": ({"ml.c7g.xlarge"}, {0}),
    "staging": ({"ml.c7g.large"}, {1}),
    "prod": ({"ml.c7g.large", "ml.inf2.xlarge"}, {2}),
}


def read_accepted(name: str) -> list[Acceptance]:
    """Return the accepted risks of a committed environment, without their end and for a plan of any name."""
    file = ROOT / "envs" / name / "accepted.yaml"
    accepted = read_acceptances(file) if file.is_file() else []
    assert {one.plan for one in accepted} <= {name}
    return [one._replace(until=date.max, plan=None) for one in accepted]


@pytest.mark.toolchain
@pytest.mark.plan
@pytest.mark.parametrize("name", synth.list_names()[1])
def test_the_committed_environments_plan_with_packages_of_all_models_and_are_fine(
    tmp_path: Path, name: str, offline_environment: dict[str, str]
) -> None:
    folder, env_settings = copy_environment(tmp_path, name)
    plan = create_plan(folder, env_settings, offline_environment)
    check_served_models(plan, env_settings)
    review = check_own_review(plan, accepted=read_accepted(name))
    assert review.verdict == "fine"
    notes = [(one.finding.rule, one.finding.address) for one in review.findings if one.level is Level.NOTE]
    assert ("SUS_ALARM_SUBSCRIBERS", "module.observability.aws_sns_topic.alarms") in notes, "nobody is subscribed"


@pytest.mark.plan
@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_endpoints_of_the_page_pass_the_review(
    tmp_path: Path, name: str, modules: dict[str, Any], offline_environment: dict[str, str]
) -> None:
    from envs.root import EnvironmentRoot

    texts = [one.text for one in blocks() if (one.file, one.language) == ("docs/environments.md", "yaml")]
    (snippet,) = (text for text in texts if text.startswith(f"# envs/{name}/settings.yaml") and "latency_slo:" in text)
    values = settings.load(ROOT / "envs" / name).model_dump(exclude_unset=True)
    values["models"]["flight_delay"] |= yaml.safe_load(snippet)["models"]["flight_delay"]
    if name == "prod":
        (entry,) = (yaml.safe_load(text) for text in texts if text.startswith("# envs/catalogue/models/digits.yaml"))
        values["models"]["digits"] = entry
    env_settings = EnvironmentSettings.model_validate(values)
    folder = tmp_path / "envs" / name
    folder.mkdir(parents=True)
    body = EnvironmentRoot(env_settings, modules, COMPONENTS).synthesize().to_json()
    del body["terraform"]["backend"]
    (folder / "main.tf.json").write_text(json.dumps(body))
    plan = create_plan(folder, env_settings, offline_environment)
    check_served_models(plan, env_settings)
    review = check_review(plan, read_accepted(name))
    assert list_blocking_gates(review) == []
    rules = {one.finding.rule for one in review.findings if one.level is not Level.NOTE}
    assert rules == ({"SUS_OFF_HOURS"} if name == "staging" else set()), "staging responds at night, too"
    resources = [(change["type"], change["change"]["after"]) for change in plan["resource_changes"]]
    configurations = [values for kind, values in resources if kind == "aws_sagemaker_endpoint_configuration"]
    types = {variant["instance_type"] for one in configurations for variant in one["production_variants"]}
    minimum = {values["min_capacity"] for kind, values in resources if kind == "aws_appautoscaling_target"}
    assert (types, minimum) == INSTANCES[name]


@pytest.mark.plan
def test_packages_of_unknown_models_are_reported_and_those_of_other_regions_refused(
    tmp_path: Path, offline_environment: dict[str, str]
) -> None:
    staging = copy_environment(tmp_path, "staging")
    plan = create_plan(*staging, offline_environment, "flight_dely")
    failed = {name for name, status in list_check_results(plan).items() if status == "fail"}
    assert failed == {"model_packages_are_of_known_models"}
    file = staging[0] / synth.PACKAGES
    file.write_text(file.read_text().replace(f":{staging[1].region}:", ":eu-west-3:"))
    with pytest.raises(UserError, match=r"model_package_arn: must be a model\s+package in Region"):
        Terraform(staging[0], offline_environment).plan(tmp_path / "tfplan")


@pytest.mark.plan
def test_an_environment_with_the_longest_allowed_names_plans(
    tmp_path: Path, dev: dict[str, Any], environment: Callable[..., Any], offline_environment: dict[str, str]
) -> None:
    flights = dev["feature_groups"]["flights"]
    whole = {**LONGEST, "feature_groups": {"scheduled_flights_an_hour_before_depart": flights}}
    env_settings = EnvironmentSettings.model_validate({**dev, **whole})
    most = {name.kind: len(name.text) for component in COMPONENTS for name in component(env_settings).list_names()}
    assert (most["bucket"], most["feature_group"]) == (get_max_length("bucket"), get_max_length("feature_group"))
    folder = tmp_path / "envs" / "longestnames"
    folder.mkdir(parents=True)
    body = environment(**whole).to_json()
    del body["terraform"]["backend"]
    (folder / "main.tf.json").write_text(json.dumps(body))
    check_served_models(create_plan(folder, env_settings, offline_environment), env_settings)


@check_cases("name", synth.list_names()[1])
def test_the_committed_file_of_promoted_packages_names_served_models(name: str) -> None:
    file = ROOT / "envs" / name / synth.PACKAGES
    assert file.is_file(), suggest_update("smlops synth")
    (variable, packages), *others = json.loads(file.read_text()).items()
    assert others == []
    assert f'variable "{variable}"' in (file.parent / "variables.tf").read_text()
    assert set(packages) <= set(list_served_models(settings.load(file.parent)))
