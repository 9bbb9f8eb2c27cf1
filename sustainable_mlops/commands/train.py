"""Train a model on SageMaker, as a job file describes it.

Code, data, image, hyperparameters and machines identify a run. The same run is not trained twice: the command reports a
finished run, follows a running one, and resumes an interrupted one from its checkpoints.

The command prints the expected energy, carbon and cost before a launch, with intervals, their source, and the cleanest
and the cheapest alternative. Invalid requests exit with code 2 before anything is uploaded.

Exit codes: 0 trained, 1 the job failed or was stopped, 2 the input is not valid, 130 Ctrl-C (the job continues).

Examples:

* `smlops train workloads/flight_delay/job.yaml --dry-run`: the request and its estimate; nothing is launched
* `smlops train workloads/flight_delay/job.yaml --probe`: a short run, and the estimate that follows from it
* `smlops train workloads/flight_delay/job.yaml`: launch and follow
* `smlops train workloads/flight_delay/job.yaml --no-wait`: launch only; follow it without --no-wait
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
    probe: _job.Probe = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
    calibration: _job.Calibration = None,
) -> None:
    """Train a model."""
    _job.run(
        "training",
        job,
        dry_run=dry_run,
        force=force,
        wait=wait,
        as_json=as_json,
        out=out,
        calibration=calibration,
        probe=probe,
    )
