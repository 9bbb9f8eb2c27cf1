"""The examples in the modules' READMEs, as root modules that Terraform can run."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sustainable_mlops.terraform import ROOT, find_engine, lock_file, make_environment
from tests.driver import Driver
from tests.renewal import renew

_PLAN = "tfplan"
#: What a module reads of its folder beside its HCL.
BESIDE = ("*.csv", "*.tftpl")
_JOBS = re.compile("/aws/sagemaker/\\w+Jobs")
_BLOCK = re.compile(r"^```hcl (?P<case>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_ROLE = re.compile(r"arn:aws:iam::123456789012:role/([\w+=,.@-]+)")
_SOURCE = re.compile(r'^(?P<indent> *)source\s*=\s*"\./modules/(?P<module>\w+)"\n', re.M)


@dataclass(frozen=True)
class Example:
    """One fenced block of a README: a consumer's whole root module, but for the provider."""

    module: str
    case: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}-{self.case}"

    @property
    def inventory(self) -> Path:
        return ROOT / "tests" / "modules" / self.module / f"{self.case}.yaml"

    @property
    def roles(self) -> list[str]:
        """The names of the roles that it takes as given."""
        return sorted(set(_ROLE.findall(self.text)))

    def write(self, folder: Path, modules: dict[str, Any] | None = None) -> None:
        """Lay the example out in `folder` beside the committed modules, or beside `modules` in JSON syntax."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.tf").write_text(self.text)
        if modules is None:
            (folder / "modules").symlink_to(ROOT / "modules")
            return
        for name, body in modules.items():
            (folder / "modules" / name).mkdir(parents=True)
            (folder / "modules" / name / "main.tf.json").write_text(json.dumps(body))
            for beside in (file for ending in BESIDE for file in (ROOT / "modules" / name).glob(ending)):
                (folder / "modules" / name / beside.name).write_text(beside.read_text())

    def unprotected(self, protected: set[str]) -> str:
        """The same root module with `deletion_protection = false` for each module of `protected` that it calls."""

        def turn_off(source: re.Match[str]) -> str:
            if source["module"] not in protected:
                return source[0]
            return f"{source[0]}{source['indent']}deletion_protection = false\n"

        text = re.sub(r"^ *deletion_protection *=.*\n", "", self.text, flags=re.M)
        return _SOURCE.sub(turn_off, text)


def examples() -> list[Example]:
    """Every example of every module, by module and in the README's order."""
    return [
        Example(page.parent.name, block["case"], block["text"])
        for page in sorted(ROOT.glob("modules/*/README.md"))
        for block in _BLOCK.finditer(page.read_text())
    ]


def addresses_file(module: str) -> Path:
    """Where the addresses that a module has ever had, and its users with it, are listed."""
    return ROOT / "tests" / "modules" / module / "addresses.yaml"


def addresses(body: dict[str, Any]) -> set[str]:
    """Every managed resource of a module in JSON syntax."""
    return {f"{kind}.{name}" for kind, named in body["resource"].items() for name in named}


def terraform(folder: Path, variables: dict[str, str]) -> Any:
    """A driver for a folder, initialised with the shared lock file (so that tests may run at the same time)."""
    shutil.copy(lock_file(), folder)
    driver = Driver(str(folder), binary=find_engine().path, env=make_environment(variables))
    driver.init()
    return driver


def plan(driver: Any) -> dict[str, Any]:
    """The driver's plan as Terraform's JSON; `apply` applies it."""
    driver.execute_command("plan", f"-out={_PLAN}")
    whole: dict[str, Any] = json.loads(driver.execute_command("show", "-json", _PLAN).out)
    return whole


def apply(driver: Any) -> None:
    """Apply what was planned last."""
    driver.execute_command("apply", _PLAN)


def left(before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]) -> list[str]:
    """What there is that was not there before, but for jobs and their log groups: Terraform makes none of them, and one
    of another test may still be under way."""
    return [
        f"{kind} {name}"
        for service, kinds in after.items()
        for kind, names in kinds.items()
        for name in names
        if name not in before.get(service, {}).get(kind, ()) and not kind.endswith("-job") and not _JOBS.fullmatch(name)
    ]


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where `found` lacks what `wanted` says: dicts as subsets, lists whole, everything else equal."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            difference
            for key, value in wanted.items()
            for difference in (
                differences(value, found[key], f"{path}.{key}") if key in found else [f"{path}.{key}: is missing"]
            )
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            d for i, (w, f) in enumerate(zip(wanted, found, strict=True)) for d in differences(w, f, f"{path}[{i}]")
        ]
    return [] if wanted == found else [f"{path}: wanted {wanted!r}, found {found!r}"]


def renewed(wanted: Any, found: Any) -> Any:
    """What `wanted` speaks of, as it is in `found`; what is not there any more is left out."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: renewed(value, found[key]) for key, value in wanted.items() if key in found}
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [renewed(w, f) for w, f in zip(wanted, found, strict=True)]
    return found


def summary(plan: dict[str, Any]) -> dict[str, Any]:
    """What an inventory may speak of: counts by type, planned values by address, and outputs that are known."""
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
    """Hold a plan to the example's inventory; a failure says where it differs and what to run to write it anew."""
    found = summary(plan)
    hint = renew(f".venv/bin/python -m tests.modules.renew {example}")
    assert example.inventory.is_file(), f"there is no {example.inventory.relative_to(ROOT)}\n{hint}"
    wanted = yaml.safe_load(example.inventory.read_text())
    counts = {kind: found["counts"].get(kind, 0) for kind in wanted.get("counts", {})}
    problems = [
        *differences(wanted.get("counts", {}), counts, "counts"),
        *differences(wanted.get("values", {}), found["values"], "values"),
        *differences(wanted.get("outputs", {}), found["outputs"], "outputs"),
    ]
    assert not problems, "\n".join([*problems, hint])
