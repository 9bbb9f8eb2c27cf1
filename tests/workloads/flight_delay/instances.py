"""The training of `job.yaml` on one and on two instances, on the sandbox.

Run it with `.venv/bin/python -m tests.workloads.flight_delay.instances`; it takes a few minutes on two processors. It
prints the AUCs and durations. It exits with 1 if an AUC of two instances differs from that of one by more than
TOLERANCE. The instances share this computer's processors, so they do not save time here as on AWS.
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
#: Maximum difference of an AUC. Several hosts merge their quantile sketches, so trees split at other values.
TOLERANCE = 0.002

app = cli.create_app()


@app.command(no_args_is_help=False)
def main(as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False) -> None:
    """Train job.yaml on one and on two instances."""
    with TemporaryDirectory() as folder, Sandbox.start(log=Path(folder) / "sandbox.log") as sandbox:
        make_platform(sandbox, "dev", prepare_by_month(Path(folder)))
        figures = {}
        for count in (1, 2):
            file = Path(folder) / f"on-{count}.yaml"
            file.write_text(yaml.safe_dump(make_job(count)))
            figures[count] = summarize_training(launch_job(sandbox, "train", file, Path(folder) / "out"))
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        cli.make_stdout_console().print(make_table(figures))
    distances = {name: abs(figures[2][name] - figures[1][name]) for name in ("validation:auc", "test:auc")}
    if max(distances.values()) > TOLERANCE:
        raise typer.Exit(1)


def prepare_by_month(folder: Path) -> Path:
    """Return the data set with one file per month, so that it can be sharded."""
    raw, data = folder / "raw", folder / "data"
    scripts: list[tuple[str, dict[str, Path]]]
    scripts = [("raw.py", {"--out": raw}), ("prepare.py", {"--source": raw, "--out": data})]
    for script, folders in scripts:
        command = [
            sys.executable,
            str(WORKLOAD / script),
            *(str(part) for option in folders.items() for part in option),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return data


def make_job(count: int, **changes: Any) -> dict[str, Any]:
    """Return the document of job.yaml for `count` instances; `changes` replace hyperparameters."""
    job: dict[str, Any] = yaml.safe_load((WORKLOAD / "job.yaml").read_text())
    job["source"]["directory"] = str(WORKLOAD)
    job["compute"]["instance_count"] = count
    job["hyperparameters"] |= changes
    return job | ({"sharding": {"train": "by_key"}} if count > 1 else {})


def summarize_training(record: dict[str, Any]) -> dict[str, float]:
    """Return the AUCs, seconds and kgCO2e of a training."""
    figures = {name: record["figures"][name] for name in ("training_seconds", "billable_seconds", "co2e")}
    return {
        **{name: record["metrics"][name] for name in ("validation:auc", "test:auc")},
        **{name: figure["value"] for name, figure in figures.items()},
    }


def make_table(figures: dict[int, dict[str, float]]) -> Table:
    """Return a table with one row per number of instances."""
    table = Table("instances", "validation AUC", "test AUC", "training s", "billable s", "kgCO2e")
    for count, figure in figures.items():
        auc = [f"{figure[name]:.4f}" for name in ("validation:auc", "test:auc")]
        seconds = [f"{figure[name]:g}" for name in ("training_seconds", "billable_seconds")]
        table.add_row(str(count), *auc, *seconds, f"{figure['co2e']:.3g}")
    return table


if __name__ == "__main__":
    run(app)
