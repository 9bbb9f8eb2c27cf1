"""What the commands that launch a job have in common: options, what is printed, exit codes."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sustainable_mlops import cli
from sustainable_mlops.commands._early import SoFar, ended_early
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.jobs.estimate import Estimate
    from sustainable_mlops.jobs.launch import Launch
    from sustainable_mlops.jobs.record import RunRecord

File = Annotated[Path, typer.Argument(help="The job file.", metavar="JOB.yaml")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; upload and launch nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Run it from the start even if this run is done.")]
Wait = Annotated[bool, typer.Option(help="Follow the job to its end.")]
Out = Annotated[Path, typer.Option(help="Folder of records (runs/JOB.json), old and new.")]
RECORDS = Path("out")


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
) -> None:
    """Launch the job that the file describes, and follow it; `settings` of its kind stand for what the file says."""
    from sustainable_mlops.jobs import launch
    from sustainable_mlops.jobs.estimate import estimate
    from sustainable_mlops.jobs.kinds import KINDS
    from sustainable_mlops.jobs.record import local_folder

    kind = type(KINDS[kind_name])(**(settings or {}))
    with ended_early() as so_far:
        with cli.console.status("Reading the job file and what is in S3"):
            prepared = launch.prepare(kind, job, force=force)
            expected = estimate(prepared, out)
            prepared = prepared.expecting(expected.expected)
        if dry_run:
            _show_plan(prepared, expected, as_json=as_json)
            return
        local_folder(out)  # a folder that cannot be written to is told before the launch
        _show_expected(prepared, expected, wait=wait, as_json=as_json)
        record, path = _launch(prepared, out, so_far, wait=wait)
        estimated = expected.model_dump(mode="json") if prepared.launches else None
        _show_record(record, prepared, path, estimated, as_json=as_json)
    if record.ended and record.status != "Completed":
        reason = record.stopped.get(record.job_name) or record.failure_reason or record.secondary_status
        print(f"error: {kind.title} {record.job_name}: {record.status}: {' '.join(reason.split())}", file=sys.stderr)
        raise typer.Exit(1)


def _show_expected(prepared: "Launch", expected: "Estimate", *, wait: bool, as_json: bool) -> None:
    """What is to be known before a launch."""
    from sustainable_mlops.jobs import display

    if prepared.launches and not as_json:
        cli.console.print(display.estimate(expected))
    for text in display.missing(prepared.package):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)
    if prepared.floor is not None and not wait:
        cli.console.print(
            "note: limits.utilization_floor: nobody watches a job that nobody follows; the same command without "
            "--no-wait does",
            soft_wrap=True,
        )


def _launch(prepared: "Launch", out: Path, so_far: SoFar, *, wait: bool) -> tuple["RunRecord", Path]:
    """Launch, follow where that is wanted, and write the record; returns it, and where it is."""
    from sustainable_mlops.jobs import display, launch, tracking
    from sustainable_mlops.jobs.record import write_local
    from sustainable_mlops.jobs.wait import wait as follow
    from sustainable_mlops.jobs.wait import watch_of

    so_far.begin(lambda: _state(prepared))
    record = launch.start(prepared)
    so_far.begin(lambda: _told(prepared, record))
    if wait and not record.ended:
        with display.progress(cli.console) as show:

            def seen(now: "RunRecord") -> None:
                nonlocal record
                record = now
                show(now)

            record = follow(record, prepared.clients.sagemaker, seen, watch=watch_of(prepared))
    launch.store(record, prepared)
    path = write_local(record, out)
    for text in tracking.track(record, prepared.platform.tracking):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)
    return record, path


def _state(prepared: "Launch") -> str:
    """What is true of the job of a launch that broke off."""
    try:
        record = prepared.job()
    except (UserError, KeyboardInterrupt):
        return f"whether {prepared.kind.title} {prepared.record.job_name} has begun cannot be told now"
    return "nothing was launched" if record is None else _told(prepared, record)


def _told(prepared: "Launch", record: "RunRecord") -> str:
    """What was last seen of a job."""
    told = f"{prepared.kind.title} {record.job_name} is {record.status}"
    if record.status != "InProgress":
        return told
    return f"{told}; it goes on (stop it: {prepared.kind.stop_command(record.job_name)})"


def _show_plan(prepared: "Launch", expected: "Estimate", *, as_json: bool) -> None:
    """What a launch would do."""
    from sustainable_mlops.jobs import display

    package = prepared.package
    answer = {
        "outcome": "dry run",
        "decision": prepared.decision,
        "run_key": prepared.record.run_key,
        "source": package and {"files": package.files, "left_out": package.left_out},
        "request": prepared.request,
        "estimate": expected.model_dump(mode="json"),
    }
    print(json.dumps(answer if as_json else prepared.request, indent=2))
    if not as_json:
        cli.stdout().print(display.plan(prepared, expected), crop=False)


def _show_record(record: "RunRecord", prepared: "Launch", path: Path, estimated: Any, *, as_json: bool) -> None:
    """What a launch has come to."""
    from sustainable_mlops.jobs import display

    done = prepared.kind.done
    outcome = {"start": done, "resume": done, "attach": "attached"}.get(prepared.decision, prepared.decision)
    outcome = outcome if record.ended else "launched"
    if as_json:
        answer = {"outcome": outcome, "record": record.model_dump(mode="json"), "estimate": estimated}
        print(json.dumps(answer, indent=2))
        return
    if prepared.decision == "done":
        cli.console.print("This run is done already; nothing was launched (--force runs it again).")
    if record.trials:
        cli.stdout().print(display.trials(record), crop=False)
    cli.stdout().print(display.summary(record), soft_wrap=True)
    print(f"Record: {path}", file=sys.stderr)
