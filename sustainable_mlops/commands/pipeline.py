"""Run the pipeline of a workload on SageMaker: prepare, train, evaluate, gate, register; and set the live version.

A step with the same code, inputs and settings as an earlier one hits the cache, and the command reports the saving.
Code and data are uploaded under digests of their content, so changed data never passes as old data.

Exit codes: 0 succeeded, 1 the execution failed or was stopped, 2 the input is not valid, 130 Ctrl-C (it continues).

Examples:

* `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --dry-run`: effect and estimate
* `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw`: upload, start and follow
* `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --set MaxDepth=6`
* `smlops pipeline watch workloads/flight_delay/pipeline.yaml`: follow the newest execution
* `smlops pipeline retry workloads/flight_delay/pipeline.yaml`: run the failed steps of the newest execution again
* `smlops pipeline promote workloads/flight_delay/pipeline.yaml`: `run` and schedules start the newest version
* `smlops pipeline rollback workloads/flight_delay/pipeline.yaml`: they start the previous version
"""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import _job
from sustainable_mlops.commands._early import LaunchState, report_early_end

if TYPE_CHECKING:
    from sustainable_mlops.aws import Client
    from sustainable_mlops.jobs.figure import RunFigure
    from sustainable_mlops.jobs.pipelines.launch import PipelineLaunch
    from sustainable_mlops.jobs.pipelines.record import PipelineRecord

app = cli.create_app(__doc__)

File = Annotated[Path, typer.Argument(help="The pipeline file.", metavar="PIPELINE.yaml")]
Execution = Annotated[
    str | None, typer.Option(help="ARN of the execution, or its last part; the default is the newest.")
]
Version = Annotated[int | None, typer.Option(min=1, help="Number of the version.")]
Out = Annotated[Path, typer.Option(help="Folder of the records (runs/PIPELINE-EXECUTION.json).")]


