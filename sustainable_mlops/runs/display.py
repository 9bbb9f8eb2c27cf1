"""Runs on a terminal."""

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.runs.axis import LogAxis, fit_axis
from sustainable_mlops.runs.difference import Difference, DifferenceRow
from sustainable_mlops.runs.interval_coverage import IntervalCoverage
from sustainable_mlops.runs.values import get_figure

_WIDTH = 28


def make_runs_table(records: Sequence[RunRecord], metric: str | None) -> Table:
    """A line a run."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("run", "kind", "launched", "status"):
        table.add_column(name, overflow="fold")
    table.add_column(Text(metric or "metric"), justify="right", overflow="fold")
    for name in ("kgCO2e", "USD", "s"):  # a number that is broken looks like another one
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
    """The metric against kg and against USD: a line a run, the best metric first."""
    best = sorted(records, key=lambda one: -one.metrics.get(metric or "", float("-inf")))
    return Group(*(_make_chart(best, metric, key, unit) for key, unit in (("kg", "kgCO2e"), ("usd", "USD"))))


def _make_chart(records: Sequence[RunRecord], metric: str | None, key: str, unit: str) -> Table:
    axis = fit_axis(get_figure(record, key) for record in records)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("run", overflow="fold")
    table.add_column(Text(metric or "metric"), justify="right")
    ends = f"{format_number(axis.low)} … {format_number(axis.high)} {unit}" if axis else f"{unit} unknown"
    table.add_column(Text(ends), no_wrap=True, min_width=_WIDTH)
    table.add_column(Text(unit), justify="right")
    for record in records:
        found = get_figure(record, key)
        bar = _draw_bar(found, axis) if found and axis else ""
        table.add_row(*map(Text, (record.job_name, _format_metric(record, metric), bar, _format_figure(found))))
    return table


def _draw_bar(figure: RunFigure, axis: LogAxis) -> str:
    """`──●────`: the range, and the figure in it."""
    low, central, high = (
        round(axis.get_position(value) * (_WIDTH - 1))
        for value in (figure.low or figure.value, figure.value, figure.high or figure.value)
    )
    line = [" "] * low + ["─"] * (high - low + 1)
    line[central] = "●"
    return "".join(line)


def make_difference_tables(a: RunRecord, b: RunRecord, found: Difference) -> Group:
    """Two runs: what differs in what went in, then what came out."""
    inputs = (
        _make_table("went in", a, b, found.inputs)
        if found.inputs
        else Text("What decides the result is the same in both.")
    )
    return Group(inputs, Text(), _make_table("came out", a, b, found.outcomes))


def _make_table(title: str, a: RunRecord, b: RunRecord, rows: Sequence[DifferenceRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (title, f"A {a.job_name}", f"B {b.job_name}", "B against A"):
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, (row.name, row.a, row.b, row.change)))
    return table


def make_coverage_table(found: IntervalCoverage) -> Group:
    """The coverage of the intervals."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("expected before", "rests on", "counters", "inside", "coverage", "estimate / counter", "no counter"):
        table.add_column(name, justify="left" if name in ("expected before", "rests on") else "right")
    notes = []
    for row in found.rows:
        number = len(row.comparisons)
        share = f"{row.inside_count / number:.0%}" if number else "-"
        ratio = f"{row.median_ratio:.2f}" if row.median_ratio is not None else "-"
        table.add_row(
            row.quantity, row.basis, str(number), str(row.inside_count), share, ratio, str(row.without_counter)
        )
        if row.partial_count:
            notes.append(f"{row.quantity}: the counter has not {row.comparisons[0].not_counted}")
    notes += [f"left out: {number} {_pluralize_runs(number)}, {why}" for why, number in found.omissions.items()]
    title = Text(f"{found.runs} {_pluralize_runs(found.runs)} with an estimate from before the launch")
    return Group(title, table, *map(Text, notes))


def _pluralize_runs(number: int) -> str:
    return "run" if number == 1 else "runs"


def _format_metric(record: RunRecord, metric: str | None) -> str:
    value = record.metrics.get(metric) if metric else None
    return "" if value is None else f"{value:.4g}"


def _format_figure(figure: RunFigure | None) -> str:
    return "" if figure is None else format_number(figure.value)
