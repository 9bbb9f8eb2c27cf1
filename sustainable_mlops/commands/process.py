"""Process data on SageMaker with a script, as a job file describes it.

The script and what it needs travel with the job into any framework image, or an image of one's own, and run without a
network. Inputs are replicated or dealt out over several instances by their keys; outputs go under the run's key. A run
is named by what goes into it, and what is done already is not done twice.

Processing has no managed spot. Before a launch you see what it is expected to take (energy, carbon and cost), and what
SageMaker would refuse ends with code 2 before anything is uploaded.

Exit codes: 0 processed, 1 the job failed or was stopped, 2 bad input, 130 Ctrl-C (the job goes on).

Examples:

* `smlops process prepare.yaml --dry-run`: the whole request and its estimate, nothing launched
* `smlops process prepare.yaml`: launch and follow
* `smlops process prepare.yaml --no-wait`: launch; the same command without it follows
* `smlops process prepare.yaml --json | jq .record.outputs`
"""

from sustainable_mlops import cli
from sustainable_mlops.commands import _job

app = cli.app()


@app.command(help=__doc__)
def process(
    job: _job.File,
    dry_run: _job.DryRun = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
) -> None:
    """Process data."""
    _job.run("processing", job, dry_run=dry_run, force=force, wait=wait, as_json=as_json, out=out)