@app.command()
def run(
    pipeline: File,
    data: Annotated[
        Path | None, typer.Option(help="Folder of raw data, which is uploaded to a folder named by its digest.")
    ] = None,
    prefix: Annotated[
        str | None, typer.Option("--input", help="Prefix of a data set in the data bucket, such as raw/x/1/.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Value of a pipeline parameter; repeat for several."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the effect and the estimate; upload and start nothing.")
    ] = (False),
    wait: Annotated[bool, typer.Option(help="Follow the execution to its end.")] = True,
    as_json: cli.AsJson = False,
    out: Out = Path("out"),
    calibration: _job.Calibration = None,
) -> None:
    """Start the pipeline and follow it.

    Example: `smlops pipeline run workloads/flight_delay/pipeline.yaml --data out/raw --set MaxDepth=6`
    """
    from sustainable_mlops.jobs.pipelines import launch
    from sustainable_mlops.jobs.pipelines.estimate import estimate_execution
    from sustainable_mlops.jobs.record import make_record_folder

    if data is not None and prefix is not None:
        raise UserError("--data and --input: pass only one of them, a local folder or a data set in the bucket")
    with _job.use_calibration(calibration), report_early_end() as launch_state:
        with cli.console.status("Reading the files and the state on AWS"):
            prepared = launch.prepare(pipeline, data=data, prefix=prefix, overrides=_parse_parameters(settings or []))
            figures = estimate_execution(prepared, out)
        _show_notes(prepared)
        if dry_run:
            _show_plan(prepared, figures, as_json=as_json)
            return
        make_record_folder(out)  # report a folder that is not writable before the start
        launch_state.update(lambda: _describe_start(prepared, pipeline, launch_state))
        record = launch.start_execution(prepared).model_copy(update={"expected": figures})
        if prepared.running_execution is not None:
            cli.say("An execution with the same parameters is already running; following it.")
        _follow(record, prepared.clients.sagemaker, pipeline, out, launch_state, wait=wait, as_json=as_json)


@app.command()
def watch(pipeline: File, execution: Execution = None, as_json: cli.AsJson = False, out: Out = Path("out")) -> None:
    """Follow an execution.

    Example: `smlops pipeline watch workloads/flight_delay/pipeline.yaml --execution abcd1234efgh`
    """
    with report_early_end() as launch_state:
        record, sagemaker = _find(pipeline, execution)
        _follow(record, sagemaker, pipeline, out, launch_state, wait=True, as_json=as_json)


@app.command()
def retry(
    pipeline: File,
    execution: Execution = None,
    wait: Annotated[bool, typer.Option(help="Follow the execution to its end.")] = True,
    as_json: cli.AsJson = False,
    out: Out = Path("out"),
) -> None:
    """Run the failed and stopped steps of an execution again. Results of completed steps are reused.

    Example: `smlops pipeline retry workloads/flight_delay/pipeline.yaml`
    """
    from sustainable_mlops.jobs.pipelines import execution as executions

    with report_early_end() as launch_state:
        record, sagemaker = _find(pipeline, execution)
        launch_state.update(lambda: _describe_execution(record))
        executions.retry_execution(record, sagemaker)
        record = record.model_copy(update={"status": "Executing"})
        _follow(record, sagemaker, pipeline, out, launch_state, wait=wait, as_json=as_json)


@app.command()
def promote(pipeline: File, version: Version = None, as_json: cli.AsJson = False) -> None:
    """Move the alias `live`, which `run` and schedules start, to a version. Default: the newest.

    New data starts the newest version, because EventBridge does not support aliases.

    Upload the code of the definition first, if it is missing.

    Example: `smlops pipeline promote workloads/flight_delay/pipeline.yaml --version 3`
    """
    _move_alias("promote", pipeline, version, as_json=as_json)


@app.command()
def rollback(pipeline: File, version: Version = None, as_json: cli.AsJson = False) -> None:
    """Move the alias `live` back to the previous version, or to `--version`. No version is deleted.

    A second rollback returns to the newer version. Use `--version` to go further back.

    Example: `smlops pipeline rollback workloads/flight_delay/pipeline.yaml`
    """
    _move_alias("rollback", pipeline, version, as_json=as_json)


def _parse_parameters(settings: list[str]) -> dict[str, str]:
    parameters = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UserError(f"--set {text}: write NAME=VALUE, such as --set MaxDepth=6")
        parameters[name] = value
    return parameters


def _find(pipeline: Path, execution: str | None) -> "tuple[PipelineRecord, Client]":
    from sustainable_mlops.jobs.pipelines import execution as executions

    with cli.console.status("Looking for the execution"):
        return executions.load_execution(pipeline, execution)


def _follow(
    record: "PipelineRecord",
    sagemaker: "Client",
    file: Path,
    out: Path,
    launch_state: LaunchState,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Follow an execution and write its record. Exit with 1 if it did not succeed."""
    from sustainable_mlops.jobs.pipelines import display
    from sustainable_mlops.jobs.pipelines.execution import follow_execution
    from sustainable_mlops.jobs.pipelines.launch import read_utilization_floors
    from sustainable_mlops.jobs.pipelines.record import SUCCEEDED, write_record

    launch_state.update(lambda: _describe_execution(record), _format_watch_command(file, record.execution))
    if wait and not record.is_ended:
        utilization_floors = read_utilization_floors(file)
        with display.show_progress(cli.console) as show:

            def update(current: "PipelineRecord") -> None:
                nonlocal record
                record = current
                show(current)

            record = follow_execution(record, sagemaker, update, floors=utilization_floors)
    path = write_record(record, out)
    outcome = record.status if record.is_ended else "started"
    if as_json:
        print(json.dumps({"outcome": outcome, "record": record.model_dump(mode="json")}, indent=2))
    else:
        cli.make_stdout_console().print(display.format_summary(record), soft_wrap=True)
        print(f"Record: {path}", file=sys.stderr)
    if record.is_ended and record.status != SUCCEEDED:
        status = f"{record.status}: {record.reason}"
        print(f"error: execution {record.execution} of {record.pipeline}: {status}", file=sys.stderr)
        raise typer.Exit(1)


def _show_notes(prepared: "PipelineLaunch") -> None:
    """Print the notes on files that are not sent, each one once."""
    from sustainable_mlops.jobs.display import list_missing_files

    packages = prepared.files.sources.values()
    for text in dict.fromkeys(text for package in packages for text in list_missing_files(package)):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)


def _show_plan(prepared: "PipelineLaunch", expected: "Mapping[str, RunFigure]", *, as_json: bool) -> None:
    """Print the effect of a start."""
    from sustainable_mlops.jobs.pipelines import display

    result = {
        "outcome": "dry run",
        "pipeline": prepared.pipeline.name,
        "change": prepared.change,
        "running": prepared.running_execution,
        "parameters": prepared.parameters,
        "sources": list(prepared.files.sources),
        "expected": {name: figure.model_dump(mode="json") for name, figure in expected.items()},
    }
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        cli.make_stdout_console().print(display.format_plan(prepared, expected), crop=False)


def _describe_execution(record: "PipelineRecord") -> str:
    """Describe the last known status of an execution."""
    status = f"execution {record.execution} of {record.pipeline} is {record.status}"
    stop = f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {record.execution_arn}"
    stop += f" --region {record.region}"
    return f"{status} and continues (to stop it: {stop})" if record.status == "Executing" else status


def _describe_start(prepared: "PipelineLaunch", file: Path, launch_state: LaunchState) -> str:
    """Describe an interrupted start. The continuing command watches an execution that has started."""
    try:
        arn = prepared.find_running_execution()
    except (UserError, KeyboardInterrupt):
        return f"an execution of {prepared.pipeline.name} may have started; its status is not available now"
    if arn is None:
        return "nothing was started"
    execution = arn.rpartition("/")[2]
    launch_state.command = _format_watch_command(file, execution)
    return f"execution {execution} continues"


def _format_watch_command(file: Path, execution: str) -> str:
    """Return the command that follows an execution."""
    return shlex.join(["smlops", "pipeline", "watch", str(file), "--execution", execution])


def _move_alias(action: str, pipeline: Path, version: int | None, *, as_json: bool) -> None:
    from sustainable_mlops.jobs.pipelines.promotion import promote_file, roll_back_file

    with cli.console.status("Looking at the versions"):
        move = (promote_file if action == "promote" else roll_back_file)(pipeline, version)
    if as_json:
        print(json.dumps({"outcome": action, "pipeline": move.pipeline, "before": move.before, "live": move.after}))
    elif move.before == move.after:
        print(f"{move.pipeline}: version {move.after} is already live; nothing changed.")
    else:
        before = (
            f"version {move.before} was live before and stays"
            if move.before is not None
            else "no version was live before"
        )
        print(f"{move.pipeline}: version {move.after} is live; {before}.")
