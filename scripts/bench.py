#!/usr/bin/env python3
"""Time and memory of synthesis and review beside plain checkov; or the estimates beside measurements."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from sustainable_mlops import cli
from sustainable_mlops.checkov import PROGRAM
from sustainable_mlops.terraform import ROOT

app = cli.app("bench", __doc__)
SIZES = (46, 1000, 5000)
BASE = ROOT / "tests" / "plan" / "fixtures" / "platform.json"


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
    """Seconds and peak memory (MB) of a program, start included. Raises SystemExit where it cannot do its work."""
    begin = time.monotonic()
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        errors = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: a gate or a check failed, as it may
        sys.exit(f"{command[1]}: {errors.strip()}")
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return time.monotonic() - begin, usage.ru_maxrss // unit


def best(rounds: int, *command: str | Path) -> tuple[float, int]:
    """The fastest of some runs."""
    return min(measured(*command) for _ in range(rounds))


@app.command()
def main(
    size: Annotated[list[int] | None, typer.Option(help="Resources in a plan; may be given again.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each, of which the fastest counts.")] = 3,
    base: Annotated[Path, typer.Option(help="The plan whose resources are multiplied.")] = BASE,
    figures: Annotated[
        bool, typer.Option("--figures", help="The estimates beside measurements, and no times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time and memory of synthesis and review beside plain checkov in one run, or the estimates beside measurements.

    - `scripts/bench.py`: 46, 1,000 and 5,000 resources
    - `scripts/bench.py --size 200 --rounds 1 --json`
    - `scripts/bench.py --figures`: errors of the estimates by kind, on measurements that were fitted and that were not
    """
    if figures:
        _figures(as_json)
        return
    rows = [_row("synthesis, unchanged", best(rounds, sys.executable, ROOT / "scripts" / "synth.py", "--check"), None)]
    whole = json.loads(base.read_text())
    with tempfile.TemporaryDirectory() as folder:
        for count in size or SIZES:
            file = Path(folder) / f"{count}.json"
            file.write_text(json.dumps(plan_of(count, whole)))
            review = ROOT / "scripts" / "review_plan.py"
            alone = ("--framework", "terraform_plan", "--skip-download", "-o", "json")
            with cli.console.status(f"{count} resources"):
                plain = best(rounds, PROGRAM, "-f", file, *alone)
                rows.append(_row(f"plain checkov, {count} resources", plain, plain))
                rows.append(_row(f"review, {count} resources", best(rounds, sys.executable, review, file), plain))
                beside = best(rounds, sys.executable, review, file, "--checkov")
                rows.append(_row(f"review --checkov, {count} resources", beside, plain))
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("what", "seconds", "of plain checkov", "peak MB", title=f"fastest of {rounds}, start included")
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        table.add_row(row["what"], f"{row['seconds']:.2f}", ratio, str(row["peak_mb"]))
    cli.console.print(table)


def _figures(as_json: bool) -> None:
    """The errors of the estimates by kind; as JSON, every case too."""
    from sustainable_mlops.footprint import validation

    summaries = validation.summaries()
    if as_json:
        cases = [asdict(case) | {"error": case.error, "inside": case.inside} for case in validation.cases()]
        print(json.dumps({"errors": [asdict(one) for one in summaries], "cases": cases}, indent=2))
        return
    table = Table("kind", "fitted", "cases", "median error", "bias", "in the range", "range, high / low")
    for one in summaries:
        e = one.errors
        shares = (f"{e.median_error:.0%}", f"{e.bias:+.0%}", f"{e.coverage:.0%}", f"{e.width:.2f}")
        table.add_row(one.kind, "yes" if one.fitted else "no", str(e.cases), *shares)
    cli.console.print(table)


def _row(what: str, found: tuple[float, int], plain: tuple[float, int] | None) -> dict[str, Any]:
    seconds, memory = found
    ratio = seconds / plain[0] if plain else None
    return {"what": what, "seconds": round(seconds, 3), "ratio": ratio, "peak_mb": memory}


if __name__ == "__main__":
    cli.run(app)
