"""The training of `job.yaml` on managed spot, interrupted at random moments, beside one that was left alone.

Run it with `.venv/bin/python -m tests.workloads.flight_delay.interruptions`; twenty take a quarter of an hour on two
processors, on five months of the flights. Every other one is abrupt: the script dies where it stands, as in a container
whose first process passes no SIGTERM on. It ends with 1 where a model differs, more than a checkpoint's interval was
done again, or the record says otherwise of the saving than the sandbox's log of the job's lives.
"""

import json
import math
import random
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.runtime.endings import Timing
from sustainable_mlops import cli
from sustainable_mlops.catalogue import tables
from sustainable_mlops.program import run
from tests.workloads.flight_delay.instances import WORKLOAD, on_instances, prepared_by_month
from tests.workloads.flight_delay.on_the_sandbox import launched, make_platform, model_files

#: The script without its handler of SIGTERM.
ABRUPT = "import signal\n\nimport train\n\nsignal.signal = lambda *_: None\ntrain.main()\n"
ROUNDS, EVERY = 160, 40
MONTHS = ("2013-01", "2013-02", "2013-03", "2013-09", "2013-11")

app = cli.app()


@app.command(no_args_is_help=False)
def main(
    points: Annotated[int, typer.Option(min=1, help="Interruptions.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 13,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """The training of job.yaml, interrupted at random moments."""
    with TemporaryDirectory() as folder, Sandbox.start(log=Path(folder) / "sandbox.log") as sandbox:
        data = prepared_by_month(Path(folder))
        for file in data.glob("*/*.parquet"):
            if file.stem not in MONTHS:
                file.unlink()
        parameter = make_platform(sandbox, "dev", data)
        bench = Bench(sandbox, Path(folder), parameter, {"num_round": ROUNDS, "checkpoint_every": EVERY})
        found = bench.interrupted(points, random.Random(seed))  # noqa: S311 - a seed, so that it can be repeated
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        cli.stdout().print(table(found))
    if not all(one["equal"] and one["saving_right"] and one["redone"] <= EVERY for one in found):
        raise typer.Exit(1)


class Bench:
    """Trainings of one run on a platform of the sandbox; `changes` replace hyperparameters."""

    def __init__(self, sandbox: Any, folder: Path, parameter: str, changes: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self._out = folder / "out"
        self._files = {}
        self._name = f"spot-{folder.name.strip('_').replace('_', '-')}"[:30].strip("-")
        for abrupt in (False, True):
            job = on_instances(1, eval_every=1, **changes) | {"platform": parameter, "name": self._name}
            if abrupt:
                code = folder / "abrupt"
                code.mkdir()
                for name in job["source"]["include"]:
                    shutil.copy(WORKLOAD / name, code)
                (code / "abrupt.py").write_text(ABRUPT)
                include = [*job["source"]["include"], "abrupt.py"]
                job["source"] = {"directory": str(code), "entry_point": "abrupt.py", "include": include}
            self._files[abrupt] = folder / f"{'abrupt' if abrupt else 'told'}.yaml"
            self._files[abrupt].write_text(yaml.safe_dump(job))

    def interrupted(self, points: int, chance: random.Random) -> list[dict[str, Any]]:
        """What came of so many interruptions; a moment when the training had already ended is drawn anew."""
        alone = self._train(abrupt=False)
        model = model_files(self._sandbox, alone)
        # The sandbox looks at the checkpoints so often, and each time finds the record of lives changed.
        most = int(lives(self._sandbox, alone["job_name"])[0]["boosting"] / Timing().poll)
        found: list[dict[str, Any]] = []
        while len(found) < points:
            abrupt, uploads = len(found) % 2 == 1, chance.randint(1, max(1, most))
            record = self._train(abrupt=abrupt, uploads=uploads)
            if record["interruptions"]:
                equal = model_files(self._sandbox, record) == model
                found.append({"abrupt": abrupt, "uploads": uploads, "equal": equal, **self._judged(record)})
        return found

    def _train(self, *, abrupt: bool, uploads: int | None = None) -> dict[str, Any]:
        if uploads is not None:
            how = {"error": "SpotInterruption", "after_checkpoints": uploads, "resource": self._name}
            self._sandbox.fault("CreateTrainingJob", **how)
        try:
            return launched(self._sandbox, "train", self._files[abrupt], self._out, "--force")
        finally:
            self._sandbox.clear_faults()

    def _judged(self, record: dict[str, Any]) -> dict[str, Any]:
        """The rounds done again, by the log, and whether the saving is what the lives make of it."""
        first, second = lives(self._sandbox, record["job_name"])
        figures = {name: figure["value"] for name, figure in record["figures"].items()}
        training, billable = figures["training_seconds"], figures["billable_seconds"]
        paid = (first["seconds"] + second["seconds"]) * (1 - spot_discount())
        whole = second["ended"] - first["began"]
        return {
            "interrupted_at": first["to"],
            "resumed_from": second["from"],
            "redone": first["to"] - second["from"],
            "training_seconds": training,
            "billable_seconds": billable,
            "saving": figures["spot_saving_fraction"],
            # SageMaker tells whole seconds, rounded up.
            "saving_right": figures["spot_saving_fraction"] == 1 - billable / training
            and abs(math.ceil(whole) - training) <= 1
            and abs(math.ceil(paid) - billable) <= 1,
        }


def spot_discount() -> float:
    """The one that the sandbox bills by."""
    return next(float(row["value"]) for row in tables.read_rows("assumptions") if row["key"] == "spot_discount")


def lives(sandbox: Any, job: str) -> list[dict[str, Any]]:
    """Of each life of a job: from and to which round it came, by its log, and its times in seconds."""
    logs, group = sandbox.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    found: list[dict[str, Any]] = []
    for stream in sorted(one["logStreamName"] for one in streams):
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        text = "\n".join(event["message"] for event in events)
        begun = int(re.findall(r"resumed_from_round=(\d+);", text)[0])
        rounds = [int(number) for number in re.findall(r"^round=(\d+);", text, re.MULTILINE)]
        boosted = [event["timestamp"] / 1000 for event in events if "round=" in event["message"]]
        found.append({"from": begun, "to": max(rounds, default=begun), "boosting": boosted[-1] - boosted[0]})
    transitions = sandbox.client("sagemaker").describe_training_job(TrainingJobName=job)["SecondaryStatusTransitions"]
    times = {
        status: [one["StartTime"].timestamp() for one in transitions if one["Status"] in status]
        for status in (("Downloading",), ("Interrupted", "Completed"))
    }
    for life, began, ended in zip(found, *times.values(), strict=True):
        life |= {"began": began, "ended": ended, "seconds": ended - began}
    return found


def table(found: list[dict[str, Any]]) -> Table:
    """A row an interruption."""
    shown = Table("", "interrupted at", "resumed from", "redone", "model equal", "training s", "billable s", "saving")
    for one in found:
        rounds = [str(one[name]) for name in ("interrupted_at", "resumed_from", "redone")]
        seconds = [f"{one[name]:g}" for name in ("training_seconds", "billable_seconds")]
        saving = f"{one['saving']:.1%}{'' if one['saving_right'] else ', wrong'}"
        equal = "yes" if one["equal"] else "no"
        shown.add_row("abrupt" if one["abrupt"] else "told", *rounds, equal, *seconds, saving)
    return shown


if __name__ == "__main__":
    run(app)
