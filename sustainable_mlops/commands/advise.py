"""Rank the ways to serve a model by carbon: kind of endpoint, silicon, size and scaling.

Figures are estimates for a month, each with an interval and a class; `docs/footprint.md` explains them.

Exit codes: 0 an option fits, 1 none fits (it prints the options for callers who can wait), 2 the input is not valid.

Examples:

* `smlops advise --region eu-north-1 --requests-per-day 5000 --latency cold_start --model-mb 200`
* `smlops advise --region eu-west-1 --requests-per-second 40 --peak 4 --latency 150 --duration 0.05`
* `smlops advise --region us-east-1 --requests-per-day 300 --latency minutes --accelerator any`
* `smlops advise --region eu-north-1 --requests-per-day 5000 --json | jq .options[0]`
"""

import json
from typing import Annotated, Any, cast

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import _load

app = cli.create_app()


@app.command(help=__doc__)
def advise(
    region: Annotated[str, typer.Option(help="Region of the endpoint.")],
    requests_per_day: Annotated[float | None, typer.Option(help="Requests a day.")] = None,
    requests_per_second: Annotated[float | None, typer.Option(help="Average rate in the hours with traffic.")] = None,
    peak: _load.Peak = 3.0,
    hours_per_day: Annotated[float, typer.Option(help="Hours a day with traffic.")] = 24.0,
    latency: _load.Latency = "cold_start",
    payload_kb: _load.PayloadKb = 10.0,
    model_mb: _load.ModelMb = 100.0,
    image_gb: Annotated[float, typer.Option(help="Size of the container image, in GB.")] = 2.0,
    duration: Annotated[
        float,
        typer.Option(
            help="Seconds for which a request keeps one vCPU, or the accelerators of one model, busy. "
            "For batches: the seconds of a batch divided by its requests."
        ),
    ] = 0.2,
    accelerator: _load.Accelerator = "none",
    vpc: Annotated[bool, typer.Option("--vpc", help="The model must be in a VPC.")] = False,
    provider: Annotated[
        int | None,
        typer.Option(help="Major version of the AWS provider; the default allows only instance types of version 5."),
    ] = None,
    as_json: cli.AsJson = False,
) -> None:
    """Rank the ways to serve a model."""
    from sustainable_mlops.advice import ServingRequirements, display, make_advice
    from sustainable_mlops.advice.requirements import parse_latency
    from sustainable_mlops.advice.wording import describe_implausible_load

    if (requests_per_day is None) == (requests_per_second is None):
        raise UserError("pass either --requests-per-day or --requests-per-second")
    if requests_per_day is None:
        if cast("float", requests_per_second) <= 0:
            raise UserError(f"--requests-per-second: {requests_per_second:g} must be more than 0")
        requests_per_day = cast("float", requests_per_second) * hours_per_day * 3600
    requirements = ServingRequirements(
        region=region,
        requests_per_day=requests_per_day,
        peak=peak,
        hours_per_day=hours_per_day,
        latency=parse_latency(latency),
        payload_kb=payload_kb,
        model_mb=model_mb,
        image_gb=image_gb,
        duration_s=duration,
        accelerator=cast("Any", accelerator),
        vpc=vpc,
        provider=provider,
    )
    if warning := describe_implausible_load(requests_per_day):
        cli.say(warning)
    advice = make_advice(requirements)
    if as_json:
        print(json.dumps(advice.to_dict(), indent=2, allow_nan=False))
    else:
        display.print_advice(advice, cli.make_stdout_console())
    if not advice.options:
        raise typer.Exit(1)
