"""Terminal output of a comparison."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.advice.comparison.crossovers import Crossover
from sustainable_mlops.advice.comparison.endpoint_comparison import ComparisonCell, ComparisonRow, EndpointComparison
from sustainable_mlops.advice.wording import format_figure_cell, list_legend
from sustainable_mlops.footprint import FootprintFigure, format_number

_METRIC_TEXTS = {"total": "carbon", "cost": "cost"}


def print_comparison(comparison: EndpointComparison, out: Console) -> None:
    """Print a row per endpoint and a column per load, then the crossovers and the assumptions."""
    table = Table(box=None, pad_edge=False, title=_format_title(comparison), title_justify="left", title_style="bold")
    table.add_column("a month", overflow="fold", max_width=40)
    for load in comparison.loads:
        table.add_column(f"{load:,.10g} requests a day", overflow="fold", max_width=30)
    for row in comparison.rows:
        if _find_common_refusal(row):
            continue
        is_best = [shape is not None and shape.name == row.shape.name for shape in comparison.best_shapes]
        name = Text(f"{row.shape.title}\n", "bold green" if any(is_best) else "bold")
        name.append(row.shape.defaults, "not bold dim")
        table.add_row(
            name, *(_format_cell(cell, is_best_cell) for cell, is_best_cell in zip(row.cells, is_best, strict=True))
        )
        table.add_row()
    out.print(table)
    for line in format_notes(comparison):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _find_common_refusal(row: ComparisonRow) -> str:
    """Return the reason why the endpoint serves none of the loads; empty if the reasons differ or it serves one."""
    refusals = {cell.refusal for cell in row.cells}
    return refusals.pop() if len(refusals) == 1 else ""


def _format_title(comparison: EndpointComparison) -> str:
    requirements = comparison.requirements
    latency = requirements.latency if isinstance(requirements.latency, str) else f"a p99 of {requirements.latency:g} ms"
    return f"In {requirements.region}; callers accept {latency}\n"


def _format_cell(cell: ComparisonCell, is_best: bool) -> Text:
    if cell.estimate is None:
        return Text(f"not served: {cell.refusal}", "dim")
    return Text("\n").join(
        [_format_figure(cell.get_figure("total"), is_best), _format_figure(cell.get_figure("cost"), is_best)]
    )


def _format_figure(figure: FootprintFigure | None, is_best: bool) -> Text:
    value, interval = format_figure_cell(figure)
    return Text(value, "bold green" if is_best else "").append(f" {interval}" if interval else "", "not bold dim")


def format_notes(comparison: EndpointComparison) -> Iterator[str]:
    """Yield the conclusions and the assumptions as lines."""
    for number, load in enumerate(comparison.loads):
        yield from _format_ratios(comparison, number, load)
    yield from map(_format_crossover, comparison.crossovers)
    for row in comparison.rows:
        if refusal := _find_common_refusal(row):
            yield f"{row.shape.title} cannot serve this: {refusal}."
        elif row.shape.is_ours and any(cell.estimate for cell in row.cells):
            maximum = format_number(row.max_requests_per_day)
            yield f"{row.shape.title} serves at most {maximum} requests a day with its defaults and this peak."
    public_modules = " and ".join(row.shape.publisher for row in comparison.rows if not row.shape.is_ours)
    yield (
        f"The endpoints of {public_modules} never change to a new model: the modules keep the name of the endpoint "
        "configuration, and SageMaker updates an endpoint only for a new name. The apply succeeds, the next plan is "
        "empty, and the first model still answers."
    )
    requirements = comparison.requirements
    yield (
        f"Assumptions for all: a request keeps one vCPU busy for {requirements.duration_s:g} s, or an accelerator for "
        f"{comparison.accelerated_duration_s:g} s (not measured); the busiest moment has {requirements.peak:g} times "
        f"the average; the model has {requirements.model_mb:g} MB. Not included: logs, images, models in S3, "
        "the price of volumes, and the start of serverless workers. The capacity that AWS keeps ready between "
        "serverless requests is not included either, because AWS does not publish it. Both public "
        "modules can scale if the user configures it, and the second can be asynchronous or serverless."
    )
    figures = [(row.shape.title, cell.get_figure("total")) for row in comparison.rows for cell in row.cells]
    yield from (f"{title}: {text}." for title, text in list_legend(figures))


def _format_ratios(comparison: EndpointComparison, number: int, load: float) -> Iterator[str]:
    """Yield the usage of the other modules relative to this project's best endpoint."""
    shape = comparison.best_shapes[number]
    if shape is None:
        yield f"{load:,.10g} a day: no endpoint of this project serves it with its defaults."
        return
    ratios = [
        f"{row.shape.publisher} about {format_number(kg)} x the carbon and {format_number(usd)} x the cost"
        for row in comparison.rows
        if not row.shape.is_ours
        and (kg := comparison.compute_ratio(row.shape.name, number, "total")) is not None
        and (usd := comparison.compute_ratio(row.shape.name, number, "cost")) is not None
    ]
    if ratios:
        yield f"{load:,.10g} a day: relative to {shape.title}, {'; '.join(ratios)}."


def _format_crossover(crossover: Crossover) -> str:
    possible = "at any load" if crossover.low is None else f"possibly from {format_number(crossover.low)}"
    certain = "certain at no load" if crossover.high is None else f"certainly from {format_number(crossover.high)}"
    note = ""
    if crossover.before_maximum < crossover.requests_per_day:
        maximum = format_number(crossover.before_maximum)
        note = f"; this assumes more instances for {crossover.before}, which serves at most {maximum} with its defaults"
    return (
        f"By {_METRIC_TEXTS[crossover.metric]}, {crossover.after} is the better kind of endpoint of this project above "
        f"{format_number(crossover.requests_per_day)} requests a day ({possible}, {certain}{note})."
    )
