"""Console output of an execution: the plan, the progress of its steps, the figures and the savings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sustainable_mlops.footprint import format_figure
from sustainable_mlops.jobs.display import align_rows
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.pipelines.launch import PipelineLaunch
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, PipelineStepRecord

_CHANGES = {
    "none": "is already deployed",
    "create": "will be created",
    "update": "will get a new version; the old versions remain",
}
#: Figures of the short display.
_SHORT_FIGURES = {"co2e": "CO2e", "cost": "USD"}
#: Characters of the longest figure, without its interval.
_NUMBER_WIDTH = 10


def format_plan(launch: PipelineLaunch, expected: Mapping[str, RunFigure]) -> Text:
    """Format the decision and the estimate of a start, for a dry run."""
    rows = [("pipeline", f"{launch.pipeline.name} {_CHANGES[launch.change]}")]
    if launch.running_execution is not None:
        rows.append(("running", f"{launch.running_execution} has the same parameters: follows it and starts nothing"))
    rows += [("source", address) for address in launch.files.sources]
    if launch.data is not None:
        rows.append(("data", f"{launch.data.key}: {len(launch.data.files)} files, {decimal(launch.data.size_bytes)}"))
    rows += sorted(launch.parameters.items())
    rows += list_figure_rows("expected", expected)
    return align_rows(rows)


def list_figure_rows(title: str, figures: Mapping[str, RunFigure]) -> list[tuple[str, str]]:
    """Return a row for each figure of the short display."""
    return [
        (f"{title} {name}", f"{_format_interval(figures[name])}, {figures[name].source}")
        for name in _SHORT_FIGURES
        if name in figures
    ]


def format_summary(record: PipelineRecord) -> Group:
    """Format an execution that has ended or still runs."""
    rows = [("execution", record.execution_arn), ("status", record.status), ("version", str(record.pipeline_version))]
    if record.start_reason:
        rows.append(("started because", record.start_reason))
    rows += list_figure_rows("took", record.figures) or [("took", _explain_missing_figures(record))]
    rows += list_figure_rows("saved", record.saved)
    if record.model_package:
        rows.append(("model package", record.model_package))
    if record.reason:
        rows.append(("reason", record.reason))
    return Group(_make_step_table(record), align_rows(rows))


def _explain_missing_figures(record: PipelineRecord) -> str:
    """Return the reason why an execution has no figures."""
    if not record.is_ended:
        return "unknown before the execution ends"
    if any(step.ran_job for step in record.steps):
        return "unknown: these instance types have no figures"
    if any(step.cached_from for step in record.steps):
        return "nothing: all results were cached"
    return "nothing: no job was started"


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[PipelineRecord], None]]:
    """Yield a function that shows each new state: a live table on a terminal, a line per changed step elsewhere."""
    if not console.is_terminal:
        yield _StepProgressLines(console)
        return
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield lambda record: live.update(_make_step_table(record))


class _StepProgressLines:
    """Progress as lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_states: dict[str, str] = {}

    def __call__(self, record: PipelineRecord) -> None:
        for step in record.steps:
            state = _format_state(step)
            if self._printed_states.get(step.name) != state:
                self._printed_states[step.name] = state
                self._console.print(Text(f"{record.execution}: {step.name}: {state}"), soft_wrap=True)


def _make_step_table(record: PipelineRecord) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("step", "state"):
        table.add_column(name, overflow="fold")
    table.add_column("seconds", justify="right", no_wrap=True)
    for name in _SHORT_FIGURES.values():  # a number without its last digits would be wrong
        table.add_column(name, justify="right", min_width=_NUMBER_WIDTH, overflow="fold")
    for step in record.steps:
        figures = step.job.figures if step.job is not None else {}
        cells = [_format_interval(figures[name], short=True) if name in figures else "" for name in _SHORT_FIGURES]
        style = "dim" if step.cached_from else None
        table.add_row(Text(step.name), Text(_format_state(step)), _format_seconds(step), *cells, style=style)
    return table


def _format_state(step: PipelineStepRecord) -> str:
    if step.cached_from:
        return "cached"
    attempts = f" ({step.attempts} attempts)" if step.attempts > 1 else ""
    return f"{step.status}{attempts}{f': {step.reason}' if step.reason else ''}"


def _format_seconds(step: PipelineStepRecord) -> str:
    """Return the seconds of the job's instances, or else the seconds since the step started."""
    if step.job is not None and (figure := step.job.figures.get(KINDS[step.job.kind].seconds_figure_name)) is not None:
        return f"{figure.value:.0f}"
    if step.started_at is None or step.cached_from:
        return ""
    return f"{((step.ended_at or datetime.now(UTC)) - step.started_at).total_seconds():.0f}"


def _format_interval(figure: RunFigure, *, short: bool = False) -> str:
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    text = format_figure(figure.value, low, high, figure.unit)
    number = f"{text.value} {text.unit.removesuffix('CO2e') if short else text.unit}"
    return number if figure.low is None or figure.high is None else f"{number} ({text.interval})"
