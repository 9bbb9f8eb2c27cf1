"""Let a model predict for data in S3, on SageMaker, as a job file describes it: batch transform.

What predicts is a run (its record), a version in the model registry, or a model.tar.gz. No endpoint is needed: machines
come for the job and go. The model of SageMaker that it asks is made once, under a name made from its content. A run is
named by what goes into it, and predictions that are there already are not made twice.

Batch transform has no managed spot, and SageMaker knows no cap for it: whoever follows the job stops it at
`limits.max_runtime_minutes`. Before a launch you see what it is expected to take (energy, carbon and cost).

Exit codes: 0 transformed, 1 the job failed or was stopped, 2 bad input, 130 Ctrl-C (the job goes on).

Examples:

* `smlops transform predict.yaml --dry-run`: the whole request and its estimate, nothing launched
* `smlops transform predict.yaml --model out/runs/flight-delay-20261124-150300-1a2b3c.json`
* `smlops transform predict.yaml --no-wait`: launch; the same command without it follows
* `smlops transform predict.yaml --json | jq .record.outputs.predictions`
"""

from typing import Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.commands import _job

app = cli.app()


@app.command(help=__doc__)
def transform(
    job: _job.File,
    model: Annotated[
        str | None,
        typer.Option(
            help="What predicts, in place of the file's: a run's record, a model package's ARN, an s3:// address."
        ),
    ] = None,
    dry_run: _job.DryRun = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
) -> None:
    """Predict for data in S3."""
    settings = {"model": model}
    _job.run("transform", job, dry_run=dry_run, force=force, wait=wait, as_json=as_json, out=out, settings=settings)
