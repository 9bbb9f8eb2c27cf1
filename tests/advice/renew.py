"""Plan the endpoints that `smlops compare` compares: `.venv/bin/python -m tests.advice.renew`."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.advice.comparison.shapes import FOLDER, PLAN
from sustainable_mlops.terraform import ROOT, Terraform

#: What the figures rest on; alarms start the policies that go by steps.
_KEPT = ("aws_sagemaker_", "aws_appautoscaling_", "aws_cloudwatch_metric_alarm")


def planned(folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What stands in `shapes/plan.json`: the plan of the HCL beside it, as far as the figures rest on it."""
    shapes = folder / FOLDER.relative_to(ROOT)
    shutil.copytree(FOLDER, shapes)
    (folder / "modules").symlink_to(ROOT / "modules")
    terraform = Terraform(shapes, environment)
    terraform.init()
    plan = terraform.plan(folder / "tfplan")
    changes = [_change(one) for one in plan["resource_changes"] if one["type"].startswith(_KEPT)]
    document = {
        "format_version": plan["format_version"],
        "terraform_version": plan["terraform_version"],
        "resource_changes": changes,
        "configuration": _configuration(plan["configuration"]),
    }
    return json.dumps(document, indent=1) + "\n"


def _change(one: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without what is said twice, and without the reason that OpenTofu adds to new resources."""
    left_out = ("before_sensitive", "after_sensitive")
    change = {name: value for name, value in one["change"].items() if name not in left_out}
    return {name: value for name, value in one.items() if name != "action_reason"} | {"change": change}


def _configuration(whole: dict[str, Any]) -> dict[str, Any]:
    return {
        "provider_config": {"aws": {**whole["provider_config"]["aws"], "expressions": _region(whole)}},
        "root_module": _module(whole["root_module"]),
    }


def _region(whole: dict[str, Any]) -> dict[str, Any]:
    """The Region, and not the made-up keys."""
    return {"region": whole["provider_config"]["aws"]["expressions"]["region"]}


def _module(one: dict[str, Any]) -> dict[str, Any]:
    """Resources and calls: variables and outputs say nothing of what runs."""
    return {
        "resources": [resource for resource in one.get("resources", []) if resource["type"].startswith(_KEPT)],
        "module_calls": {
            name: {
                "source": call["source"],
                "expressions": call.get("expressions", {}),
                "module": _module(call["module"]),
            }
            for name, call in one.get("module_calls", {}).items()
        },
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        PLAN.write_text(planned(Path(folder)), encoding="utf-8")
    print(PLAN.relative_to(ROOT))


if __name__ == "__main__":
    main()
