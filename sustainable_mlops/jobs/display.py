"""Console output of a launch: the plan, the live progress, the record."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, ConsoleOptions, Group
from rich.filesize import decimal
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.footprint import format_figure, format_number
from sustainable_mlops.jobs.estimate import RunAlternative, RunEstimate
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.launch import Decision, JobLaunch
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.source import SourcePackage

_DECISIONS: dict[Decision, str] = {
    "start": "starts from the beginning",
    "resume": "resumes from the last checkpoint or result",
    "attach": "already running: follows that job and launches nothing",
    "done": "already done: launches nothing (--force runs it again)",
}


#: Number of ignored files to name; there can be thousands.
_MAX_IGNORED_FILES = 12
#: Figures of the short display. The other figures are their parts; the JSON has them.
_SHORT_FIGURES = {"co2e": "kgCO2e", "cost": "USD", "energy": "kWh"}


def format_plan(launch: JobLaunch, expected: RunEstimate) -> Group:
    """Format the decision and the estimate of a launch, for a dry run."""
    record, package = launch.record, launch.package
    rows = [("this run", _DECISIONS[launch.decision]), ("run key", record.run_key)]
    if not launch.starts_job:
        rows.append(("its job", f"{record.job_name} ({record.status})"))
    checked = "valid for SageMaker's service model; only the launch checks quotas, capacity and permissions"
    rows.append(("checked", checked))
    if package is not None:
        rows += _list_source_rows(package, uploads=launch.uploads_source)
    for name, data in record.data.items():
        rows.append(
            (f"data {name}", f"{data.address}: {format_number_of(data.objects, 'object')}, {decimal(data.size_bytes)}")
        )
    rows += [(f"output {name}", address) for name, address in record.outputs.items()]
    return Group(
        align_rows(rows), format_estimate(expected, "expected" if launch.starts_job else "expected with --force")
    )


def _list_source_rows(package: SourcePackage, *, uploads: bool) -> list[tuple[str, str]]:
    size = f"{format_number_of(len(package.files), 'file')}, {decimal(len(package.archive))} packed"
    files = ", ".join(f"{name} ({decimal(size)})" for name, size in zip(package.files, package.sizes, strict=True))
    rows = [("source", f"{'upload of' if uploads else 'already uploaded:'} {size}: {files}")]
    if package.ignored_files:
        rows.append(("not sent", _join_names(package.ignored_files)))
    return rows + [("missing?", text) for text in list_missing_files(package)]


def list_missing_files(package: SourcePackage | None) -> list[str]:
    """Return a line for files with names of secrets, and for each unsent file that the sent code mentions."""
    if package is None:
        return []
    secrets = package.likely_secrets
    return [
        *([f"not sent, as names of secrets: {_join_names(secrets)}; rename a file that has none"] if secrets else [])
    ] + [
        f"{name} is not sent, but {code} mentions it: if the code reads it from its folder, add it to source.include"
        for name, code in package.mentions.items()
    ]


def _join_names(names: Sequence[str]) -> str:
    hidden = len(names) - _MAX_IGNORED_FILES
    return ", ".join([*names[:_MAX_IGNORED_FILES], *([f"and {hidden} more"] if hidden > 0 else [])])


class EstimateView:
    """An estimate in a frame on a terminal; elsewhere without one, as plain lines."""

    def __init__(self, table: Table, title: str) -> None:
        self._table = table
        self._title = title

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> Iterator[Panel | Text | Table]:
        if console.is_terminal:
            yield Panel(self._table, title=self._title, title_align="left", expand=False)
        else:
            yield Text(f"{self._title}:")
            yield self._table


def format_estimate(expected: RunEstimate, title: str = "expected") -> EstimateView:
    """Format the expected figures of a run and its cheaper or cleaner alternatives."""
    table, duration = _make_table(), expected.duration
    for name, unit in _SHORT_FIGURES.items():
        figure = expected.figures.get(name)
        text = f"{_format_figure(figure)}: driven by {figure.driver}" if figure else f"{unit} unknown"
        _add_row(table, name, text)
    _add_row(table, "duration", f"{_format_duration(duration)}, {duration.basis}: {duration.source}")
    load = expected.load
    interval = f"{format_number(load.low or 0.0)} to {format_number(load.high or 0.0)}"
    _add_row(table, "load", f"{format_number(load.value)} {load.unit} ({interval}), {load.basis}: {load.source}")
    drawbacks: set[str] = set()
    alternatives = (("also", alternative) for alternative in expected.others)
    for name, alternative in (("cleanest", expected.cleanest), ("cheapest", expected.cheapest), *alternatives):
        if alternative is None:
            _add_row(table, name, "none found")
            continue
        _add_row(
            table,
            name,
            _format_alternative(alternative)
            + ("; as above" if alternative.drawbacks in drawbacks else f"; {alternative.drawbacks}"),
        )
        drawbacks.add(alternative.drawbacks)
    for unknown in expected.unknown:
        _add_row(table, "not counted", unknown)
    return EstimateView(table, title)


def _format_alternative(alternative: RunAlternative) -> str:
    changes = [
        _format_saving(figure)
        for figure in (alternative.saved_co2e, alternative.saved_cost)
        if figure is not None and figure.value
    ]
    return f"{alternative.title} {', '.join(changes)}"


def _format_saving(saved: RunFigure) -> str:
    word, sign = ("saves", 1) if saved.value > 0 else ("adds", -1)
    low, high = sorted((sign * (saved.low or 0.0), sign * (saved.high or 0.0)))
    text = format_figure(sign * saved.value, low, high, saved.unit)
    return f"{word} {text} ({text.interval})"


def _format_duration(seconds: RunFigure) -> str:
    size, unit = next(((s, u) for s, u in ((3600, "h"), (60, "min")) if seconds.value >= 2 * s), (1, "s"))
    low, central, high = (format_number((value or 0.0) / size) for value in (seconds.low, seconds.value, seconds.high))
    return f"{central} {unit} ({low} to {high})"


def _format_figure(figure: RunFigure) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4g} {figure.unit} ({figure.basis})"
    grade = f", class {figure.grade}" if figure.grade else ""
    text = format_figure(figure.value, figure.low, figure.high, figure.unit)
    return f"{text} ({text.interval}), {figure.basis}{grade}"


def format_summary(record: RunRecord) -> Text:
    """Format a run that has ended, or whose job still runs."""
    rows = [("job", record.job_name), ("status", _format_status(record)), ("run key", record.run_key)]
    rows += [(name, f"{value:.6g}") for name, value in record.metrics.items()]
    for name, figure in record.figures.items():
        if figure.basis == "measured" or name in (*_SHORT_FIGURES, "early_stopping_saved_seconds"):
            rows.append((name.replace("_", " "), _format_figure(figure)))
    rows += _list_measurement_rows(record)
    if record.spot:
        rows.append(("spot interruptions", str(record.interruptions)))
    rows.append(("instances", f"{record.instance_count} x {record.instance_type}"))
    if record.model:
        rows.append(("model", record.model))
    rows += [(f"output {name}", address) for name, address in record.outputs.items()]
    rows += [("best job", record.best)] if record.best else []
    if record.failure_reason:
        rows.append(("reason", record.failure_reason))
    rows += [("stopped", f"{job}: {why}") for job, why in record.stopped.items()]
    rows += [("warning", text) for text in record.warnings]
    kind = KINDS[record.kind]
    rows.append(("log", f"{kind.log_group}, streams {kind.format_log_prefix(record.job_name)}…"))
    rows.append(("show the log", kind.format_log_command(record.job_name, record.region)))
    return align_rows(rows)


def _list_measurement_rows(record: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield the measured utilization and memory, and each estimate whose interval does not contain its measurement."""
    figures = record.measured.figures if record.measured else {}
    for name in ("cpu_utilization", "gpu_utilization"):
        if name in figures:
            yield name.replace("_", " "), _format_figure(figures[name])
    for name in ("memory_peak_bytes", "gpu_memory_peak_bytes"):
        if name in figures:
            yield name.removesuffix("_bytes").replace("_", " "), f"{decimal(int(figures[name].value))} (measured)"
    for comparison in record.comparisons:
        if not comparison.is_inside:
            measurement = f"{format_number(comparison.measured.value)} {comparison.measured.unit}"
            text = (
                f"{_format_figure(comparison.estimated)}: the interval does not contain the measurement, {measurement}"
            )
            yield f"expected {comparison.quantity}", text


