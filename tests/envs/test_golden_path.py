"""What the README says to do with the settings passes the gate of the review."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from envs.environment import Environment
from envs.settings import Settings
from sustainable_mlops import synth
from sustainable_mlops.terraform import ROOT
from tests.modules.examples import plan, terraform
from tests.reviewed import reviewed, stops

DEV: dict[str, Any] = yaml.safe_load((ROOT / "envs" / "dev" / "settings.yaml").read_text())
FRAUD = {"description": "Is it fraud?", "serverless_endpoint": {"memory_mb": 1024, "max_concurrency": 2}}


def write(folder: Path, modules: dict[str, Any], **settings: Any) -> None:
    """The root module of envs/dev with other settings, its state beside it."""
    environment = Environment(Settings.model_validate({**DEV, **settings}), modules)
    environment.synthesize()
    body = environment.json()
    del body["terraform"]["backend"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(body))


@pytest.mark.apply
def test_another_model_in_the_settings_passes_the_gate(tmp_path: Path, sandbox: Any) -> None:
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    folder, modules = tmp_path / "envs" / "dev", synth.load_modules(synth.names()[0])
    write(folder, modules)
    driver = terraform(folder, sandbox.environment)
    assert stops(reviewed(plan(driver))) == []
    driver.apply()
    try:
        write(folder, modules, models={**DEV["models"], "fraud": FRAUD})
        found = reviewed(plan(driver))
        assert stops(found) == []
        (risk,) = (one.risk for one in found.risks if one.level != "note")
        assert risk.address == 'module.access.aws_iam_role_policy.registration["pipeline"]'
        group = 'module.model_registry.aws_sagemaker_model_package_group.this["fraud"]'
        assert risk.what.endswith(f"reaches only what this plan creates: {group}")
    finally:
        driver.destroy()
