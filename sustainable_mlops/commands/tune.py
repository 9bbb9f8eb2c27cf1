"""Tune hyperparameters on SageMaker, as a tuning file describes it: a training, ranges, and a stopping rule.

A search learns from its jobs (`bayesian`), stops jobs that cannot win, ends if nothing improves, and can start from
earlier searches. The same search is not made twice: the command reports a finished one, follows a running one, and
continues an interrupted one. `smlops register` registers the best model.

Exit codes: 0 tuned, 1 the tuning failed or was stopped, 2 the input is not valid, 130 Ctrl-C (it continues).

Examples:

* `smlops tune workloads/flight_delay/tune.yaml --dry-run`: the request and its estimate; nothing is launched
* `smlops tune workloads/flight_delay/tune.yaml --probe`: one short training, and the estimate of the search
* `smlops tune workloads/flight_delay/tune.yaml`: launch and follow
* `smlops tune workloads/flight_delay/tune.yaml --no-wait`: launch only; follow it without --no-wait
* `smlops tune workloads/flight_delay/tune.yaml --json | jq .record.trials`
"""

from sustainable_mlops import cli
from sustainable_mlops.commands import _job

app = cli.app()


@app.command(help=__doc__)
def tune(
    job: _job.File,
    dry_run: _job.DryRun = False,
    probe: _job.Probe = False,
    force: _job.Force = False,
    wait: _job.Wait = True,
    as_json: cli.AsJson = False,
    out: _job.Out = _job.RECORDS,
    calibration: _job.Calibration = None,
) -> None:
    """Tune hyperparameters."""
    _job.run(
        "tuning",
        job,
        dry_run=dry_run,
        force=force,
        wait=wait,
        as_json=as_json,
        out=out,
        calibration=calibration,
        probe=probe,
    )
