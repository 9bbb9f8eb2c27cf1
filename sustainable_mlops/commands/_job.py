"""Shared part of the commands that launch a job: options, output and exit codes."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands._early import LaunchState, report_early_end

if TYPE_CHECKING:
    from sustainable_mlops.jobs.estimate import RunEstimate
    from sustainable_mlops.jobs.launch import JobLaunch
    from sustainable_mlops.jobs.record import RunRecord

File = Annotated[Path, typer.Argument(help="The job file.", metavar="JOB.yaml")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the request and the estimate; upload and launch nothing.")
]
Probe = Annotated[
    bool,
    typer.Option(
        "--probe",
        help="Only run a short probe (a tenth of the rounds, or one object of each data set), and print the estimate "
        "of the whole job.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Run the job from the start even if this run is finished.")]
Wait = Annotated[bool, typer.Option(help="Follow the job to its end.")]
Out = Annotated[Path, typer.Option(help="Folder of the records (runs/JOB.json).")]
Calibration = Annotated[
    Path | None,
    typer.Option("--calibration", help="Factors of the carbon figures, which smlops reconcile writes.", metavar="FILE"),
]
RECORDS = Path("out")


def make_app(kind_name: str, help_text: str) -> typer.Typer:
    """Return the application of a command that launches a job of one kind and has no further options."""
    app = cli.create_app()

    @app.command(help=help_text)
    def launch(
        job: File,
        dry_run: DryRun = False,
        probe: Probe = False,
        force: Force = False,
        wait: Wait = True,
        as_json: cli.AsJson = False,
        out: Out = RECORDS,
        calibration: Calibration = None,
    ) -> None:
        run(
            kind_name,
            job,
            dry_run=dry_run,
            force=force,
            wait=wait,
            as_json=as_json,
            out=out,
            calibration=calibration,
            probe=probe,
        )

    return app


def run(
    kind_name: str,
    job: Path,
    *,
    dry_run: bool,
    force: bool,
    wait: bool,
    as_json: bool,
    out: Path,
    settings: Mapping[str, Any] | None = None,
    download: Path | None = None,
    probe: bool = False,
    calibration: Path | None = None,
) -> None:
    """Launch the job of a file and follow it. `settings` of its kind override the file.

    The outputs of a completed job go to the folder `download`. With `probe`, launch a short run and print the
    estimate of the job. `calibration` multiplies the carbon figures.
    """
    from sustainable_mlops.jobs import launch
    from sustainable_mlops.jobs.download import prepare_folder
    from sustainable_mlops.jobs.estimate import estimate_launch
    from sustainable_mlops.jobs.kinds import KINDS
    from sustainable_mlops.jobs.record import make_record_folder

    if probe and not wait:
        raise UserError("--probe waits until the run has ended; remove --no-wait")
    if probe and download is not None:
        raise UserError("--download does not apply to --probe; omit one of them")
    kind = type(KINDS[kind_name])(**(settings or {}))
    with use_calibration(calibration), report_early_end() as launch_state:
        with cli.console.status("Reading the job file and what is in S3"):
            prepared = launch.prepare(kind, job, force=force, probe=probe)
            expected = estimate_launch(prepared, out)
            prepared = prepared.add_expected_figures(expected.record_figures)
        if dry_run:
            _show_plan(prepared, expected, as_json=as_json)
            return
        make_record_folder(out)  # report a folder that is not writable before the launch
        if download is not None:
            prepare_folder(download)
        _show_expected(prepared, expected, wait=wait, as_json=as_json)
        record, path = _launch(prepared, out, launch_state, wait=wait)
        if probe and record.status == "Completed":
            _show_whole_job(launch.prepare(kind, job, force=force), record, out, as_json=as_json)
            return
        estimated = expected.model_dump(mode="json") if prepared.starts_job else None
        _show_record(record, prepared, path, estimated, as_json=as_json)
        if download is not None and record.status == "Completed":
            _download_outputs(record, prepared, download)
    if record.is_ended and record.status != "Completed":
        reason = record.stopped.get(record.job_name) or record.failure_reason or record.secondary_status
        print(f"error: {kind.title} {record.job_name}: {record.status}: {' '.join(reason.split())}", file=sys.stderr)
        raise typer.Exit(1)


@contextmanager
def use_calibration(file: Path | None) -> Iterator[None]:
    """Multiply carbon figures inside the block by the factors in a file, and print a note for each factor."""
    if file is None:
        yield
        return
    from sustainable_mlops.footprint import apply_calibration, read_calibration

    ratios = read_calibration(file)
    for one in ratios:
        cli.console.print(f"note: {one.describe()}", markup=False, soft_wrap=True)
    with apply_calibration(ratios):
        yield


def _show_expected(prepared: "JobLaunch", expected: "RunEstimate", *, wait: bool, as_json: bool) -> None:
    """Print the estimate and the notes before a launch."""
    from sustainable_mlops.jobs import display

    if prepared.starts_job and not as_json:
        cli.console.print(display.format_estimate(expected))
    for text in display.list_missing_files(prepared.package):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)
    for text in [] if wait or prepared.decision == "done" else list_unwatched_limits(prepared):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)


def list_unwatched_limits(prepared: "JobLaunch") -> list[str]:
    """Return a note for each limit that needs a client to follow the job."""
    limits = {"limits.max_runtime_minutes": prepared.record.stops_after, "limits.utilization_floor": prepared.floor}
    return [
        f"{name} needs a client that follows the job; run the same command without --no-wait"
        for name, limit in limits.items()
        if limit is not None
    ]


def _launch(prepared: "JobLaunch", out: Path, launch_state: LaunchState, *, wait: bool) -> tuple["RunRecord", Path]:
    """Launch the job, follow it if requested, write the record, and return it with its path."""
    from sustainable_mlops.jobs import display, launch, tracking
    from sustainable_mlops.jobs.missing_results import list_warnings
    from sustainable_mlops.jobs.wait import make_watch
    from sustainable_mlops.jobs.wait import wait_for_job as follow

    launch_state.update(lambda: _describe_launch(prepared))
    record = launch.start(prepared)
    launch_state.update(lambda: _describe_job(prepared, record))
    if wait and not record.is_ended:
        with display.show_progress(cli.console) as show:

            def update(current: "RunRecord") -> None:
                nonlocal record
                record = current
                show(current)

            record = follow(record, prepared.clients.sagemaker, update, watch=make_watch(prepared))
    path = _save_record(record, prepared, out)
    if prepared.decision != "done":
        warnings = list_warnings(record, prepared.request, prepared.clients.s3)
        if warnings != record.warnings:
            record = record.model_copy(update={"warnings": warnings})
            path = _save_record(record, prepared, out)
    for text in tracking.track_run(record, prepared.platform.tracking):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)
    return record, path


def _save_record(record: "RunRecord", prepared: "JobLaunch", out: Path) -> Path:
    """Write the record to S3 and to the folder of the records, and return its path there."""
    from sustainable_mlops.jobs import launch
    from sustainable_mlops.jobs.record import write_record

    launch.store(record, prepared)
    return write_record(record, out)


def _describe_launch(prepared: "JobLaunch") -> str:
    """Describe the job of an interrupted launch."""
    try:
        record = prepared.refresh_record()
    except (UserError, KeyboardInterrupt):
        return f"{prepared.kind.title} {prepared.record.job_name} may have started; its status is not available now"
    return "nothing was launched" if record is None else _describe_job(prepared, record)


def _describe_job(prepared: "JobLaunch", record: "RunRecord") -> str:
    """Describe the last known status of a job."""
    status = f"{prepared.kind.title} {record.job_name} is {record.status}"
    if record.status != "InProgress":
        return status
    limit = "" if record.stops_after is None else "; nothing stops it at its runtime limit"
    stop_command = prepared.kind.format_stop_command(record.job_name, record.region)
    return f"{status} and continues (to stop it: {stop_command}){limit}"


def _show_plan(prepared: "JobLaunch", expected: "RunEstimate", *, as_json: bool) -> None:
    """Print the request and the estimate of a launch."""
    from sustainable_mlops.jobs import display

    package = prepared.package
    result = {
        "outcome": "dry run",
        "decision": prepared.decision,
        "run_key": prepared.record.run_key,
        "source": package and {"files": package.files, "left_out": package.ignored_files},
        "request": prepared.request,
        "estimate": expected.model_dump(mode="json"),
    }
    print(json.dumps(result if as_json else prepared.request, indent=2))
    if not as_json:
        cli.make_stdout_console().print(display.format_plan(prepared, expected), crop=False)


def _show_whole_job(prepared: "JobLaunch", probe: "RunRecord", out: Path, *, as_json: bool) -> None:
    """Print the estimate of a job after its probe."""
    from sustainable_mlops.jobs import display
    from sustainable_mlops.jobs.estimate import estimate_launch

    expected = estimate_launch(prepared, out)
    if as_json:
        estimated = expected.model_dump(mode="json")
        print(
            json.dumps({"outcome": "probed", "record": probe.model_dump(mode="json"), "estimate": estimated}, indent=2)
        )
        return
    cli.make_stdout_console().print(
        display.format_estimate(expected, f"expected after the probe {probe.job_name}"), crop=False
    )


def _show_record(record: "RunRecord", prepared: "JobLaunch", path: Path, estimated: Any, *, as_json: bool) -> None:
    """Print the result of a launch."""
    from sustainable_mlops.jobs import display

    verb = prepared.kind.completed_verb
    outcome = {"start": verb, "resume": verb, "attach": "attached"}.get(prepared.decision, prepared.decision)
    outcome = outcome if record.is_ended else "launched"
    if as_json:
        result = {"outcome": outcome, "record": record.model_dump(mode="json"), "estimate": estimated}
        print(json.dumps(result, indent=2))
        return
    if prepared.decision == "done":
        cli.console.print("This run is already finished; nothing was launched (--force runs it again).")
    if record.trials:
        cli.make_stdout_console().print(display.format_trials(record), crop=False)
    cli.make_stdout_console().print(display.format_summary(record), soft_wrap=True)
    print(f"Record: {path}", file=sys.stderr)


def _download_outputs(record: "RunRecord", prepared: "JobLaunch", folder: Path) -> None:
    from sustainable_mlops.jobs.download import download_files

    for address in record.outputs.values():
        for path in download_files(address, folder, prepared.clients.s3):
            print(f"Downloaded: {path}", file=sys.stderr)
