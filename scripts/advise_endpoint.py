#!/usr/bin/env python
"""Advise how to serve a model: kind of inference, silicon, size and scaling, ranked by carbon.

Figures are estimates of a month, each with its range and class; `docs/footprint.md` says how they are made.

Examples:

* `scripts/advise_endpoint.py --region eu-north-1 --requests-per-day 5000 --latency cold_start --model-mb 200`
* `scripts/advise_endpoint.py --region eu-west-1 --requests-per-second 40 --peak 4 --latency 150 --duration 0.05`
* `scripts/advise_endpoint.py --region us-east-1 --requests-per-day 300 --latency minutes --accelerator any`
* `scripts/advise_endpoint.py --region eu-north-1 --requests-per-day 5000 --json | jq .options[0]`
"""

import json
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops import cli
from sustainable_mlops.advice import Advice, Need, advise
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import Figure, shown

app = cli.app("advise_endpoint", __doc__)


@app.command(help=__doc__)
def main(
    region: Annotated[str, typer.Option(help="Where it runs.")],
    requests_per_day: Annotated[float | None, typer.Option(help="Requests a day.")] = None,
    requests_per_second: Annotated[float | None, typer.Option(help="Average in the hours with traffic.")] = None,
    peak: Annotated[float, typer.Option(help="Busiest moment as a multiple of the average.")] = 3.0,
    hours_per_day: Annotated[float, typer.Option(help="Hours a day with traffic.")] = 24.0,
    latency: Annotated[str, typer.Option(help="p99 in ms, or cold_start, or minutes (within the hour).")] = (
        "cold_start"
    ),
    payload_kb: Annotated[float, typer.Option(help="The larger of request and answer.")] = 10.0,
    model_mb: Annotated[float, typer.Option(help="Size of the model.")] = 100.0,
    image_gb: Annotated[float, typer.Option(help="Size of the container image.")] = 2.0,
    duration: Annotated[float, typer.Option(help="Seconds a request keeps one vCPU or accelerator busy.")] = 0.2,
    accelerator: Annotated[str, typer.Option(help="none, any (GPU or Neuron chip), or gpu.")] = "none",
    vpc: Annotated[bool, typer.Option("--vpc", help="The model has to be in a VPC.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Advise how to serve a model."""
    if (requests_per_day is None) == (requests_per_second is None):
        raise UserError("give either --requests-per-day or --requests-per-second")
    need = Need(
        region=region,
        requests_per_day=requests_per_day or (requests_per_second or 0.0) * hours_per_day * 3600,
        peak=peak,
        hours_per_day=hours_per_day,
        latency=_latency(latency),
        payload_kb=payload_kb,
        model_mb=model_mb,
        image_gb=image_gb,
        duration_s=duration,
        accelerator=cast("Any", accelerator),
        vpc=vpc,
    )
    advice = advise(need)
    if as_json:
        print(json.dumps(advice.to_dict(), indent=2, allow_nan=False))
    else:
        _show(advice)


def _latency(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text  # a word, which Need judges


def _show(advice: Advice) -> None:
    out = Console()
    table = Table("", "kind", "size", "min-max", "kgCO2e a month", "USD a month", "why", box=None)
    for number, option in enumerate(advice.options, 1):
        kg, usd = (_figure(option.estimate.get(metric)) for metric in ("total", "cost"))
        scale = f"{option.min_instances}-{option.max_instances}"
        size = option.size if option.kind == "serverless" else f"{option.size} ({option.silicon})"
        table.add_row(str(number), option.kind, size, scale, kg, usd, "; ".join(option.reasons))
    out.print(table if advice.options else "Nothing serves this need.")
    for one in advice.refused:
        name = f"{one.kind}, {one.silicon}" if one.silicon else one.kind
        out.print(Text(f"not {name}: {'; '.join(one.reasons)}"), soft_wrap=True)


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return "unknown"
    return f"{shown(figure.central)} ({shown(figure.low)} to {shown(figure.high)}, {figure.grade})"


if __name__ == "__main__":
    cli.run(app)
