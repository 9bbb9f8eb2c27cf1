"""Resources that a change of each input touches. `.venv/bin/python -m tests.modules.input_changes` writes the table.

The tests apply one root module that calls every module. For each module, they copy the state to one call for each
changed input. So one plan shows all changes, each under the name of its input.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import yaml

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT, Terraform
from tests.modules.input_cases import CASES
from tests.modules.prerequisites import create_prerequisites
from tests.provider import alone

TABLE = ROOT / "tests" / "modules" / "input_changes.yaml"
#: The command that writes the table.
COMMAND = ".venv/bin/python -m tests.modules.input_changes"
_HEAD = f"""\
# Resources that a change of each input touches, with the action and, for an update, the changed attributes.
# Written by `{COMMAND}`.
"""
#: Calls without a changed input. The second depends on a resource that changes.
UNCHANGED, DEPENDENT = "unchanged", "depends_on"
_PENDING = {"terraform_data": {"pending": {"input": "new"}}}


def list_touched_resources(
    module: str, state: dict[str, Any], folder: Path, variables: dict[str, str]
) -> dict[str, Any]:
    """Return the touched resources of a module by changed input."""
    case = CASES[module]
    calls = {UNCHANGED: case.arguments, DEPENDENT: {**case.arguments, "depends_on": ["terraform_data.pending"]}}
    calls |= {name: case.change(name) for name in case.changes}
    _write_root(folder, dict.fromkeys(calls, module), calls, _PENDING)
    copies = [_move_resource(resource, name) for name in calls for resource in _list_resources(state, module)]
    (folder / "terraform.tfstate").write_text(json.dumps({**state, "resources": copies, "outputs": {}}))
    terraform = Terraform(folder, variables)
    terraform.init()
    plan = terraform.plan(folder / "tfplan", "-refresh=false")
    changes_by_call: dict[str, Any] = {name: {} for name in calls}
    for resource in plan["resource_changes"]:
        actions = resource["change"]["actions"]
        if actions != ["no-op"] and "module_address" in resource:
            _, name, address = resource["address"].split(".", 2)
            changes_by_call[name][address] = _describe_change(resource["change"])
    return changes_by_call


def _describe_change(change: dict[str, Any]) -> str:
    actions = " and ".join(change["actions"])
    if change["actions"] != ["update"]:
        return actions
    before, after, unknown = (change[name] for name in ("before", "after", "after_unknown"))
    names = sorted(name for name in {*before, *unknown} if name != "tags_all" and before.get(name) != after.get(name))
    return f"{actions} {', '.join(f'{name} (unknown)' if unknown.get(name) is True else name for name in names)}"


def apply_modules(folder: Path, sandbox: Sandbox, variables: dict[str, str]) -> dict[str, Any]:
    """Apply one call of each module, and return the state."""
    arguments = {module: case.arguments for module, case in CASES.items()}
    _write_root(folder, {module: module for module in CASES}, arguments, {})
    create_prerequisites(sandbox, json.dumps(arguments))
    terraform = Terraform(folder, variables)
    terraform.init()
    terraform.apply()
    state: dict[str, Any] = json.loads((folder / "terraform.tfstate").read_text())
    return state


def _write_root(folder: Path, modules: dict[str, str], arguments: dict[str, Any], resources: dict[str, Any]) -> None:
    folder.mkdir()
    (folder / "modules").symlink_to(ROOT / "modules")
    calls = {name: {"source": f"./modules/{module}", **arguments[name]} for name, module in modules.items()}
    (folder / "main.tf.json").write_text(
        json.dumps({"module": calls, **({"resource": resources} if resources else {})})
    )


def _list_resources(state: dict[str, Any], module: str) -> list[dict[str, Any]]:
    return [resource for resource in state["resources"] if resource["module"] == f"module.{module}"]


def _move_resource(resource: dict[str, Any], call: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(re.sub(r"\bmodule\.\w+", f"module.{call}", json.dumps(resource)))
    return copy


def build_table(folder: Path, sandbox: Sandbox, variables: dict[str, str]) -> dict[str, Any]:
    """Return the touched resources by module and changed input."""
    state = apply_modules(folder / "applied", sandbox, variables)
    return {module: list_touched_resources(module, state, folder / module, variables) for module in CASES}


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder, alone(Path(folder) / "sandbox.log") as (sandbox, variables):
        table = build_table(Path(folder), sandbox, variables)
    TABLE.write_text(_HEAD + yaml.safe_dump(table, sort_keys=True, width=160))
    print(TABLE.relative_to(ROOT))


if __name__ == "__main__":
    main()
