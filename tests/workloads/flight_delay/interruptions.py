"""The training of `job.yaml` on managed spot, interrupted at random moments, compared with an uninterrupted one.

Run it with `.venv/bin/python -m tests.workloads.flight_delay.interruptions`; twenty interruptions take a quarter of an
hour on two processors, with five months of flights. Every second interruption is abrupt: the script ends without
SIGTERM, as in a container whose first process does not forward it. The script exits with 1 if a model differs, if more
than a checkpoint interval was repeated, or if the saving in the record does not match the sandbox's log.
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
from sagemaker_sandbox.jobs.runtime.job_endings import Timing
from sustainable_mlops.base import cli
from sustainable_mlops.base.program import run
from sustainable_mlops.catalogue import tables
from tests.workloads.flight_delay.instances import WORKLOAD, make_job, prepare_by_month
from tests.workloads.flight_delay.sandbox_platform import launch_job, make_platform, read_model_files

#: Training script without its handler of SIGTERM.
ABRUPT = "import signal\n\nimport train\n\nsignal.signal = lambda *_: None\ntrain.main()\n"
ROUNDS, EVERY = 160, 40
MONTHS = ("2013-01", "2013-02", "2013-03", "2013-09", "2013-11")

app = cli.create_app()


@app.command(no_args_is_help=False)
def main(
    points: Annotated[int, typer.Option(min=1, help="Interruptions.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 13,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train job.yaml with interruptions at random moments."""
    with TemporaryDirectory() as folder, Sandbox.start(log=Path(folder) / "sandbox.log") as sandbox:
        data = prepare_by_month(Path(folder))
        for file in data.glob("*/*.parquet"):
            if file.stem not in MONTHS:
                file.unlink()
        parameter = make_platform(sandbox, "dev", data)
        bench = InterruptionBench(sandbox, Path(folder), parameter, {"num_round": ROUNDS, "checkpoint_every": EVERY})
        results = bench.run_interruptions(points, random.Random(seed))  # noqa: S311 - a seed, so that it can be repeated
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        cli.make_stdout_console().print(make_table(results))
    if not all(result["equal"] and result["saving_right"] and result["redone"] <= EVERY for result in results):
        raise typer.Exit(1)