def format_trials(record: RunRecord) -> Table:
    """Return a table with a row for each training job of a tuning; the best one is marked."""
    names = list(record.trials[0].hyperparameters) if record.trials else []
    table = Table(box=None, pad_edge=False)
    for title in ("", "job", "status", *names, "objective", "seconds", "billable"):
        table.add_column(Text(title), overflow="fold")
    for trial in record.trials:
        values = [_shorten_number(trial.hyperparameters.get(name, "")) for name in names]
        objective = "" if trial.objective is None else f"{trial.objective:.6g}"
        seconds = ["" if value is None else str(value) for value in (trial.training_seconds, trial.billable_seconds)]
        mark = "*" if trial.job_name == record.best else ""
        row = (mark, trial.job_name.removeprefix(record.job_name), trial.status, *values, objective, *seconds)
        table.add_row(*map(Text, row))
    return table


def _shorten_number(value: str) -> str:
    """Shorten a number to its significant digits; return other text unchanged."""
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[RunRecord], None]]:
    """Yield a function that shows each new state of a job: live on a terminal, as lines elsewhere."""
    if not console.is_terminal:
        yield _JobProgressLines(console)
        return
    view = _JobProgressView()
    with Live(view, console=console, transient=True, refresh_per_second=4):
        yield view.show


