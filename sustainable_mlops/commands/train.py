"""Train a model on SageMaker, as a job file describes it.

A run is named by what goes into it (code, data, image, hyperparameters, machines). The same run is not trained
twice: one that is done is reported, one that is running is followed, one that was interrupted goes on from its
checkpoints.

Before a launch you see what it is expected to take (energy, carbon and cost, each as a range), what that rests on, and
the cleanest and the cheapest alternative. What SageMaker would refuse ends with code 2 before anything is uploaded.

Exit codes: 0 trained, 1 the job failed or was stopped, 2 bad input, 130 Ctrl-C (the job goes on).

Examples:

* `smlops train workloads/flight_delay/job.yaml --dry-run`: the whole request and its estimate, nothing launched
* `smlops train workloads/flight_delay/job.yaml`: launch and follow
* `smlops train workloads/flight_delay/job.yaml --no-wait`: launch; the same command without it follows
* `smlops train workloads/flight_delay/job.yaml --json | jq .record.metrics`
* `smlops train workloads/flight_delay/job.yaml --dry-run --json | jq .estimate.figures.co2e`
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(help=__doc__)
def train(
    job: Annotated[Path, typer.Argument(help="The job file.", metavar="JOB.yaml")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; upload and launch nothing.")] = (
        False
    ),
    force: Annotated[bool, typer.Option("--force", help="Train from the start even if this run is done.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow the job to its end.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of records (runs/JOB.json), old and new.")] = Path("out"),
) -> None:
    """Train a model."""
    from sustainable_mlops.jobs import display, launch
    from sustainable_mlops.jobs.estimate import estimate
    from sustainable_mlops.jobs.record import local_folder, write_local
    from sustainable_mlops.jobs.wait import wait as follow

    with cli.console.status("Reading the job file and what is in S3"):
        prepared = launch.prepare(job, force=force)
        expected = estimate(prepared, out)
    estimated = expected.model_dump(mode="json") if dry_run or prepared.launches else None
    if dry_run:
        answer = {
            "outcome": "dry run",
            "decision": prepared.decision,
            "run_key": prepared.record.run_key,
            "source": {"files": prepared.package.files, "left_out": prepared.package.left_out},
            "request": prepared.request,
            "estimate": estimated,
        }
        print(json.dumps(answer if as_json else prepared.request, indent=2))
        if not as_json:
            cli.stdout().print(display.plan(prepared, expected), crop=False)
        return
    local_folder(out)  # a folder that cannot be written to is told before the launch
    if prepared.launches and not as_json:
        cli.console.print(display.estimate(expected))
    for text in display.missing(prepared.package):
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)

    record = launch.start(prepared)
    try:
        if wait and not record.ended:
            with display.progress(cli.console) as show:
                record = follow(record, prepared.clients.sagemaker, show)
    except KeyboardInterrupt:
        print(
            f"\nNo longer following {record.job_name}; it goes on. Follow it again: the same command. "
            f"Stop it: aws sagemaker stop-training-job --training-job-name {record.job_name}",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None
    launch.store(record, prepared)
    path = write_local(record, out)

    outcome = {"start": "trained", "resume": "trained", "attach": "attached"}.get(prepared.decision, prepared.decision)
    outcome = outcome if record.ended else "launched"
    if as_json:
        print(
            json.dumps({"outcome": outcome, "record": record.model_dump(mode="json"), "estimate": estimated}, indent=2)
        )
    else:
        if prepared.decision == "done":
            cli.console.print("This run is trained already; nothing was launched (--force trains it again).")
        cli.stdout().print(display.summary(record), soft_wrap=True)
        print(f"Record: {path}", file=sys.stderr)
    if record.ended and record.status != "Completed":
        reason = " ".join((record.failure_reason or record.secondary_status).split())
        print(f"error: training job {record.job_name}: {record.status}: {reason}", file=sys.stderr)
        raise typer.Exit(1)
