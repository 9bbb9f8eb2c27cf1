"""Time and memory of synthesis and review beside plain checkov in one run, or the estimates beside measurements.

- `python -m tools.bench`: 46, 1,000 and 5,000 resources
- `python -m tools.bench --size 200 --rounds 1 --json`
- `python -m tools.bench --figures`: errors of the estimates by kind, on measurements used for fitting and on others
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from sustainable_mlops.base import cli, program
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

app = cli.create_app()
SIZES = (46, 1000, 5000)
BASE = ROOT / "tests" / "plan" / "fixtures" / "platform.json"
SMLOPS = (sys.executable, "-m", "sustainable_mlops")


class Measurement(NamedTuple):
    """Seconds and peak memory (MB) of one run of a program."""

    seconds: float
    memory: int


@app.command(help=__doc__)
def bench(
    size: Annotated[list[int] | None, typer.Option(help="Resources in a plan; repeatable.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each program; the fastest counts.")] = 3,
    base: Annotated[
        Path, typer.Option(help="The plan whose resources are multiplied.", show_default="that of the tests")
    ] = BASE,
    figures: Annotated[
        bool, typer.Option("--figures", help="Compare the estimates with measurements; measure no times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure programs, or compare estimates with measurements."""
    if figures:
        print_figures(as_json)
        return
    cli.require("bench", "authoring")
    print_times(size or SIZES, rounds, base, as_json)


def print_times(sizes: Iterable[int], rounds: int, base: Path, as_json: bool) -> None:
    """Print the fastest run of each program, as a table or as JSON."""
    from sustainable_mlops.review.checkov import PROGRAM

    (synthesis,) = find_fastest(rounds, (*SMLOPS, "synth", "--check"))
    rows = [make_row("synthesis, unchanged", synthesis, None)]
    whole = json.loads(base.read_text())
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes:
            file = Path(folder) / f"{count}.json"
            file.write_text(json.dumps(multiply_plan(count, whole)))
            options = ("--framework", "terraform_plan", "--skip-download", "-o", "json")
            with cli.console.status(f"{count} resources"):
                checkov, review, both = find_fastest(
                    rounds,
                    (PROGRAM, "-f", file, *options),
                    (*SMLOPS, "review", file),
                    (*SMLOPS, "review", file, "--checkov"),
                )
            rows.append(make_row(f"plain checkov, {count} resources", checkov, checkov))
            rows.append(make_row(f"review, {count} resources", review, checkov))
            rows.append(make_row(f"review --checkov, {count} resources", both, checkov))
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("program", "seconds", "of plain checkov", "peak MB", title=f"fastest of {rounds}, start included")
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        table.add_row(row["program"], f"{row['seconds']:.2f}", ratio, str(row["peak_mb"]))
    cli.console.print(table)


def print_figures(as_json: bool) -> None:
    """Print the errors of the estimates by kind; JSON lists every case too."""
    from tools import footprint_validation

    summaries = footprint_validation.summarize_errors()
    if as_json:
        cases = [
            asdict(case) | {"error": case.error, "inside": case.is_inside} for case in footprint_validation.list_cases()
        ]
        print(json.dumps({"errors": [asdict(summary) for summary in summaries], "cases": cases}, indent=2))
        return
    table = Table("kind", "fitted", "cases", "median error", "bias", "in the interval", "interval, high / low")
    for summary in summaries:
        errors = summary.errors
        shares = (
            f"{errors.median_error:.0%}",
            f"{errors.bias:+.0%}",
            f"{errors.coverage:.0%}",
            f"{errors.width:.2f}",
        )
        table.add_row(summary.kind, "yes" if summary.is_fitted else "no", str(errors.cases), *shares)
    cli.console.print(table)


def make_row(title: str, fastest: Measurement, checkov: Measurement | None) -> dict[str, Any]:
    """Return one row of the table; `checkov` is the measurement that the ratio divides by."""
    ratio = fastest.seconds / checkov.seconds if checkov else None
    return {"program": title, "seconds": round(fastest.seconds, 3), "ratio": ratio, "peak_mb": fastest.memory}


def multiply_plan(size: int, base: dict[str, Any]) -> dict[str, Any]:
    """Return a plan of `size` resources: copies of the root module's resources, each copy in its own module."""
    plan = {name: value for name, value in base.items() if name not in ("planned_values", "resource_changes", "checks")}
    changes = [
        change for change in base["resource_changes"] if change["mode"] == "managed" and "module_address" not in change
    ]
    values = {item["address"]: item for item in list_resources(base["planned_values"]["root_module"])}
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
    root_module = base["configuration"]["root_module"]
    plan["configuration"] = {
        **base["configuration"],
        "root_module": {
            "module_calls": {
                module["address"].partition(".")[2]: {"source": "./copy", "module": root_module} for module in modules
            }
        },
    }
    plan["prior_state"] = {"format_version": "1.0", "terraform_version": base["terraform_version"]}
    plan["planned_values"] = {"root_module": {"child_modules": modules}}
    plan["resource_changes"] = copies
    return plan


def list_resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the managed resources of a module and of the modules below it."""
    inner = [item for child in module.get("child_modules", []) for item in list_resources(child)]
    return [item for item in module.get("resources", []) if item["mode"] == "managed"] + inner


def measure(*command: str | Path) -> Measurement:
    """Run a program and return its time and memory, start included. Raises UserError if it fails to do its work."""
    begin = time.monotonic()
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        errors = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: a gate or a check failed, which is a valid result
        raise UserError(f"{command[1]}: {errors.strip()}")
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return Measurement(time.monotonic() - begin, usage.ru_maxrss // unit)


def find_fastest(rounds: int, *commands: tuple[str | Path, ...]) -> list[Measurement]:
    """Return the measurement of the fastest run of each program.

    The programs run in turn: the speed of a shared computer changes within seconds, and ratios must not show it.
    """
    return [min(runs) for runs in zip(*([measure(*one) for one in commands] for _ in range(rounds)), strict=True)]


if __name__ == "__main__":
    program.run(app)