class InterruptionBench:
    """Trainings of one run on a platform of the sandbox; `changes` replace hyperparameters."""

    def __init__(self, sandbox: Any, folder: Path, parameter: str, changes: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self._out = folder / "out"
        self._files = {}
        self._name = f"spot-{folder.name.strip('_').replace('_', '-')}"[:30].strip("-")
        for abrupt in (False, True):
            job = make_job(1, eval_every=1, **changes) | {"platform": parameter, "name": self._name}
            if abrupt:
                code = folder / "abrupt"
                code.mkdir()
                for name in job["source"]["include"]:
                    shutil.copy(WORKLOAD / name, code)
                (code / "abrupt.py").write_text(ABRUPT)
                include = [*job["source"]["include"], "abrupt.py"]
                job["source"] = {"directory": str(code), "entry_point": "abrupt.py", "include": include}
            self._files[abrupt] = folder / f"{'abrupt' if abrupt else 'graceful'}.yaml"
            self._files[abrupt].write_text(yaml.safe_dump(job))

    def run_interruptions(self, points: int, random_source: random.Random) -> list[dict[str, Any]]:
        """Return the results of `points` interruptions; a moment after the end of the training is drawn again."""
        alone = self._train(abrupt=False)
        model = read_model_files(self._sandbox, alone)
        # The sandbox reads the checkpoints at this interval; each time the record of lives has changed.
        max_uploads = int(read_lives(self._sandbox, alone["job_name"])[0]["boosting"] / Timing().poll)
        results: list[dict[str, Any]] = []
        while len(results) < points:
            abrupt, uploads = len(results) % 2 == 1, random_source.randint(1, max(1, max_uploads))
            record = self._train(abrupt=abrupt, uploads=uploads)
            if record["interruptions"]:
                equal = read_model_files(self._sandbox, record) == model
                results.append({"abrupt": abrupt, "uploads": uploads, "equal": equal, **self._compare_record(record)})
        return results

    def _train(self, *, abrupt: bool, uploads: int | None = None) -> dict[str, Any]:
        if uploads is not None:
            fault = {"error": "SpotInterruption", "after_checkpoints": uploads, "resource": self._name}
            self._sandbox.fault("CreateTrainingJob", **fault)
        try:
            return launch_job(self._sandbox, "train", self._files[abrupt], self._out, "--force")
        finally:
            self._sandbox.clear_faults()

    def _compare_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Compute the repeated rounds from the log, and compare the saving with the job's lives."""
        first, second = read_lives(self._sandbox, record["job_name"])
        figures = {name: figure["value"] for name, figure in record["figures"].items()}
        training, billable = figures["training_seconds"], figures["billable_seconds"]
        billed_seconds = (first["seconds"] + second["seconds"]) * (1 - read_spot_discount())
        total_seconds = second["ended"] - first["began"]
        return {
            "interrupted_at": first["to"],
            "resumed_from": second["from"],
            "redone": first["to"] - second["from"],
            "training_seconds": training,
            "billable_seconds": billable,
            "saving": figures["spot_saving_fraction"],
            # SageMaker reports whole seconds, rounded up.
            "saving_right": figures["spot_saving_fraction"] == 1 - billable / training
            and abs(math.ceil(total_seconds) - training) <= 1
            and abs(math.ceil(billed_seconds) - billable) <= 1,
        }


def read_spot_discount() -> float:
    """Return the spot discount that the sandbox bills with."""
    return next(float(row["value"]) for row in tables.read_rows("assumptions") if row["key"] == "spot_discount")


def read_lives(sandbox: Any, job: str) -> list[dict[str, Any]]:
    """Return each life of a job: its first and last round from the log, and its times in seconds."""
    logs, group = sandbox.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    lives: list[dict[str, Any]] = []
    for stream in sorted(item["logStreamName"] for item in streams):
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        text = "\n".join(event["message"] for event in events)
        first_round = int(re.findall(r"resumed_from_round=(\d+);", text)[0])
        rounds = [int(number) for number in re.findall(r"^round=(\d+);", text, re.MULTILINE)]
        times_of_rounds = [event["timestamp"] / 1000 for event in events if "round=" in event["message"]]
        lives.append(
            {
                "from": first_round,
                "to": max(rounds, default=first_round),
                "boosting": times_of_rounds[-1] - times_of_rounds[0],
            }
        )
    transitions = sandbox.client("sagemaker").describe_training_job(TrainingJobName=job)["SecondaryStatusTransitions"]
    times = {
        status: [transition["StartTime"].timestamp() for transition in transitions if transition["Status"] in status]
        for status in (("Downloading",), ("Interrupted", "Completed"))
    }
    for life, began, ended in zip(lives, *times.values(), strict=True):
        life |= {"began": began, "ended": ended, "seconds": ended - began}
    return lives


def make_table(results: list[dict[str, Any]]) -> Table:
    """Return a table with one row per interruption."""
    table = Table("", "interrupted at", "resumed from", "redone", "model equal", "training s", "billable s", "saving")
    for result in results:
        rounds = [str(result[name]) for name in ("interrupted_at", "resumed_from", "redone")]
        seconds = [f"{result[name]:g}" for name in ("training_seconds", "billable_seconds")]
        saving = f"{result['saving']:.1%}{'' if result['saving_right'] else ', wrong'}"
        equal = "yes" if result["equal"] else "no"
        table.add_row("abrupt" if result["abrupt"] else "graceful", *rounds, equal, *seconds, saving)
    return table


if __name__ == "__main__":
    run(app)
