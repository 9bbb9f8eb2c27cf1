"""Terraform deletes the data of a removed module call, and the review stops that plan."""

import re
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import ROOT, Terraform
from sustainable_mlops.plan import load
from sustainable_mlops.review import review
from sustainable_mlops.review.formats import FORMATS, render
from tests.provider import alone

MODULES = {
    "storage": 'account_id = "123456789012"\n  region = "eu-north-1"',
    "model_registry": (
        'account_id = "123456789012"\n  region = "eu-north-1"\n'
        '  model_package_groups = { fraud = { description = "Is it fraud?" } }'
    ),
}
#: Resources of the modules that a plan of a removed call deletes.
HELD = {"storage": {"aws_kms_key", "aws_s3_bucket"}, "model_registry": {"aws_sagemaker_model_package_group"}}


def call(module: str, label: str) -> str:
    """Return HCL that calls a module, which is protected by default."""
    return f'module "{label}" {{\n  source = "./modules/{module}"\n  name_prefix = "shop"\n  {MODULES[module]}\n}}\n'


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the modules applied in a sandbox, each under its own name."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "main.tf").write_text("".join(call(module, module) for module in MODULES))
    with alone(folder / "log") as (_, variables):
        terraform = Terraform(folder, variables)
        terraform.init()
        terraform.apply()
        yield terraform


@pytest.mark.apply
@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("way", ["removed", "renamed", "removed by a block"])
def test_a_plan_without_the_modules_call_is_stopped_as_loss_of_its_guards(applied: Any, module: str, way: str) -> None:
    others = "".join(call(other, other) for other in MODULES if other != module)
    instead = {
        "removed": "",
        "renamed": call(module, "other_name"),
        "removed by a block": f"removed {{\n  from = module.{module}\n  lifecycle {{\n    destroy = true\n  }}\n}}\n",
    }[way]
    (applied.folder / "main.tf").write_text(others + instead)
    applied.init()
    planned = applied.plan(applied.folder / "tfplan", "-refresh=false")

    deleted = {
        change["type"]: change["action_reason"]
        for change in planned["resource_changes"]
        if change["change"]["actions"] == ["delete"]
    }
    assert deleted.keys() >= HELD[module] | {"terraform_data"}
    assert deleted["terraform_data"] in ("delete_because_no_resource_config", "delete_because_no_module")
    result = review(load(applied.run("show", "-json", str(applied.folder / "tfplan")).encode()))
    (gate,) = (gate for gate in result.gates if gate.name == "data")
    assert (gate.level, result.exit_code) == ("stop", 1)
    assert "DATA_GUARD_UNCONFIGURED" in {assessment.risk.id for assessment in result.risks}
    for form in FORMATS:
        assert "removed configuration" in re.sub(r"\s+", " ", render(result, form)), form


@pytest.mark.apply
def test_a_call_that_is_moved_keeps_its_guards(applied: Any) -> None:
    moved = "moved {\n  from = module.storage\n  to   = module.store\n}\n"
    others = "".join(call(other, other) for other in MODULES if other != "storage")
    Path(applied.folder / "main.tf").write_text(others + call("storage", "store") + moved)
    applied.init()
    applied.plan(applied.folder / "tfplan", "-refresh=false")
    result = review(load(applied.run("show", "-json", str(applied.folder / "tfplan")).encode()))
    assert [assessment.risk.id for assessment in result.risks if "GUARD" in assessment.risk.id] == []
