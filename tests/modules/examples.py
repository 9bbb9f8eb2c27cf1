"""Examples on the modules' pages, as root modules and as folders."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.authoring.examples import read_examples
from sustainable_mlops.base.terraform import ROOT, Terraform, find_engine, find_lock_file, make_environment
from tests.stale_files import suggest_update
from tests.tftest_driver import Driver

_PLAN = "tfplan"
#: Patterns of files that a module's HCL reads.
DATA_FILES = ("*.csv", "*.tftpl")
_JOBS = re.compile("/aws/sagemaker/\\w+Jobs")
_ROLE = re.compile(r"arn:aws:iam::123456789012:role/([\w+=,.@-]+)")
_SOURCE = re.compile(r'^(?P<indent> *)source\s*=\s*"(?P<path>\.\./[./\w]+)"\n', re.M)


@dataclass(frozen=True)
class Example:
    """A fenced block of a README: a complete root module without provider."""

    module: str
    case: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}-{self.case}"

    @property
    def inventory(self) -> Path:
        return ROOT / "tests" / "modules" / self.module / f"{self.case}.yaml"

    @property
    def folder(self) -> Path:
        """The folder that consumers copy: this root module with its provider."""
        return ROOT / "modules" / self.module / "examples" / self.case

    @property
    def roles(self) -> list[str]:
        """The names of existing roles that it uses."""
        return sorted(set(_ROLE.findall(self.text)))

    def write(self, folder: Path, modules: dict[str, Any] | None = None) -> None:
        """Write the example to `folder` with the committed modules, or with `modules` in JSON syntax."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.tf").write_text(self.text)
        if modules is None:
            (folder / "modules").symlink_to(ROOT / "modules")
            return
        for name, body in modules.items():
            (folder / "modules" / name).mkdir(parents=True)
            (folder / "modules" / name / "main.tf.json").write_text(json.dumps(body))
            for data_file in (file for ending in DATA_FILES for file in (ROOT / "modules" / name).glob(ending)):
                (folder / "modules" / name / data_file.name).write_text(data_file.read_text())

    def copy(self, folder: Path) -> Path:
        """Copy the modules with their examples to `folder`, and return the copy of this example's folder."""
        copy_modules(folder / "modules")
        return folder / self.folder.relative_to(ROOT)

    def unprotected(self, protected: set[str]) -> str:
        """Return the example's main.tf with `deletion_protection = false` for each call of a module of `protected`."""

        def turn_off(source: re.Match[str]) -> str:
            if (self.folder / source["path"]).resolve().name not in protected:
                return source[0]
            return f"{source[0]}{source['indent']}deletion_protection = false\n"

        text = re.sub(r"^ *deletion_protection *=.*\n", "", (self.folder / "main.tf").read_text(), flags=re.M)
        return _SOURCE.sub(turn_off, text)


