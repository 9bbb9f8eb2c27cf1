"""What the README says to do with the settings passes the gate of the review."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import synth
from sustainable_mlops.terraform import ROOT
from tests.modules.examples import apply, plan, terraform
from tests.reviewed import reviewed, stops

FRAUD = {"description": "Is it fraud?", "serverless_endpoint": {"memory_mb": 1024, "max_concurrency": 2}}

REALTIME = {"instance_type": "ml.c7g.large", "latency_slo_ms": 200}
PACKAGE = "arn:aws:sagemaker:eu-north-1:123456789012:model-package/smlops-dev-flight-delay/1"


def write(folder: Path, body: dict[str, Any]) -> None:
    """A root module in JSON syntax, its state beside it."""
    del body["terraform"]["backend"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(body))


@pytest.mark.apply
def test_another_model_in_the_settings_passes_the_gate(
    tmp_path: Path,
    sandbox: Any,
    terraform_environment: dict[str, str],
    environment: Callable[..., Any],
    dev: dict[str, Any],
) -> None:
    model = dev["models"]["flight_delay"]
    logs = sandbox.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])  # of other tests' jobs
    for name in synth.BESIDE:
        (tmp_path / name).symlink_to(ROOT / name)
    folder = tmp_path / "envs" / "dev"
    write(folder, environment().json())
    driver = terraform(folder, terraform_environment)
    assert stops(reviewed(plan(driver))) == []
    apply(driver)
    try:
        write(folder, environment(models={**dev["models"], "fraud": FRAUD}).json())
        found = reviewed(plan(driver))
        assert stops(found) == []
        (risk,) = (one.risk for one in found.risks if one.level != "note")
        assert risk.address == 'module.access.aws_iam_role_policy.registration["pipeline"]'
        group = 'module.model_registry.aws_sagemaker_model_package_group.this["fraud"]'
        assert risk.what.endswith(f"reaches only what this plan creates: {group}")
        write(
            folder,
            environment(models={**dev["models"], "flight_delay": {**model, "realtime_endpoint": REALTIME}}).json(),
        )
        (folder / "models.auto.tfvars.json").write_text(json.dumps({"model_packages": {"flight_delay": PACKAGE}}))
        driver.execute_command("get")
        found = reviewed(plan(driver))
        assert stops(found) == []
    finally:
        driver.destroy()
