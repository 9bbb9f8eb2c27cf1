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
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError
from sustainable_mlops.program import typed

if TYPE_CHECKING:
    from sustainable_mlops.aws import Client
    from sustainable_mlops.jobs.pipelines.record import PipelineRecord

app = cli.app(__doc__)

File = Annotated[Path, typer.Argument(help="The pipeline file.", metavar="PIPELINE.yaml")]
Execution = Annotated[str | None, typer.Option(help="ARN or last part of it; the newest unless given.")]
Version = Annotated[int | None, typer.Option(min=1, help="Number of the version.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
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
    as_json: AsJson = False,
    out: Out = Path("out"),
) -> None:
    """Start the pipeline and follow it.

    Example: `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --set MaxDepth=6`
    """
    from sustainable_mlops.jobs.pipelines import display, start
    from sustainable_mlops.jobs.pipelines.expected import expected
    from sustainable_mlops.jobs.record import local_folder

    if data is not None and prefix is not None:
        raise UserError("--data and --input: give one of them, a folder here or a data set in the bucket")
    with cli.console.status("Reading the pipeline's files and what is on AWS"):
        prepared = start.prepare(pipeline, data=data, prefix=prefix, given=_given(settings or []))
        figures = expected(prepared, out)
    if dry_run:
        answer = {
            "outcome": "dry run",
            "pipeline": prepared.pipeline.name,
            "change": prepared.change,
            "running": prepared.running,
            "parameters": prepared.parameters,
            "sources": list(prepared.files.sources),
            "expected": {name: figure.model_dump(mode="json") for name, figure in figures.items()},
        }
        if as_json:
            print(json.dumps(answer, indent=2))
        else:
            cli.stdout().print(display.plan(prepared, figures))
        return
    local_folder(out)  # a folder that cannot be written to is told before the start
    record = start.begin(prepared).model_copy(update={"expected": figures})
    if prepared.running is not None:
        cli.say("An execution that was given the same is under way; following it, and starting nothing.")
    _follow(record, prepared.clients.sagemaker, pipeline, out, wait=wait, as_json=as_json)


@app.command()
def watch(pipeline: File, execution: Execution = None, as_json: AsJson = False, out: Out = Path("out")) -> None:
    """Follow an execution, whoever started it.

    Example: `smlops pipeline watch workloads/flight_delay/pipeline.yaml --execution abcd1234efgh`
    """
    record, sagemaker = _find(pipeline, execution)
    _follow(record, sagemaker, pipeline, out, wait=True, as_json=as_json)


@app.command()
def retry(
    pipeline: File,
    execution: Execution = None,
    wait: Annotated[bool, typer.Option(help="Follow the execution to its end.")] = True,
    as_json: AsJson = False,
    out: Out = Path("out"),
) -> None:
    """Run what failed or was stopped in an execution again; what succeeded is kept.

    Example: `smlops pipeline retry workloads/flight_delay/pipeline.yaml`
    """
    from sustainable_mlops.jobs.pipelines import execution as executions

    record, sagemaker = _find(pipeline, execution)
    executions.retry(record, sagemaker)
    record = record.model_copy(update={"status": "Executing"})
    _follow(record, sagemaker, pipeline, out, wait=wait, as_json=as_json)


@app.command()
def promote(pipeline: File, version: Version = None, as_json: AsJson = False) -> None:
    """Give the alias `live`, which `run` and schedules start, to a version: the newest unless given.

    Data that arrives starts the newest version, live or not: EventBridge knows no alias.

    The code that the definition here names is uploaded first where it is missing, for whoever starts it.

    Example: `smlops pipeline promote workloads/flight_delay/pipeline.yaml --version 3`
    """
    _move("promote", pipeline, version, as_json=as_json)


@app.command()
def rollback(pipeline: File, version: Version = None, as_json: AsJson = False) -> None:
    """Give the alias `live` back to the version that had it before, or to the one given; no version is deleted.

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


def _follow(record: "PipelineRecord", sagemaker: "Client", file: Path, out: Path, *, wait: bool, as_json: bool) -> None:
    """Follow an execution and write its record; ends with 1 where it did not succeed."""
    from sustainable_mlops.jobs.pipelines import display
    from sustainable_mlops.jobs.pipelines.execution import follow
    from sustainable_mlops.jobs.pipelines.record import SUCCEEDED, write_local
    from sustainable_mlops.jobs.pipelines.start import floors

    try:
        if wait and not record.ended:
            watched = floors(file)
            with display.progress(cli.console) as show:
                record = follow(record, sagemaker, show, floors=watched)
    except KeyboardInterrupt:
        write_local(record, out)
        told = (
            f"\nNo longer following {record.execution}; it goes on. Follow it again: "
            f"smlops pipeline watch {file} --execution {record.execution}. "
            f"Stop it: aws sagemaker stop-pipeline-execution --pipeline-execution-arn {record.execution_arn}"
        )
        print(typed(told), file=sys.stderr)
        raise typer.Exit(130) from None
    path = write_local(record, out)
    outcome = record.status if record.ended else "started"
    if as_json:
        print(json.dumps({"outcome": outcome, "record": record.model_dump(mode="json")}, indent=2))
    else:
        cli.stdout().print(display.summary(record), soft_wrap=True)
        print(f"Record: {path}", file=sys.stderr)
    if record.ended and record.status != SUCCEEDED:
        reason = " ".join((record.failure_reason or "").split())
        print(f"error: execution {record.execution} of {record.pipeline}: {record.status}: {reason}", file=sys.stderr)
        raise typer.Exit(1)


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
