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

from sustainable_mlops import cli
from sustainable_mlops.commands import _job

app = cli.app()


@app.command(help=__doc__)
def train(
    job: _job.File,
    dry_run: _job.DryRun = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
) -> None:
    """Train a model."""
    _job.run("training", job, dry_run=dry_run, force=force, wait=wait, as_json=as_json, out=out)
