"""Tune hyperparameters on SageMaker, as a tuning file describes it: a training, ranges, and when to stop.

A search learns from its jobs (`bayesian`), stops those that will not win, ends when nothing improves, and begins from
earlier ones where told to. The same search is not made twice: one that is done is reported, one that is running is
followed, one that was cut short goes on from the jobs there are. The best model is the run's, for `smlops register`.

Exit codes: 0 tuned, 1 the tuning failed or was stopped, 2 bad input, 130 Ctrl-C (it goes on).

Examples:

* `smlops tune workloads/flight_delay/tune.yaml --dry-run`: the whole request and its estimate, nothing launched
* `smlops tune workloads/flight_delay/tune.yaml`: launch and follow
* `smlops tune workloads/flight_delay/tune.yaml --no-wait`: launch; the same command without it follows
* `smlops tune workloads/flight_delay/tune.yaml --json | jq .record.trials`
"""

from sustainable_mlops import cli
from sustainable_mlops.commands import _job

app = cli.app()


@app.command(help=__doc__)
def tune(
    job: _job.File,
    dry_run: _job.DryRun = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
) -> None:
    """Tune hyperparameters."""
    _job.run("tuning", job, dry_run=dry_run, force=force, wait=wait, as_json=as_json, out=out)
