"""Idle shutdown, disks and roles of the Studio domain."""

import base64
import hashlib
from typing import Any

import pytest

from tests.modules.examples import plan_example

IDLE = {
    "lifecycle_management": "ENABLED",
    "idle_timeout_in_minutes": 60,
    "min_idle_timeout_in_minutes": 60,
    "max_idle_timeout_in_minutes": 60,
}


@pytest.fixture(scope="module")
def planned_values(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of the complete example, by address within the module."""
    values = plan_example("studio-complete", tmp_path_factory.mktemp("studio"), terraform_environment)
    return {address.removeprefix("module.studio."): value for address, value in values.items()}


@pytest.mark.plan
def test_idle_apps_of_users_and_shared_spaces_stop_after_the_shortest_time(planned_values: dict[str, Any]) -> None:
    domain = planned_values["aws_sagemaker_domain.this"]
    (users,), (spaces,) = domain["default_user_settings"], domain["default_space_settings"]
    apps = [users["jupyter_lab_app_settings"], users["code_editor_app_settings"], spaces["jupyter_lab_app_settings"]]
    assert [app[0]["app_lifecycle_management"][0]["idle_settings"] for app in apps] == [[IDLE]] * 3


@pytest.mark.plan
def test_users_cannot_choose_a_disk_above_the_limit(planned_values: dict[str, Any]) -> None:
    domain = planned_values["aws_sagemaker_domain.this"]
    for settings in (*domain["default_user_settings"], *domain["default_space_settings"]):
        (disk,) = settings["space_storage_settings"][0]["default_ebs_storage_settings"]
        assert disk == {"default_ebs_volume_size_in_gb": 10, "maximum_ebs_volume_size_in_gb": 100}


@pytest.mark.plan
def test_a_user_without_a_role_inherits_the_role_of_the_domain(planned_values: dict[str, Any]) -> None:
    profiles = {name: planned_values[f'aws_sagemaker_user_profile.this["{name}"]'] for name in ("anna", "bjorn")}
    role = "arn:aws:iam::123456789012:role/flights-dev-studio"
    roles = {name: profile["user_settings"][0]["execution_role"] for name, profile in profiles.items()}
    assert roles == {"anna": role, "bjorn": f"{role}-lead"}


@pytest.mark.plan
def test_apps_of_users_keep_the_idle_shutdown_and_a_changed_script_gets_another_name(
    planned_values: dict[str, Any],
) -> None:
    (settings,) = planned_values['aws_sagemaker_user_profile.this["anna"]']["user_settings"]
    for app in ("jupyter_lab_app_settings", "code_editor_app_settings"):
        assert settings[app][0]["app_lifecycle_management"][0]["idle_settings"] == [IDLE]
    script = planned_values['aws_sagemaker_studio_lifecycle_config.this["private-index"]']
    digest = hashlib.sha256(base64.b64decode(script["studio_lifecycle_config_content"])).hexdigest()
    assert script["studio_lifecycle_config_name"] == f"flights-dev-private-index-{digest[:8]}"
