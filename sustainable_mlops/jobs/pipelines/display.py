"""What people see of an execution: the plan, its steps as they go, what it took and what was saved."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.display import align_rows
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.pipelines.launch import PipelineLaunch
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, PipelineStepRecord

_CHANGES = {
    "none": "is deployed already",
    "create": "would be created",
    "update": "would get a new version, the old ones stay",
}
#: The figures worth a glance.
_GLANCE = {"co2e": "kgCO2e", "cost": "USD"}
#: Characters of the longest figure, without its range.
_NUMBER = 10


def format_plan(start: PipelineLaunch, expected: Mapping[str, RunFigure]) -> Text:
    """What a start would do and take, for a dry run."""
    rows = [("pipeline", f"{start.pipeline.name} {_CHANGES[start.change]}")]
    if start.running is not None:
        rows.append(("running", f"{start.running} was given the same: would follow it and start nothing"))
    rows += [("source", address) for address in start.files.sources]
    if start.data is not None:
        rows.append(("data", f"{start.data.key}: {len(start.data.files)} files, {decimal(start.data.size_bytes)}"))
    rows += sorted(start.parameters.items())
    rows += list_figure_rows("expected", expected)
    return align_rows(rows)


def list_figure_rows(title: str, figures: Mapping[str, RunFigure]) -> list[tuple[str, str]]:
    """A row for each figure worth a glance."""
    return [
        (f"{title} {name}", f"{_range(figures[name])}, {figures[name].source}") for name in _GLANCE if name in figures
    ]


def format_summary(record: PipelineRecord) -> Group:
    """An execution that has ended, or was left running."""
    rows = [("execution", record.execution_arn), ("status", record.status), ("version", str(record.pipeline_version))]
    rows += list_figure_rows("took", record.figures) or [("took", _nothing(record))]
    rows += list_figure_rows("saved", record.saved)
    if record.model_package:
        rows.append(("model package", record.model_package))
    if record.reason:
        rows.append(("reason", record.reason))
    return Group(_steps(record), align_rows(rows))


def _nothing(record: PipelineRecord) -> str:
    """Why there are no figures of what an execution took."""
    if not record.is_ended:
        return "not known before it ends"
    if any(step.ran_job for step in record.steps):
        return "not known: of these machines there are no figures"
    if any(step.cached_from for step in record.steps):
        return "nothing: the results were there already"
    return "nothing: no job was started"


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[PipelineRecord], None]]:
    """A function to call with each new state: a live table on a terminal, else a line for each step that changed."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield lambda record: live.update(_steps(record))


class _Lines:
    """Progress as lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, str] = {}

    def __call__(self, record: PipelineRecord) -> None:
        for step in record.steps:
            state = _state(step)
            if self._told.get(step.name) != state:
                self._told[step.name] = state
                self._console.print(Text(f"{record.execution}: {step.name}: {state}"), soft_wrap=True)


def _steps(record: PipelineRecord) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("step", "state"):
        table.add_column(name, overflow="fold")
    table.add_column("seconds", justify="right", no_wrap=True)
    for name in _GLANCE.values():  # a number that lost its last digits would be another number
        table.add_column(name, justify="right", min_width=_NUMBER, overflow="fold")
    for step in record.steps:
        figures = step.job.figures if step.job is not None else {}
        cells = [_range(figures[name], unit=False) if name in figures else "" for name in _GLANCE]
        style = "dim" if step.cached_from else None
        table.add_row(Text(step.name), Text(_state(step)), _seconds(step), *cells, style=style)
    return table


def _state(step: PipelineStepRecord) -> str:
    if step.cached_from:
        return "was there already"
    told = f" ({step.attempts} attempts)" if step.attempts > 1 else ""
    return f"{step.status}{told}{f': {step.reason}' if step.reason else ''}"


def _seconds(step: PipelineStepRecord) -> str:
    """Of the job's machines, where they are known; else since it began."""
    if step.job is not None and (figure := step.job.figures.get(KINDS[step.job.kind].seconds_figure_name)) is not None:
        return f"{figure.value:.0f}"
    if step.started_at is None or step.cached_from:
        return ""
    return f"{((step.ended_at or datetime.now(UTC)) - step.started_at).total_seconds():.0f}"


def _range(figure: RunFigure, *, unit: bool = True) -> str:
    told = format_number(figure.value) + (f" {figure.unit}" if unit else "")
    if figure.low is None or figure.high is None:
        return told
    return f"{told} ({format_number(figure.low)} to {format_number(figure.high)})"
