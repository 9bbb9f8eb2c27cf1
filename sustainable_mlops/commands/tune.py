"""Tune hyperparameters on SageMaker, as a tuning file describes it: a training job, ranges and a stopping rule.

A tuning job learns from its training jobs (`bayesian`), stops training jobs that cannot win, ends if nothing improves,
and can start from earlier tuning jobs. The same tuning job does not run twice: the command reports a finished one,
follows a running one, and continues an interrupted one. `smlops register` registers the best model.

Exit codes: 0 tuned, 1 the tuning job failed or was stopped, 2 the input is not valid, 130 Ctrl-C (it continues).

Examples:

* `smlops tune workloads/flight_delay/tune.yaml --dry-run`: the request and its estimate; nothing is launched
* `smlops tune workloads/flight_delay/tune.yaml --probe`: one short training job, and the estimate of the tuning job
* `smlops tune workloads/flight_delay/tune.yaml`: launch and follow
* `smlops tune workloads/flight_delay/tune.yaml --no-wait`: launch only; follow it without --no-wait
* `smlops tune workloads/flight_delay/tune.yaml --json | jq .record.trials`
"""

from sustainable_mlops.commands import _job

app = _job.make_app("tuning", __doc__)
