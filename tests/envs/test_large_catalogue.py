"""The SSM parameters for launchers fit an environment with many feature groups and models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clone import synth
from sustainable_mlops.account import feature_groups
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, list_changes
from sustainable_mlops.jobs.platform import read_platform
from tests.envs.test_golden_path import write_root_module
from tests.modules.examples import apply, plan, terraform

GROUPS, FEATURES, MODELS = 11, 40, 60
STANDARD_CHARACTERS = 4096


def make_group_settings() -> dict[str, Any]:
    """Return settings of feature groups with many features each."""
    features = {f"departures_of_the_hour_before_{number:02}": {"type": "Fractional"} for number in range(FEATURES - 2)}
    group = {
        "description": "Many features.",
        "record_identifier": "id",
        "event_time": "at",
        "features": {"id": {"type": "String"}, "at": {"type": "Fractional"}, **features},
    }
    return {f"flights_of_the_airport_{number:02}": group for number in range(GROUPS)}


def make_model_settings(count: int) -> dict[str, Any]:
    """Return settings of models with a description only, so each has nothing but a package group."""
    return {f"delay_of_the_airport_{number:02}": {"description": "A model."} for number in range(count)}


@pytest.mark.release
@pytest.mark.apply
def test_a_catalogue_larger_than_a_standard_parameter_is_applied_and_readable_by_launchers(
    tmp_path: Path, own: tuple[Any, dict[str, str]], environment: Callable[..., Any]
) -> None:
    sandbox, variables = own
    for source_folder in synth.CALLED_FOLDERS:
        (tmp_path / source_folder).symlink_to(ROOT / source_folder)
    folder = tmp_path / "envs" / "dev"
    write_root_module(
        folder, environment(feature_groups=make_group_settings(), models=make_model_settings(1), pipelines={}).to_json()
    )
    driver = terraform(folder, variables)
    plan(driver)
    apply(driver)

    write_root_module(
        folder,
        environment(feature_groups=make_group_settings(), models=make_model_settings(MODELS), pipelines={}).to_json(),
    )
    plan(driver)
    apply(driver)
    second_plan = plan(driver)
    assert list_changes(second_plan) == {}

    ssm = sandbox.client("ssm")
    pages = ssm.get_paginator("describe_parameters").paginate()
    parameters = [parameter for page in pages for parameter in page["Parameters"]]
    tiers = {parameter["Name"]: parameter["Tier"] for parameter in parameters}
    platform = "/sustainable-mlops/dev/platform"
    assert tiers.pop(platform) == "Advanced"
    assert len(ssm.get_parameter(Name=platform)["Parameter"]["Value"]) > STANDARD_CHARACTERS
    assert len(read_platform(platform, ssm).model_package_groups) == MODELS
    assert list(tiers.values()) == ["Standard"] * GROUPS
    group = json.loads(ssm.get_parameter(Name=min(tiers))["Parameter"]["Value"])
    assert group["name"] == "smlops-dev-flights-of-the-airport-00"
    assert group["offline_s3_uri"].startswith("s3://smlops-dev-data-")
    declared = feature_groups.read_declarations(second_plan["planned_values"]["outputs"], "envs/dev")
    assert {len(one.features) for one in declared.values()} == {FEATURES}


def test_more_models_than_fit_a_parameter_are_rejected(environment: Callable[..., Any]) -> None:
    with pytest.raises(UserError) as error:
        environment(models=make_model_settings(80), pipelines={})
    assert "settings.yaml: 83 buckets, models and pipelines take up to " in str(error.value)
    assert "characters of the parameter /sustainable-mlops/dev/platform, which holds 8192" in str(error.value)
