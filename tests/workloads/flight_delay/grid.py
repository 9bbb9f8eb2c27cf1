"""The search of `tune.yaml` beside a full grid over the same ranges, both on the sandbox, seeds fixed.

Run it with `.venv/bin/python -m tests.workloads.flight_delay.grid`; on two processors it takes about a quarter of an
hour. It prints what each found and took, and ends with 1 where the search is further than 1 % from the grid's best AUC
or takes more than a quarter of its training seconds.
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
from sustainable_mlops import cli
from sustainable_mlops.program import run
from sustainable_mlops.terraform import ROOT
from tests.workloads.flight_delay.on_the_sandbox import launched, make_platform

WORKLOAD = ROOT / "workloads" / "flight_delay"
#: Evenly over the ranges of tune.yaml, on their scales, ends included.
GRID: dict[str, list[Any]] = {
    "max_depth": [2, 4, 7, 10],
    "eta": [0.01, 0.05, 0.16, 0.5],
    "min_child_weight": [1, 30, 1000],
}
NEAR, SHARE = 0.01, 0.25

app = cli.app()


@app.command(no_args_is_help=False)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """The search of tune.yaml beside a full grid."""
    with TemporaryDirectory() as folder, Sandbox.start(log=Path(folder) / "sandbox.log") as sandbox:
        data = Path(folder) / "data"
        subprocess.run([sys.executable, WORKLOAD / "prepare.py", "--out", data], check=True, stdout=subprocess.DEVNULL)
        make_platform(sandbox, "dev", data)
        grid = Path(folder) / "grid.yaml"
        grid.write_text(yaml.safe_dump(as_grid(WORKLOAD / "tune.yaml", GRID)))
        found = {
            name: launched(sandbox, "tune", file, Path(folder) / "out")
            for name, file in (("search", WORKLOAD / "tune.yaml"), ("grid", grid))
        }
    figures = {name: summary(record) for name, record in found.items()}
    distance = 1 - figures["search"]["auc"] / figures["grid"]["auc"]
    share = figures["search"]["seconds"] / figures["grid"]["seconds"]
    if as_json:
        print(json.dumps({**figures, "distance": distance, "share": share}, indent=2))
    else:
        cli.stdout().print(table(figures))
        print(f"the search is {distance:.2%} from the grid's best AUC, for {share:.1%} of its training seconds")
    if distance > NEAR or share > SHARE:
        raise typer.Exit(1)


def as_grid(tuning: Path, values: dict[str, list[Any]]) -> dict[str, Any]:
    """The document at `tuning` as a grid over `values`, every job run to its end."""
    document = yaml.safe_load(tuning.read_text())
    return {
        **{key: document[key] for key in ("name", "objective")},
        "training": str(tuning.parent / document["training"]),
        "ranges": {name: {"type": "categorical", "values": tried} for name, tried in values.items()},
        "strategy": "grid",
        "early_stopping": "off",
        "limits": {"max_parallel": 1, "max_runtime_minutes": document["limits"]["max_runtime_minutes"]},
    }


def summary(record: dict[str, Any]) -> dict[str, Any]:
    """Of a tuning: the best validation AUC, the jobs, those stopped early, and the training seconds of all."""
    best = next(trial for trial in record["trials"] if trial["job_name"] == record["best"])
    return {
        "auc": best["objective"],
        "best": best["hyperparameters"],
        "jobs": len(record["trials"]),
        "stopped_early": sum(trial["status"] == "Stopped" for trial in record["trials"]),
        "seconds": record["figures"]["training_seconds"]["value"],
    }


def table(figures: dict[str, dict[str, Any]]) -> Table:
    """A row a tuning."""
    shown = Table("", "jobs", "stopped early", "training s", "best AUC", "with")
    for name, of in figures.items():
        best = ", ".join(f"{key}={value}" for key, value in of["best"].items())
        shown.add_row(name, str(of["jobs"]), str(of["stopped_early"]), f"{of['seconds']:g}", f"{of['auc']:.4f}", best)
    return shown


if __name__ == "__main__":
    run(app)
