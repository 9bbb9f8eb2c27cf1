"""Terminal output of runs."""

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.runs.axis import LogAxis, fit_axis
from sustainable_mlops.runs.difference import Difference, DifferenceRow
from sustainable_mlops.runs.interval_coverage import IntervalCoverage
from sustainable_mlops.runs.values import get_figure

_WIDTH = 28


def make_runs_table(records: Sequence[RunRecord], metric: str | None) -> Table:
    """Return a table with one line per run."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("run", "kind", "launched", "status"):
        table.add_column(name, overflow="fold")
    table.add_column(Text(metric or "metric"), justify="right", overflow="fold")
    for name in ("kgCO2e", "USD", "s"):  # a wrapped number looks like two numbers
        table.add_column(name, justify="right", no_wrap=True)
    for record in records:
        cells = (
            record.job_name,
            record.kind,
            f"{record.launched_at:%Y-%m-%d %H:%M}",
            record.status,
            _format_metric(record, metric),
            *(_format_figure(get_figure(record, key)) for key in ("kg", "usd", "seconds")),
        )
        table.add_row(*map(Text, cells))
    return table


def make_charts(records: Sequence[RunRecord], metric: str | None) -> Group:
    """Return charts of the metric against kg and against USD: one line per run, the best metric first."""
    best = sorted(records, key=lambda one: -one.metrics.get(metric or "", float("-inf")))
    return Group(*(_make_chart(best, metric, key, unit) for key, unit in (("kg", "kgCO2e"), ("usd", "USD"))))


def _make_chart(records: Sequence[RunRecord], metric: str | None, key: str, unit: str) -> Table:
    axis = fit_axis(get_figure(record, key) for record in records)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("run", overflow="fold")
    table.add_column(Text(metric or "metric"), justify="right", overflow="fold")
    ends = f"{format_number(axis.low)} to {format_number(axis.high)} {unit}" if axis else f"{unit} unknown"
    table.add_column(Text(ends), no_wrap=True, min_width=_WIDTH)
    table.add_column(Text(unit), justify="right")
    for record in records:
        figure = get_figure(record, key)
        bar = _draw_bar(figure, axis) if figure and axis else ""
        table.add_row(*map(Text, (record.job_name, _format_metric(record, metric), bar, _format_figure(figure))))
    return table


def _draw_bar(figure: RunFigure, axis: LogAxis) -> str:
    """Return a bar such as `──●────`: the interval, and the figure inside it."""
    low, central, high = (
        round(axis.get_position(value) * (_WIDTH - 1))
        for value in (figure.low or figure.value, figure.value, figure.high or figure.value)
    )
    line = [" "] * low + ["─"] * (high - low + 1)
    line[central] = "●"
    return "".join(line)


def make_difference_tables(a: RunRecord, b: RunRecord, difference: Difference) -> Group:
    """Return two tables: the differing inputs of two runs, and their outcomes."""
    inputs = (
        _make_table("input", a, b, difference.inputs)
        if difference.inputs
        else Text("All inputs that influence the result are the same.")
    )
    return Group(inputs, Text(), _make_table("outcome", a, b, difference.outcomes))


def _make_table(title: str, a: RunRecord, b: RunRecord, rows: Sequence[DifferenceRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (title, f"A {a.job_name}", f"B {b.job_name}", "B against A"):
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, (row.name, row.a, row.b, row.change)))
    return table


def make_coverage_table(coverage: IntervalCoverage) -> Group:
    """Return a table with the coverage of the intervals."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("expected before", "basis", "counters", "inside", "coverage", "estimate / counter", "no counter"):
        table.add_column(name, justify="left" if name in ("expected before", "basis") else "right")
    notes = []
    for row in coverage.rows:
        number = len(row.comparisons)
        share = f"{row.inside_count / number:.0%}" if number else "-"
        ratio = f"{row.median_ratio:.2f}" if row.median_ratio is not None else "-"
        table.add_row(
            row.quantity, row.basis, str(number), str(row.inside_count), share, ratio, str(row.without_counter)
        )
        if row.partial_count:
            notes.append(f"{row.quantity}: the counter has not {row.comparisons[0].not_counted}")
    notes += [f"left out: {format_number_of(number, 'run')}, {reason}" for reason, number in coverage.omissions.items()]
    title = Text(f"{format_number_of(coverage.runs, 'run')} with an estimate from before the launch")
    return Group(title, table, *map(Text, notes))


def _format_metric(record: RunRecord, metric: str | None) -> str:
    value = record.metrics.get(metric) if metric else None
    return "" if value is None else f"{value:.4g}"


def _format_figure(figure: RunFigure | None) -> str:
    return "" if figure is None else format_number(figure.value)
