"""The training of `job.yaml` on one instance and on two, both on the sandbox.

Run it with `.venv/bin/python -m tests.workloads.flight_delay.instances`; on two processors it takes a few minutes. It
prints what each came to and took, and ends with 1 where an AUC of two instances is further than TOLERANCE from that of
one. The instances share this machine's processors: what two save in time on AWS does not show here.
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
#: Of an AUC. Several hosts merge their sketches of the quantiles, so that the trees split at other values.
TOLERANCE = 0.002

app = cli.app()


@app.command(no_args_is_help=False)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """The training of job.yaml on one instance and on two."""
    with TemporaryDirectory() as folder, Sandbox.start(log=Path(folder) / "sandbox.log") as sandbox:
        make_platform(sandbox, "dev", prepared_by_month(Path(folder)))
        figures = {}
        for count in (1, 2):
            file = Path(folder) / f"on-{count}.yaml"
            file.write_text(yaml.safe_dump(on_instances(count)))
            figures[count] = summary(launched(sandbox, "train", file, Path(folder) / "out"))
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        cli.stdout().print(table(figures))
    distances = {name: abs(figures[2][name] - figures[1][name]) for name in ("validation:auc", "test:auc")}
    if max(distances.values()) > TOLERANCE:
        raise typer.Exit(1)


def prepared_by_month(folder: Path) -> Path:
    """The data set with a file a month, so that there is something to deal out."""
    raw, data = folder / "raw", folder / "data"
    made: list[tuple[str, dict[str, Path]]]
    made = [("raw.py", {"--out": raw}), ("prepare.py", {"--source": raw, "--out": data})]
    for script, folders in made:
        command = [
            sys.executable,
            str(WORKLOAD / script),
            *(str(part) for option in folders.items() for part in option),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return data


def on_instances(count: int, **changes: Any) -> dict[str, Any]:
    """The document of job.yaml for so many instances; `changes` replace hyperparameters."""
    job: dict[str, Any] = yaml.safe_load((WORKLOAD / "job.yaml").read_text())
    job["source"]["directory"] = str(WORKLOAD)
    job["compute"]["instance_count"] = count
    job["hyperparameters"] |= changes
    return job | ({"sharding": {"train": "by_key"}} if count > 1 else {})


def summary(record: dict[str, Any]) -> dict[str, float]:
    """Of a training: its areas under the curve, seconds, and kilograms."""
    figures = {name: record["figures"][name] for name in ("training_seconds", "billable_seconds", "co2e")}
    return {
        **{name: record["metrics"][name] for name in ("validation:auc", "test:auc")},
        **{name: figure["value"] for name, figure in figures.items()},
    }


def table(figures: dict[int, dict[str, float]]) -> Table:
    """A row a number of instances."""
    shown = Table("instances", "validation AUC", "test AUC", "training s", "billable s", "kgCO2e")
    for count, of in figures.items():
        auc = [f"{of[name]:.4f}" for name in ("validation:auc", "test:auc")]
        seconds = [f"{of[name]:g}" for name in ("training_seconds", "billable_seconds")]
        shown.add_row(str(count), *auc, *seconds, f"{of['co2e']:.3g}")
    return shown


if __name__ == "__main__":
    run(app)
