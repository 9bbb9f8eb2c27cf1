"""Compare this project's endpoints with endpoints of public Terraform modules at several loads.

Each endpoint has its defaults. The command prints kgCO2e and USD of a month, with intervals, and the load at which
another kind of endpoint becomes better. The endpoints are plain HCL with plans
(sustainable_mlops/advice/comparison/shapes). `docs/footprint.md` explains the figures. The duration of a request is
assumed: pass your own measurement.

Exit codes: 0 compared, 2 the input is not valid.

Examples:

* `smlops compare`
* `smlops compare --region eu-west-1 --duration 0.05 --accelerated-duration 0.004`
* `smlops compare --requests-per-day 50 --requests-per-day 500000 --latency 300`
* `smlops compare --latency minutes --model-mb 400 --json | jq .crossovers`
"""

import json
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import _load

app = cli.create_app()


@app.command(help=__doc__)
def compare(
    region: Annotated[
        str, typer.Option(help="Region of all endpoints; the default offers every instance type of the comparison.")
    ] = "us-east-1",
    requests_per_day: Annotated[
        list[float] | None, typer.Option(help="Requests a day. Repeatable.", show_default="10, 1,000 and 100,000")
    ] = None,
    duration: Annotated[float, typer.Option(help="Seconds for which a request keeps one vCPU busy.")] = 0.2,
    accelerated_duration: Annotated[
        float | None,
        typer.Option(
            help="Seconds for which a request keeps an accelerator busy.", show_default="a tenth of --duration"
        ),
    ] = None,
    peak: _load.Peak = 3.0,
    latency: _load.Latency = "cold_start",
    model_mb: _load.ModelMb = 100.0,
    as_json: cli.AsJson = False,
) -> None:
    """Compare the endpoints."""
    from sustainable_mlops.advice import ServingRequirements
    from sustainable_mlops.advice.comparison import LOADS, compare_endpoints, display
    from sustainable_mlops.advice.requirements import parse_latency
    from sustainable_mlops.advice.wording import describe_implausible_load

    if accelerated_duration is not None and not accelerated_duration > 0:
        raise UserError(f"--accelerated-duration: {accelerated_duration:g} must be more than 0")
    requirements = ServingRequirements(
        region=region,
        requests_per_day=LOADS[0],
        peak=peak,
        latency=parse_latency(latency),
        model_mb=model_mb,
        duration_s=duration,
    )
    if warning := describe_implausible_load(max(requests_per_day or LOADS)):
        cli.say(warning)
    comparison = compare_endpoints(requirements, requests_per_day or LOADS, accelerated_duration)
    if as_json:
        print(json.dumps(comparison.to_dict(), indent=2, allow_nan=False))
    else:
        display.print_comparison(comparison, cli.make_stdout_console())
