"""Predict for data in S3 on SageMaker, as a job file describes it: batch transform.

The model is the record of a run, a version in the model registry, or a model.tar.gz. The job needs no endpoint: its
instances stop at its end. SageMaker's model is created once, under a name made from its content. The inputs identify a
run, and existing predictions are not made twice.

Batch transform has no managed spot and no runtime limit: the command stops the job at `limits.max_runtime_minutes`. It
prints the expected energy, carbon and cost before a launch.

Exit codes: 0 transformed, 1 the job failed or was stopped, 2 the input is not valid, 130 Ctrl-C (the job continues).

Examples:

* `smlops transform predict.yaml --dry-run`: the request and its estimate; nothing is launched
* `smlops transform predict.yaml --model out/runs/flight-delay-20261124-150300-1a2b3c.json`
* `smlops transform predict.yaml --no-wait`: launch only; the same command without --no-wait follows the job
* `smlops transform predict.yaml --download predictions`: copy the predictions to the folder `predictions`
* `smlops transform predict.yaml --json | jq .record.outputs.predictions`
"""

from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import _job

app = cli.create_app()


@app.command(help=__doc__)
def transform(
    job: _job.File,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model instead of the file's model: a run's record, a model package's ARN, or an s3:// address."
        ),
    ] = None,
    download: Annotated[
        Path | None, typer.Option(help="Folder for a copy of the predictions.", metavar="DIR", show_default=False)
    ] = None,
    dry_run: _job.DryRun = False,
    probe: _job.Probe = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
    calibration: _job.Calibration = None,
) -> None:
    """Predict for data in S3."""
    if download is not None and not wait:
        raise UserError("--download copies the outputs after the job has ended; remove --no-wait")
    settings = {"model": model}
    _job.run(
        "transform",
        job,
        dry_run=dry_run,
        force=force,
        wait=wait,
        as_json=as_json,
        out=out,
        settings=settings,
        download=download,
        probe=probe,
        calibration=calibration,
    )