class _JobProgressLines:
    """Progress as lines: every new status immediately, metrics at most twice a minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = ""
        self._printed_at = datetime.min.replace(tzinfo=UTC)

    def __call__(self, record: RunRecord) -> None:
        status, now = _format_status(record), datetime.now(UTC)
        if status == self._status and (now - self._printed_at).total_seconds() < 30:
            return
        self._status, self._printed_at = status, now
        parts = [_format_elapsed(record), status, *_list_ended_jobs(record)]
        parts += [f"{name}={value:.6g}" for name, value in record.metrics.items()]
        self._console.print(Text(f"{record.job_name}: {', '.join(parts)}"), soft_wrap=True)


class _JobProgressView:
    """Progress on a terminal. Rich renders it several times a second, so the elapsed time moves."""

    def __init__(self) -> None:
        self._record: RunRecord | None = None
        self._spinner = Spinner("dots")

    def show(self, record: RunRecord) -> None:
        self._record = record

    def __rich__(self) -> Group | Panel | Spinner:
        if self._record is None:
            return self._spinner
        record, table = self._record, _make_table()
        self._spinner.update(text=_format_status(record))
        _add_row(table, "status", self._spinner)
        _add_row(table, "elapsed", _format_elapsed(record))
        if record.spot:
            _add_row(table, "spot interruptions", str(record.interruptions))
        for name, value in record.metrics.items():
            _add_row(table, name, f"{value:.6g}")
        panel = Panel(table, title=record.job_name, title_align="left", expand=False)
        return Group(panel, format_trials(record)) if record.trials else panel


def _list_ended_jobs(record: RunRecord) -> list[str]:
    """Return the progress of a tuning job: its ended training jobs."""
    ended = sum(trial.is_ended for trial in record.trials)
    return [f"{ended} of {format_number_of(len(record.trials), 'job')} ended"] if record.trials else []


def _format_status(record: RunRecord) -> str:
    is_same = record.secondary_status in ("", record.status)
    status = record.status if is_same else f"{record.status} - {record.secondary_status}"
    suffix = (
        f" ({record.interruptions} spot interruptions so far)" if record.interruptions and not record.is_ended else ""
    )
    return status + suffix


def _format_elapsed(record: RunRecord) -> str:
    seconds = ((record.ended_at or datetime.now(UTC)) - record.launched_at).total_seconds()
    minutes, seconds = divmod(max(0, int(seconds)), 60)
    return f"{minutes}:{seconds:02d} min"


def align_rows(rows: list[tuple[str, str]]) -> Text:
    """Align names and values, one line each. Lines are never wrapped, so that addresses can be copied."""
    width = max(len(name) for name, _ in rows)
    lines = (Text.assemble((name.ljust(width + 2), "dim"), value) for name, value in rows)
    return Text("\n", no_wrap=True, overflow="ignore").join(lines)


def _add_row(table: Table, name: str, value: str | Spinner) -> None:
    # Use Text: rich would parse brackets in a path or a reason as markup.
    table.add_row(Text(name), Text(value) if isinstance(value, str) else value)


def _make_table() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table
