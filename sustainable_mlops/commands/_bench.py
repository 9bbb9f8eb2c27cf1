"""What `smlops bench` measures with: plans of any size, and the time and memory of a program."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT


def plan_of(size: int, base: dict[str, Any]) -> dict[str, Any]:
    """A plan of `size` resources: those of `base`'s root module again and again, each copy in a module of its own."""
    plan = {name: value for name, value in base.items() if name not in ("planned_values", "resource_changes", "checks")}
    changes = [
        change for change in base["resource_changes"] if change["mode"] == "managed" and "module_address" not in change
    ]
    values = {item["address"]: item for item in _resources(base["planned_values"]["root_module"])}
    modules: list[dict[str, Any]] = []
    copies: list[dict[str, Any]] = []
    for number in range(size):
        copy, change = divmod(number, len(changes))
        if change == 0:
            modules.append({"address": f"module.copy{copy}", "resources": []})
        source = changes[change]
        address = f"module.copy{copy}.{source['address']}"
        copies.append({**source, "address": address, "module_address": f"module.copy{copy}"})
        if source["address"] in values:
            modules[-1]["resources"].append({**values[source["address"]], "address": address})
    called = base["configuration"]["root_module"]
    plan["configuration"] = {
        **base["configuration"],
        "root_module": {
            "module_calls": {
                module["address"].partition(".")[2]: {"source": "./copy", "module": called} for module in modules
            }
        },
    }
    plan["prior_state"] = {"format_version": "1.0", "terraform_version": base["terraform_version"]}
    plan["planned_values"] = {"root_module": {"child_modules": modules}}
    plan["resource_changes"] = copies
    return plan


def _resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [item for child in module.get("child_modules", []) for item in _resources(child)]
    return [item for item in module.get("resources", []) if item["mode"] == "managed"] + inner


def measured(*command: str | Path) -> tuple[float, int]:
    """Seconds and peak memory (MB) of a program, start included. Raises UserError where it cannot do its work."""
    begin = time.monotonic()
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        errors = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: a gate or a check failed, as it may
        raise UserError(f"{command[1]}: {errors.strip()}")
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return time.monotonic() - begin, usage.ru_maxrss // unit


def best(rounds: int, *command: str | Path) -> tuple[float, int]:
    """The fastest of some runs."""
    return min(measured(*command) for _ in range(rounds))
