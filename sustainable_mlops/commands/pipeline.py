"""Run a workload's pipeline on SageMaker: prepare, train, evaluate, gate, register; and say which version is live.

Nothing runs that need not: a step whose code, inputs and settings are those of an earlier one is not run again, and
what that saved is told. Code and data are uploaded under digests of their content, so that changed data is never taken
for the old.

Exit codes: 0 succeeded, 1 the execution failed or was stopped, 2 bad input, 130 Ctrl-C (the execution goes on).

Examples:

* `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --dry-run`: what it would do and take
* `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw`: upload, start and follow
* `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --set MaxDepth=6`
* `smlops pipeline watch workloads/flight_delay/pipeline.yaml`: follow the newest execution
* `smlops pipeline retry workloads/flight_delay/pipeline.yaml`: run what failed in the newest execution again
* `smlops pipeline promote workloads/flight_delay/pipeline.yaml`: what `run` and schedules start is the newest version
* `smlops pipeline rollback workloads/flight_delay/pipeline.yaml`: it is the one before again
"""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.commands._early import SoFar, ended_early
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.aws import Client
    from sustainable_mlops.jobs.figure import Figure
    from sustainable_mlops.jobs.pipelines.record import PipelineRecord
    from sustainable_mlops.jobs.pipelines.launch import Start

app = cli.app(__doc__)

File = Annotated[Path, typer.Argument(help="The pipeline file.", metavar="PIPELINE.yaml")]
Execution = Annotated[str | None, typer.Option(help="ARN or last part of it; the newest unless given.")]
Version = Annotated[int | None, typer.Option(min=1, help="Number of the version.")]
Out = Annotated[Path, typer.Option(help="Folder of records (runs/PIPELINE-EXECUTION.json), old and new.")]


@app.command()
def run(
    pipeline: File,
    data: Annotated[Path | None, typer.Option(help="Folder of raw data, uploaded under its digest.")] = None,
    prefix: Annotated[str | None, typer.Option("--input", help="Data set in the data bucket, as raw/x/1/.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; upload and start nothing.")] = (
        False
    ),
    wait: Annotated[bool, typer.Option(help="Follow the execution to its end.")] = True,
    as_json: cli.AsJson = False,
    out: Out = Path("out"),
) -> None:
    """Start the pipeline and follow it.

    Example: `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --set MaxDepth=6`
    """
    from sustainable_mlops.jobs.pipelines import launch
    from sustainable_mlops.jobs.pipelines.estimate import expected
    from sustainable_mlops.jobs.record import local_folder

    if data is not None and prefix is not None:
        raise UserError("--data and --input: give one of them, a folder here or a data set in the bucket")
    with ended_early() as so_far:
        with cli.console.status("Reading the pipeline's files and what is on AWS"):
            prepared = launch.prepare(pipeline, data=data, prefix=prefix, given=_given(settings or []))
            figures = expected(prepared, out)
        if dry_run:
            _show_plan(prepared, figures, as_json=as_json)
            return
        local_folder(out)  # a folder that cannot be written to is told before the start
        so_far.begin(lambda: _begun(prepared, pipeline, so_far))
        record = launch.begin(prepared).model_copy(update={"expected": figures})
        if prepared.running is not None:
            cli.say("An execution that was given the same is under way; following it, and starting nothing.")
        _follow(record, prepared.clients.sagemaker, pipeline, out, so_far, wait=wait, as_json=as_json)


@app.command()
def watch(pipeline: File, execution: Execution = None, as_json: cli.AsJson = False, out: Out = Path("out")) -> None:
    """Follow an execution, whoever started it.

    Example: `smlops pipeline watch workloads/flight_delay/pipeline.yaml --execution abcd1234efgh`
    """
    with ended_early() as so_far:
        record, sagemaker = _find(pipeline, execution)
        _follow(record, sagemaker, pipeline, out, so_far, wait=True, as_json=as_json)


@app.command()
def retry(
    pipeline: File,
    execution: Execution = None,
    wait: Annotated[bool, typer.Option(help="Follow the execution to its end.")] = True,
    as_json: cli.AsJson = False,
    out: Out = Path("out"),
) -> None:
    """Run what failed or was stopped in an execution again; what succeeded is kept.

    Example: `smlops pipeline retry workloads/flight_delay/pipeline.yaml`
    """
    from sustainable_mlops.jobs.pipelines import execution as executions

    with ended_early() as so_far:
        record, sagemaker = _find(pipeline, execution)
        so_far.begin(lambda: _told(record))
        executions.retry(record, sagemaker)
        record = record.model_copy(update={"status": "Executing"})
        _follow(record, sagemaker, pipeline, out, so_far, wait=wait, as_json=as_json)


