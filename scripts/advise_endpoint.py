#!/usr/bin/env python
"""Advise how to serve a model: kind of inference, silicon, size and scaling, ranked by carbon.

Figures are estimates of a month, each with its range and class; `docs/footprint.md` says how they are made. Exit
codes: 0 something serves, 1 nothing does (then: what would, for callers who wait), 2 the input cannot be used.

Examples:

* `scripts/advise_endpoint.py --region eu-north-1 --requests-per-day 5000 --latency cold_start --model-mb 200`
* `scripts/advise_endpoint.py --region eu-west-1 --requests-per-second 40 --peak 4 --latency 150 --duration 0.05`
* `scripts/advise_endpoint.py --region us-east-1 --requests-per-day 300 --latency minutes --accelerator any`
* `scripts/advise_endpoint.py --region eu-north-1 --requests-per-day 5000 --json | jq .options[0]`
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops import cli
from sustainable_mlops.advice import Advice, Need, Option, Refusal, advise
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Advise how to serve a model."""
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
        latency=_latency(latency),
        payload_kb=payload_kb,
        model_mb=model_mb,
        image_gb=image_gb,
        duration_s=duration,
        accelerator=cast("Any", accelerator),
        vpc=vpc,
        provider=provider,
    )
    advice = advise(need)
    if as_json:
        print(json.dumps(advice.to_dict(), indent=2, allow_nan=False))
    else:
        _show(advice)
    if not advice.options:
        raise typer.Exit(1)


def _latency(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text  # a word, which Need judges


def _show(advice: Advice) -> None:
    out = Console(highlight=False)
    if advice.options:
        out.print(f"[bold]Advice for {advice.need.region}: {advice.options[0].title}[/]\n")
        _options(out, advice.options)
    else:
        out.print("[bold red]Nothing serves this need.[/]")
    if advice.refused:
        _section(out, "Refused", _refused(advice.refused))
    if (wait := advice.if_callers_wait) is not None:
        out.print(f"\n[bold]If callers accept --latency {wait.need.latency}: {wait.options[0].title}[/]\n")
        _options(out, wait.options)


def _options(out: Console, options: Sequence[Option]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("best first", no_wrap=True)
    table.add_column("kgCO2e a month")
    table.add_column("USD a month")
    for number, option in enumerate(options, 1):
        on = "" if option.kind == "serverless" else f" on {option.silicon}"
        what = Text(f"{option.kind}{on}\n", "bold green" if number == 1 else "bold")
        what.append(f"{option.size}, {option.min_instances} to {option.max_instances}", "not bold")
        figures = (_figure(option.estimate.get(metric)) for metric in ("total", "cost"))
        table.add_row(str(number), what, *figures)
    out.print(table)
    _section(out, "Why", _notes([option.reasons for option in options]))
    _section(out, "Check first", _notes([option.checks for option in options]))


def _figure(figure: Figure | None) -> Text:
    if figure is None:
        return Text("unknown")
    return Text(f"{shown(figure.central)}\n{shown(figure.low)} to {shown(figure.high)} ({figure.grade})")


def _notes(texts: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the numbers of the options that have it."""
    for text in dict.fromkeys(text for of_one in texts for text in of_one):
        numbers = [number for number, of_one in enumerate(texts, 1) if text in of_one]
        row = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
        some = f"{numbers[0]} to {numbers[-1]}" if row else ", ".join(map(str, numbers))
        yield "all" if len(numbers) == len(texts) > 1 else some, text


def _refused(refused: Sequence[Refusal]) -> Iterator[tuple[str, str]]:
    """What is refused for the same reasons, once."""
    grouped: dict[tuple[str, bool], list[Refusal]] = {}
    for one in refused:
        grouped.setdefault(("; ".join(one.reasons), bool(one.silicon)), []).append(one)
    for (reasons, _), ones in grouped.items():
        silicon = ", ".join(dict.fromkeys(one.silicon for one in ones if one.silicon))
        kinds = ", ".join(dict.fromkeys(one.kind for one in ones))
        yield silicon or kinds, f"{reasons} ({kinds})" if silicon else reasons


def _section(out: Console, title: str, rows: Iterator[tuple[str, str]]) -> None:
    table = Table.grid("", "", padding=(0, 2))
    table.columns[0].max_width = 24
    for row in rows:
        table.add_row(*map(Text, row))
    if table.row_count:
        out.print(f"\n[bold]{title}[/]")
        out.print(table)


if __name__ == "__main__":
    cli.run(app)
