"""Comparison of the search of `tune.yaml` with a full grid over the same ranges, on the sandbox, with fixed seeds.

Run it with `.venv/bin/python -m tests.workloads.flight_delay.grid`; it takes about a quarter of an hour on two
processors. It prints results and durations. It exits with 1 if the search is more than 1 % below the grid's best AUC,
or needs more than a quarter of the grid's training seconds.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base import cli
from sustainable_mlops.base.program import run
from sustainable_mlops.base.terraform import ROOT
from tests.workloads.flight_delay.sandbox_platform import launch_job, make_platform

WORKLOAD = ROOT / "workloads" / "flight_delay"
#: Values at equal distances over the ranges of tune.yaml, on their scales, including the ends.
GRID: dict[str, list[Any]] = {
    "max_depth": [2, 4, 7, 10],
    "eta": [0.01, 0.05, 0.16, 0.5],
    "min_child_weight": [1, 30, 1000],
}
MAX_DISTANCE, MAX_SHARE = 0.01, 0.25

app = cli.create_app()


@app.command(no_args_is_help=False)
def main(as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False) -> None:
    """Compare the search of tune.yaml with a full grid."""
    with TemporaryDirectory() as folder, Sandbox.start(log=Path(folder) / "sandbox.log") as sandbox:
        data = Path(folder) / "data"
        subprocess.run([sys.executable, WORKLOAD / "prepare.py", "--out", data], check=True, stdout=subprocess.DEVNULL)
        make_platform(sandbox, "dev", data)
        grid = Path(folder) / "grid.yaml"
        grid.write_text(yaml.safe_dump(make_grid(WORKLOAD / "tune.yaml", GRID)))
        records = {
            name: launch_job(sandbox, "tune", file, Path(folder) / "out")
            for name, file in (("search", WORKLOAD / "tune.yaml"), ("grid", grid))
        }
    figures = {name: summarize_tuning(record) for name, record in records.items()}
    distance = 1 - figures["search"]["auc"] / figures["grid"]["auc"]
    share = figures["search"]["seconds"] / figures["grid"]["seconds"]
    if as_json:
        print(json.dumps({**figures, "distance": distance, "share": share}, indent=2))
    else:
        cli.make_stdout_console().print(make_table(figures))
        print(f"the search is {distance:.2%} from the grid's best AUC, for {share:.1%} of its training seconds")
    if distance > MAX_DISTANCE or share > MAX_SHARE:
        raise typer.Exit(1)


def make_grid(tuning: Path, values: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the document at `tuning` as a grid over `values`, without early stopping."""
    document = yaml.safe_load(tuning.read_text())
    return {
        **{key: document[key] for key in ("name", "objective")},
        "training": str(tuning.parent / document["training"]),
        "ranges": {name: {"type": "categorical", "values": grid_values} for name, grid_values in values.items()},
        "strategy": "grid",
        "early_stopping": "off",
        "limits": {"max_parallel": 1, "max_runtime_minutes": document["limits"]["max_runtime_minutes"]},
    }


def summarize_tuning(record: dict[str, Any]) -> dict[str, Any]:
    """Return the best validation AUC of a tuning, its jobs, its stopped jobs, and the training seconds."""
    best = next(trial for trial in record["trials"] if trial["job_name"] == record["best"])
    return {
        "auc": best["objective"],
        "best": best["hyperparameters"],
        "jobs": len(record["trials"]),
        "stopped_early": sum(trial["status"] == "Stopped" for trial in record["trials"]),
        "seconds": record["figures"]["training_seconds"]["value"],
    }


def make_table(figures: dict[str, dict[str, Any]]) -> Table:
    """Return a table with one row per tuning."""
    table = Table("", "jobs", "stopped early", "training s", "best AUC", "with")
    for name, figure in figures.items():
        best = ", ".join(f"{key}={value}" for key, value in figure["best"].items())
        table.add_row(
            name,
            str(figure["jobs"]),
            str(figure["stopped_early"]),
            f"{figure['seconds']:g}",
            f"{figure['auc']:.4f}",
            best,
        )
    return table


if __name__ == "__main__":
    run(app)