@app.command()
def promote(pipeline: File, version: Version = None, as_json: cli.AsJson = False) -> None:
    """Give the alias `live`, which `run` and schedules start, to a version: the newest unless given.

    Data that arrives starts the newest version, live or not: EventBridge knows no alias.

    The code that the definition here names is uploaded first where it is missing, for whoever starts it.

    Example: `smlops pipeline promote workloads/flight_delay/pipeline.yaml --version 3`
    """
    _move("promote", pipeline, version, as_json=as_json)


@app.command()
def rollback(pipeline: File, version: Version = None, as_json: cli.AsJson = False) -> None:
    """Give the alias `live` back to the version that had it before, or to the one given; no version is deleted.

    Twice is back again: further back goes by `--version`.

    Example: `smlops pipeline rollback workloads/flight_delay/pipeline.yaml`
    """
    _move("rollback", pipeline, version, as_json=as_json)


def _given(settings: list[str]) -> dict[str, str]:
    given = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UserError(f"--set {text}: write NAME=VALUE, such as --set MaxDepth=6")
        given[name] = value
    return given


def _find(pipeline: Path, execution: str | None) -> "tuple[PipelineRecord, Client]":
    from sustainable_mlops.jobs.pipelines import execution as executions

    with cli.console.status("Looking for the execution"):
        return executions.of_file(pipeline, execution)


def _follow(
    record: "PipelineRecord",
    sagemaker: "Client",
    file: Path,
    out: Path,
    so_far: SoFar,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Follow an execution and write its record; ends with 1 where it did not succeed."""
    from sustainable_mlops.jobs.pipelines import display
    from sustainable_mlops.jobs.pipelines.execution import follow
    from sustainable_mlops.jobs.pipelines.record import SUCCEEDED, write_local
    from sustainable_mlops.jobs.pipelines.launch import floors

    so_far.begin(lambda: _told(record), _watching(file, record.execution))
    if wait and not record.ended:
        watched = floors(file)
        with display.progress(cli.console) as show:

            def seen(now: "PipelineRecord") -> None:
                nonlocal record
                record = now
                show(now)

            record = follow(record, sagemaker, seen, floors=watched)
    path = write_local(record, out)
    outcome = record.status if record.ended else "started"
    if as_json:
        print(json.dumps({"outcome": outcome, "record": record.model_dump(mode="json")}, indent=2))
    else:
        cli.stdout().print(display.summary(record), soft_wrap=True)
        print(f"Record: {path}", file=sys.stderr)
    if record.ended and record.status != SUCCEEDED:
        told = f"execution {record.execution} of {record.pipeline}: {record.status}: {record.reason}"
        print(f"error: {told}", file=sys.stderr)
        raise typer.Exit(1)


def _show_plan(prepared: "Start", expected: "Mapping[str, Figure]", *, as_json: bool) -> None:
    """What a start would do."""
    from sustainable_mlops.jobs.pipelines import display

    answer = {
        "outcome": "dry run",
        "pipeline": prepared.pipeline.name,
        "change": prepared.change,
        "running": prepared.running,
        "parameters": prepared.parameters,
        "sources": list(prepared.files.sources),
        "expected": {name: figure.model_dump(mode="json") for name, figure in expected.items()},
    }
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        cli.stdout().print(display.plan(prepared, expected), crop=False)


def _told(record: "PipelineRecord") -> str:
    """What was last seen of an execution."""
    told = f"execution {record.execution} of {record.pipeline} is {record.status}"
    stop = f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {record.execution_arn}"
    return f"{told}; it goes on (stop it: {stop})" if record.status == "Executing" else told


def _begun(prepared: "Start", file: Path, so_far: SoFar) -> str:
    """What is true of a start that broke off; an execution that has begun is to be watched, not started again."""
    try:
        arn = prepared.execution()
    except (UserError, KeyboardInterrupt):
        return f"whether an execution of {prepared.pipeline.name} has begun cannot be told now"
    if arn is None:
        return "nothing was started"
    execution = arn.rpartition("/")[2]
    so_far.command = _watching(file, execution)
    return f"execution {execution} goes on"


def _watching(file: Path, execution: str) -> str:
    """The command that follows an execution."""
    return shlex.join(["smlops", "pipeline", "watch", str(file), "--execution", execution])


def _move(which: str, pipeline: Path, version: int | None, *, as_json: bool) -> None:
    from sustainable_mlops.jobs.pipelines.promotion import promote_file, rollback_file

    with cli.console.status("Looking at the versions"):
        move = (promote_file if which == "promote" else rollback_file)(pipeline, version)
    if as_json:
        print(json.dumps({"outcome": which, "pipeline": move.pipeline, "before": move.before, "live": move.after}))
    elif move.before == move.after:
        print(f"{move.pipeline}: version {move.after} is live already; nothing was changed.")
    else:
        before = f"it was version {move.before}, which stays" if move.before is not None else "none was before"
        print(f"{move.pipeline}: version {move.after} is live; {before}.")
