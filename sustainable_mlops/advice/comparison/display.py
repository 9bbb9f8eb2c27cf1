"""A comparison for a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.advice.comparison.crossovers import Crossover
from sustainable_mlops.advice.comparison.endpoint_comparison import ComparisonCell, ComparisonRow, EndpointComparison
from sustainable_mlops.footprint import FootprintFigure, format_number

_METRIC_TEXTS = {"total": "carbon", "cost": "cost"}


def print_comparison(found: EndpointComparison, out: Console) -> None:
    """Print it: a row an endpoint, a column a load, then where this project's kind changes and what is assumed."""
    table = Table(box=None, pad_edge=False, title=_format_title(found), title_justify="left", title_style="bold")
    table.add_column("a month", overflow="fold", max_width=40)
    for load in found.loads:
        table.add_column(f"{load:,.10g} requests a day", overflow="fold", max_width=30)
    for row in found.rows:
        if _find_common_refusal(row):
            continue
        chosen = [shape is not None and shape.name == row.shape.name for shape in found.best_shapes]
        name = Text(f"{row.shape.title}\n", "bold green" if any(chosen) else "bold")
        name.append(row.shape.defaults, "not bold dim")
        table.add_row(name, *(_format_cell(cell, mine) for cell, mine in zip(row.cells, chosen, strict=True)))
        table.add_row()
    out.print(table)
    for line in format_notes(found):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _find_common_refusal(row: ComparisonRow) -> str:
    """Why it serves none of the loads; empty where it serves one, or where the loads themselves say why not."""
    whys = {cell.refusal for cell in row.cells}
    return whys.pop() if len(whys) == 1 else ""


def _format_title(found: EndpointComparison) -> str:
    need = found.requirements
    wait = need.latency if isinstance(need.latency, str) else f"a p99 of {need.latency:g} ms"
    return f"In {need.region}; callers accept {wait}\n"


def _format_cell(cell: ComparisonCell, chosen: bool) -> Text:
    if cell.estimate is None:
        return Text(f"not served: {cell.refusal}", "dim")
    return Text("\n").join(
        [_format_figure(cell.get_figure("total"), chosen), _format_figure(cell.get_figure("cost"), chosen)]
    )


def _format_figure(figure: FootprintFigure | None, chosen: bool) -> Text:
    if figure is None:
        return Text("unknown")
    unit = figure.unit.removesuffix("CO2e")
    text = Text(f"{format_number(figure.central)} {unit}", "bold green" if chosen else "")
    return text.append(f" ({format_number(figure.low)} to {format_number(figure.high)})", "not bold dim")


def format_notes(found: EndpointComparison) -> Iterator[str]:
    """What follows, and what it rests on, as lines."""
    for number, load in enumerate(found.loads):
        yield from _format_ratios(found, number, load)
    yield from map(_format_crossover, found.crossovers)
    for row in found.rows:
        if whys := _find_common_refusal(row):
            yield f"{row.shape.title} does not serve this: {whys}."
        elif row.shape.is_ours and any(cell.estimate for cell in row.cells):
            most = format_number(row.max_requests_per_day)
            yield f"{row.shape.title} takes at most {most} requests a day by its defaults at this peak."
    theirs = " and of ".join(row.shape.publisher for row in found.rows if not row.shape.is_ours)
    yield (
        f"Another model, bad or good, never reaches the endpoint of {theirs}: it takes the old one's name, and an "
        "endpoint follows a new name of its configuration alone. Apply succeeds, the next plan is empty, and the first "
        "model answers."
    )
    need = found.requirements
    yield (
        f"The same of each: a request keeps one vCPU busy for {need.duration_s:g} s, or an accelerator for "
        f"{found.accelerated_duration_s:g} s, which is taken and not measured; the busiest moment has {need.peak:g} times the "
        f"average; the model is of {need.model_mb:g} MB. kg is kgCO2e, operational and embodied; ranges are those of "
        "docs/footprint.md. Logs, images, the models in S3 and the volumes' price are left out, and of serverless what "
        "AWS keeps ready between requests, which it does not publish, and the starts of workers. Both public modules "
        "scale where their user says how, and the second is asynchronous or serverless where he asks for it."
    )


def _format_ratios(found: EndpointComparison, number: int, load: float) -> Iterator[str]:
    """How many times as much the other modules use."""
    shape = found.best_shapes[number]
    if shape is None:
        yield f"{load:,.10g} a day: by its defaults none of this project's endpoints serves it."
        return
    ratios = [
        f"{row.shape.publisher} about {format_number(kg)} x the carbon and {format_number(usd)} x the cost"
        for row in found.rows
        if not row.shape.is_ours
        and (kg := found.compute_ratio(row.shape.name, number, "total")) is not None
        and (usd := found.compute_ratio(row.shape.name, number, "cost")) is not None
    ]
    if ratios:
        yield f"{load:,.10g} a day: beside {shape.title}, {'; '.join(ratios)}."


def _format_crossover(one: Crossover) -> str:
    may = "at any load" if one.low is None else f"perhaps from {format_number(one.low)}"
    surely = "at none for sure" if one.high is None else f"surely from {format_number(one.high)}"
    raised = ""
    if one.before_maximum < one.requests_per_day:
        raised = f"; with more machines than its defaults, as {one.before} takes {format_number(one.before_maximum)} by these"
    return (
        f"By {_METRIC_TEXTS[one.metric]}, {one.after} is the better of this project's kinds from "
        f"{format_number(one.requests_per_day)} requests a day on ({may}, {surely}{raised})."
    )
