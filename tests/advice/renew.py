"""Plan the endpoints that `smlops compare` compares: `.venv/bin/python -m tests.advice.renew`."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.advice.comparison.shapes import FOLDER, PLAN
from sustainable_mlops.base.terraform import ROOT, Terraform

#: Resource types that the figures depend on. Alarms start step scaling policies.
_KEPT = ("aws_sagemaker_", "aws_appautoscaling_", "aws_cloudwatch_metric_alarm")


def make_plan_document(folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Return the content of `shapes/plan.json`: the plan of the HCL beside it, with the resources for the figures."""
    shapes = folder / FOLDER.relative_to(ROOT)
    shutil.copytree(FOLDER, shapes)
    (folder / "modules").symlink_to(ROOT / "modules")
    terraform = Terraform(shapes, environment)
    terraform.init()
    plan = terraform.plan(folder / "tfplan")
    changes = [_reduce_change(one) for one in plan["resource_changes"] if one["type"].startswith(_KEPT)]
    document = {
        "format_version": plan["format_version"],
        "terraform_version": plan["terraform_version"],
        "resource_changes": changes,
        "configuration": _reduce_configuration(plan["configuration"]),
    }
    return json.dumps(document, indent=1) + "\n"


def _reduce_change(one: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without duplicated values, and without the reason that OpenTofu adds to new resources."""
    omitted = ("before_sensitive", "after_sensitive")
    change = {name: value for name, value in one["change"].items() if name not in omitted}
    return {name: value for name, value in one.items() if name != "action_reason"} | {"change": change}


def _reduce_configuration(whole: dict[str, Any]) -> dict[str, Any]:
    return {
        "provider_config": {"aws": {**whole["provider_config"]["aws"], "expressions": _select_region(whole)}},
        "root_module": _reduce_module(whole["root_module"]),
    }


def _select_region(whole: dict[str, Any]) -> dict[str, Any]:
    """Return only the Region, without the invented credentials."""
    return {"region": whole["provider_config"]["aws"]["expressions"]["region"]}


def _reduce_module(one: dict[str, Any]) -> dict[str, Any]:
    """Return the resources and module calls; variables and outputs do not influence the figures."""
    return {
        "resources": [resource for resource in one.get("resources", []) if resource["type"].startswith(_KEPT)],
        "module_calls": {
            name: {
                "source": call["source"],
                "expressions": call.get("expressions", {}),
                "module": _reduce_module(call["module"]),
            }
            for name, call in one.get("module_calls", {}).items()
        },
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        PLAN.write_text(make_plan_document(Path(folder)), encoding="utf-8")
    print(PLAN.relative_to(ROOT))


if __name__ == "__main__":
    main()