def copy_modules(folder: Path) -> None:
    """Copy the modules as consumers get them, without their Python sources."""
    shutil.copytree(ROOT / "modules", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", ".*"))


def examples(root: Path = ROOT) -> list[Example]:
    """Return all examples, by module and in the order of the page. `root` contains `modules`."""
    return [
        Example(page.parent.name, case, text)
        for page in sorted(root.glob("modules/*/README.md"))
        for case, text in read_examples(page.read_text()).items()
    ]


def mark_applied_examples() -> list[Any]:
    """Return all examples with the marks of their apply, which takes minutes.

    A complete example has the resources of the minimal one, and almost those of one with an existing key, so these are
    applied before a release. Every other provider applies the complete examples.
    """
    marks = {"complete": pytest.mark.toolchain} | dict.fromkeys(("minimal", "existing_key"), pytest.mark.release)
    return [pytest.param(one, marks=marks.get(one.case, ())) for one in examples()]


def plan_example(name: str, folder: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of an example such as `network-complete`, by address."""
    next(example for example in examples() if str(example) == name).write(folder)
    engine = Terraform(folder, variables)
    engine.init()
    values: dict[str, Any] = summary(engine.plan(folder / "tfplan"))["values"]
    return values


def terraform(folder: Path, variables: dict[str, str]) -> Any:
    """Create a driver for a folder and initialize it with the shared lock file, so that tests can run in parallel."""
    shutil.copy(find_lock_file(), folder)
    driver = Driver(str(folder), binary=find_engine().path, env=make_environment(variables))
    driver.init()
    return driver


def plan(driver: Any) -> dict[str, Any]:
    """Create a plan for `apply` and return it as Terraform's JSON."""
    driver.execute_command("plan", f"-out={_PLAN}")
    whole: dict[str, Any] = json.loads(driver.execute_command("show", "-json", _PLAN).out)
    return whole


def apply(driver: Any) -> None:
    """Apply the last plan."""
    driver.execute_command("apply", _PLAN)


def list_leftovers(before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]) -> list[str]:
    """List new resources, except jobs and their log groups: Terraform creates no jobs, and those of other tests may
    still run."""
    return [
        f"{kind} {name}"
        for service, kinds in after.items()
        for kind, names in kinds.items()
        for name in names
        if name not in before.get(service, {}).get(kind, ()) and not kind.endswith("-job") and not _JOBS.fullmatch(name)
    ]


def find_differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """List where `actual` differs from `expected`: it may have more keys, but lists and other values must be equal."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            difference
            for key, value in expected.items()
            for difference in (
                find_differences(value, actual[key], f"{path}.{key}")
                if key in actual
                else [f"{path}.{key}: is missing"]
            )
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            difference
            for i, (expected_item, actual_item) in enumerate(zip(expected, actual, strict=True))
            for difference in find_differences(expected_item, actual_item, f"{path}[{i}]")
        ]
    return [] if expected == actual else [f"{path}: expected {expected!r}, found {actual!r}"]


def describe_changes(plan: Mapping[str, Any]) -> str:
    """Return a line for each changed resource of a plan: its address, its actions and the attributes that differ."""
    lines = []
    for entry in plan["resource_changes"]:
        change = entry["change"]
        if change["actions"] in (["no-op"], ["read"]):
            continue
        unknown = {name: "(known after apply)" for name, mark in (change["after_unknown"] or {}).items() if mark}
        before, after = change["before"] or {}, {**(change["after"] or {}), **unknown}
        differences = [
            f"{name}: {before.get(name)!r} → {after.get(name)!r}"
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
        lines.append(f"{entry['address']}: {'/'.join(change['actions'])}; {', '.join(differences)}")
    return "\n".join(lines)


def update_recorded(recorded: Any, actual: Any) -> Any:
    """Return the keys of `recorded` with the values of `actual`, without keys that `actual` lacks."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        return {key: update_recorded(value, actual[key]) for key, value in recorded.items() if key in actual}
    if isinstance(recorded, list) and isinstance(actual, list) and len(recorded) == len(actual):
        return [
            update_recorded(recorded_item, actual_item)
            for recorded_item, actual_item in zip(recorded, actual, strict=True)
        ]
    return actual


def summary(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the possible content of an inventory: counts by type, planned values by address, and known outputs."""
    planned = plan["planned_values"]
    resources = {resource["address"]: resource for resource in _resources(planned.get("root_module", {}))}
    counts: dict[str, int] = {}
    for resource in resources.values():
        counts[resource["type"]] = counts.get(resource["type"], 0) + 1
    outputs = {name: output.get("value") for name, output in planned.get("outputs", {}).items()}
    return {"counts": counts, "values": {a: r.get("values", {}) for a, r in resources.items()}, "outputs": outputs}


def _resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [resource for child in module.get("child_modules", []) for resource in _resources(child)]
    return [r for r in module.get("resources", []) if r["mode"] == "managed"] + inner


def check_inventory(example: Example, plan: dict[str, Any]) -> None:
    """Compare a plan with the example's inventory; a failure names the differences and the command for an update."""
    planned = summary(plan)
    hint = suggest_update(f".venv/bin/python -m tests.modules.update_inventories {example}")
    assert example.inventory.is_file(), f"there is no {example.inventory.relative_to(ROOT)}\n{hint}"
    inventory = yaml.safe_load(example.inventory.read_text())
    counts = {kind: planned["counts"].get(kind, 0) for kind in inventory.get("counts", {})}
    problems = [
        *find_differences(inventory.get("counts", {}), counts, "counts"),
        *find_differences(inventory.get("values", {}), planned["values"], "values"),
        *find_differences(inventory.get("outputs", {}), planned["outputs"], "outputs"),
    ]
    assert not problems, "\n".join([*problems, hint])
