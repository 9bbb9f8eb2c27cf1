"""Process data on SageMaker with a script, as a job file describes it.

The script and its files travel with the job into any framework image, or into your own image, and run without a
network. Each instance gets a copy of an input, or a share of its objects by key. Outputs go under the run's key. The
inputs identify a run, and a finished run is not repeated.

Processing has no managed spot. The command prints the expected energy, carbon and cost before a launch. Invalid
requests exit with code 2 before anything is uploaded.

Exit codes: 0 processed, 1 the job failed or was stopped, 2 the input is not valid, 130 Ctrl-C (the job continues).

Examples:

* `smlops process prepare.yaml --dry-run`: the request and its estimate; nothing is launched
* `smlops process prepare.yaml`: launch and follow
* `smlops process prepare.yaml --no-wait`: launch only; follow it without --no-wait
* `smlops process prepare.yaml --json | jq .record.outputs`
"""

from sustainable_mlops.commands import _job

app = _job.make_app("processing", __doc__)
