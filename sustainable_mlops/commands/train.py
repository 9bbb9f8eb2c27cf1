"""Train a model on SageMaker, as a job file describes it.

Code, data, image, hyperparameters and instances identify a run. The same run is not trained twice: the command reports
a finished run, follows a running one, and resumes an interrupted one from its checkpoints.

The command prints the expected energy, carbon and cost before a launch, with intervals, their source, and the cleanest
and the cheapest alternative. Invalid requests exit with code 2 before anything is uploaded.

Exit codes: 0 trained, 1 the job failed or was stopped, 2 the input is not valid, 130 Ctrl-C (the job continues).

Examples:

* `smlops train workloads/flight_delay/job.yaml --dry-run`: the request and its estimate; nothing is launched
* `smlops train workloads/flight_delay/job.yaml --probe`: a short run, and the estimate from its measurements
* `smlops train workloads/flight_delay/job.yaml`: launch and follow
* `smlops train workloads/flight_delay/job.yaml --no-wait`: launch only; follow it without --no-wait
* `smlops train workloads/flight_delay/job.yaml --json | jq .record.metrics`
* `smlops train workloads/flight_delay/job.yaml --dry-run --json | jq .estimate.figures.co2e`
"""

from sustainable_mlops.commands import _job

app = _job.make_app("training", __doc__)
