"""Advise how to serve a model: kind of inference, silicon, size and scaling, ranked by carbon.

Figures are estimates of a month, each with its range and class; `docs/footprint.md` says how they are made. Exit
codes: 0 something serves, 1 nothing does (then: what would, for callers who wait), 2 the input cannot be used.

Examples:

* `smlops advise --region eu-north-1 --requests-per-day 5000 --latency cold_start --model-mb 200`
* `smlops advise --region eu-west-1 --requests-per-second 40 --peak 4 --latency 150 --duration 0.05`
* `smlops advise --region us-east-1 --requests-per-day 300 --latency minutes --accelerator any`
* `smlops advise --region eu-north-1 --requests-per-day 5000 --json | jq .options[0]`
"""

import json
from typing import Annotated, Any, cast

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError

app = cli.app()


@app.command(help=__doc__)
def advise(
    region: Annotated[str, typer.Option(help="Where it runs.")],
    requests_per_day: Annotated[float | None, typer.Option(help="Requests a day.")] = None,
    requests_per_second: Annotated[float | None, typer.Option(help="Average in the hours with traffic.")] = None,
    peak: Annotated[float, typer.Option(help="Busiest moment as a multiple of the average.")] = 3.0,
    hours_per_day: Annotated[float, typer.Option(help="Hours a day with traffic.")] = 24.0,
    latency: Annotated[
        str, typer.Option(help="p99 in ms, or what callers accept: cold_start, minutes (within the hour) or day.")
    ] = "cold_start",
    payload_kb: Annotated[float, typer.Option(help="The larger of request and answer.")] = 10.0,
    model_mb: Annotated[float, typer.Option(help="Size of the model.")] = 100.0,
    image_gb: Annotated[float, typer.Option(help="Size of the container image.")] = 2.0,
    duration: Annotated[
        float,
        typer.Option(
            help="Seconds a request keeps one vCPU, or the accelerators that hold one model, busy; "
            "where requests are served in batches, a batch's time by its requests."
        ),
    ] = 0.2,
    accelerator: Annotated[str, typer.Option(help="none, any (GPU or Neuron chip), or gpu.")] = "none",
    vpc: Annotated[bool, typer.Option("--vpc", help="The model has to be in a VPC.")] = False,
    provider: Annotated[
        int | None,
        typer.Option(help="Major version of the AWS provider in use; without it, instance types that 5 takes, too."),
    ] = None,
    as_json: cli.AsJson = False,
) -> None:
    """Advise how to serve a model."""
    from sustainable_mlops.advice import Need, advise, display
    from sustainable_mlops.advice.requirements import latency_of

    if (requests_per_day is None) == (requests_per_second is None):
        raise UserError("give either --requests-per-day or --requests-per-second")
    if requests_per_day is None:
        if cast("float", requests_per_second) <= 0:
            raise UserError(f"requests_per_second: {requests_per_second:g} must be more than 0")
        requests_per_day = cast("float", requests_per_second) * hours_per_day * 3600
    need = Need(
        region=region,
        requests_per_day=requests_per_day,
        peak=peak,
        hours_per_day=hours_per_day,
        latency=latency_of(latency),
        payload_kb=payload_kb,
        model_mb=model_mb,
        image_gb=image_gb,
        duration_s=duration,
        accelerator=cast("Any", accelerator),
        vpc=vpc,
        provider=provider,
    )
    found = advise(need)
    if as_json:
        print(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        display.show(found, cli.stdout())
    if not found.options:
        raise typer.Exit(1)
