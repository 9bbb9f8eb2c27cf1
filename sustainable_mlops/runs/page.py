"""HTML page of runs: one file without scripts and external content, for phones and print too."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.review import formats
from sustainable_mlops.runs.axis import fit_axis
from sustainable_mlops.runs.interval_coverage import measure_coverage
from sustainable_mlops.runs.values import get_figure

#: Template folders; the shared style is in the folder of the review.
_FOLDERS = (Path(__file__).parent, Path(formats.__file__).parent)
#: Maximum number of runs in a chart; the newest are drawn.
MAX_POINTS = 40


@dataclass(frozen=True)
class ChartPoint:
    """A run in a chart: its number and its position in percent; `low` and `high` are its interval."""

    number: int
    x: float
    low: float
    high: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Chart of the metric (vertical) against a figure (horizontal)."""

    title: str
    unit: str
    metric: str
    points: tuple[ChartPoint, ...]
    #: Position in percent and text.
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    #: Number of runs without the metric or the figure.
    missing: int


def render_page(records: Sequence[RunRecord], metric: str | None, source: str) -> str:
    """Return the page of these runs, numbered in their order. Names are escaped, and no script can run."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["format_number"] = format_number
    numbered = list(enumerate(records, 1))
    drawn = numbered[:MAX_POINTS]
    charts = [
        chart
        for key, title, unit in (("kg", "carbon", "kgCO2e"), ("usd", "cost", "USD"))
        if metric and (chart := _make_chart(drawn, metric, key, title, unit))
    ]
    return environment.get_template("page.html.j2").render(
        source=source,
        metric=metric,
        charts=charts,
        runs=[
            (number, record, *(get_figure(record, key) for key in ("kg", "usd", "seconds")))
            for number, record in numbered
        ],
        undrawn=len(numbered) - len(drawn),
        coverage=measure_coverage(records),
        workloads=sorted({record.workload for record in records}),
    )


def _make_chart(
    numbered: Sequence[tuple[int, RunRecord]], metric: str, key: str, title: str, unit: str
) -> Chart | None:
    drawable = [
        (number, record, run_figure, record.metrics[metric])
        for number, record in numbered
        if (run_figure := get_figure(record, key)) is not None and run_figure.value > 0 and metric in record.metrics
    ]
    axis = fit_axis(run_figure for _, _, run_figure, _ in drawable)
    if axis is None:
        return None
    least, most = min(value for *_, value in drawable), max(value for *_, value in drawable)
    margin = (most - least) * 0.1 or abs(most) * 0.01 or 1.0
    ends = (least, most) if least < most else (least,)
    least, most = least - margin, most + margin

    def x(value: float) -> float:
        return 100 * axis.get_position(value)

    def y(value: float) -> float:
        return 100 * (most - value) / (most - least)

    return Chart(
        title=f"{metric} against {title}",
        unit=unit,
        metric=metric,
        points=tuple(
            ChartPoint(
                number,
                x(run_figure.value),
                x(run_figure.low or run_figure.value),
                x(run_figure.high or run_figure.value),
                y(value),
                f"{number}: {record.job_name}, {metric} {value:.4g}, {_format_figure(run_figure)}",
            )
            for number, record, run_figure, value in drawable
        ),
        across=tuple((x(tick), format_number(tick)) for tick in axis.ticks),
        up=tuple((y(value), f"{value:.4g}") for value in ends),
        missing=len(numbered) - len(drawable),
    )


def _format_figure(figure: RunFigure) -> str:
    if figure.low is None or figure.high is None:
        return format_number(figure.value)
    return f"{format_number(figure.value)} ({format_number(figure.low)} to {format_number(figure.high)})"
