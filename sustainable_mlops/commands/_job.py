"""What the commands that launch a job have in common: options, what is printed, exit codes."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sustainable_mlops import cli

if TYPE_CHECKING:
    from sustainable_mlops.jobs.estimate import Estimate
    from sustainable_mlops.jobs.launch import Launch
    from sustainable_mlops.jobs.record import RunRecord

File = Annotated[Path, typer.Argument(help="The job file.", metavar="JOB.yaml")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; upload and launch nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Run it from the start even if this run is done.")]
Wait = Annotated[bool, typer.Option(help="Follow the job to its end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
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
    from sustainable_mlops.jobs import display, launch
    from sustainable_mlops.jobs.estimate import estimate
    from sustainable_mlops.jobs.kinds import KINDS
    from sustainable_mlops.jobs.record import local_folder, write_local
    from sustainable_mlops.jobs.wait import wait as follow
    from sustainable_mlops.jobs.wait import watch_of

    kind = type(KINDS[kind_name])(**(settings or {}))
    with cli.console.status("Reading the job file and what is in S3"):
        prepared = launch.prepare(kind, job, force=force)
        expected = estimate(prepared, out)
    estimated = expected.model_dump(mode="json") if prepared.launches else None
    if dry_run:
        _show_plan(prepared, expected, as_json=as_json)
        return
    local_folder(out)  # a folder that cannot be written to is told before the launch
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
    record = launch.start(prepared)
    try:
        if wait and not record.ended:
            with display.progress(cli.console) as show:
                record = follow(record, prepared.clients.sagemaker, show, watch=watch_of(prepared))
    except KeyboardInterrupt:
        print(
            f"\nNo longer following {record.job_name}; it goes on. Follow it again: the same command. "
            f"Stop it: {kind.stop_command(record.job_name)}",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None
    launch.store(record, prepared)
    path = write_local(record, out)

    _show_record(record, prepared, path, estimated, as_json=as_json)
    if record.ended and record.status != "Completed":
        reason = record.stopped.get(record.job_name) or record.failure_reason or record.secondary_status
        print(f"error: {kind.title} {record.job_name}: {record.status}: {' '.join(reason.split())}", file=sys.stderr)
        raise typer.Exit(1)


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
