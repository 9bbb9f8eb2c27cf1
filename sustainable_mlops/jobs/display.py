"""What people see of a launch: the plan, the live progress, the record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich import box
from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.estimate import Alternative, Estimate
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.launch import Decision, Launch
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.source import Package

_DECISIONS: dict[Decision, str] = {
    "start": "would run from the start",
    "resume": "would go on from where the last one ended",
    "attach": "is running already: would follow that job and launch nothing",
    "done": "is done already: would launch nothing (--force runs it again)",
}


#: Files left out that are named; there may be thousands.
_SHOWN = 12
#: The figures worth a glance; the others are parts of them, and in the JSON.
_GLANCE = {"co2e": "kgCO2e", "cost": "USD", "energy": "kWh"}


def plan(launch: Launch, expected: Estimate) -> Group:
    """What a launch would do and take, for a dry run."""
    record, package = launch.record, launch.package
    rows = [("this run", _DECISIONS[launch.decision]), ("run key", record.run_key)]
    if not launch.launches:
        rows.append(("its job", f"{record.job_name} ({record.status})"))
    checked = "SageMaker's service model allows the request; quotas, capacity and permissions show at the launch"
    rows.append(("checked", checked))
    if package is not None:
        rows += _source(package, uploads=launch.uploads_source)
    for name, data in record.data.items():
        rows.append((f"data {name}", f"{data.address}: {_number(data.objects, 'object')}, {decimal(data.size_bytes)}"))
    rows += [(f"output {name}", address) for name, address in record.outputs.items()]
    return Group(aligned(rows), estimate(expected, "expected" if launch.launches else "expected with --force"))


def _source(package: Package, *, uploads: bool) -> list[tuple[str, str]]:
    size = f"{_number(len(package.files), 'file')}, {decimal(len(package.archive))} packed"
    files = ", ".join(f"{name} ({decimal(size)})" for name, size in zip(package.files, package.sizes, strict=True))
    rows = [("source", f"{'would upload' if uploads else 'no upload:'} {size}: {files}")]
    if package.left_out:
        more = len(package.left_out) - _SHOWN
        left_out = [*package.left_out[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        rows.append(("left out", ", ".join(left_out)))
    return rows + [("missing?", text) for text in missing(package)]


def missing(package: Package | None) -> list[str]:
    """A line for each file that stays behind though code that is sent speaks of it."""
    if package is None:
        return []
    return [
        f"{name} is not sent, and {code} speaks of it: if it is read from beside the code, name it in source.include"
        for name, code in package.spoken_of.items()
    ]


def estimate(expected: Estimate, title: str = "expected") -> Panel:
    """What a run is expected to take, and what would take less."""
    table, duration = _table(), expected.duration
    for name, unit in _GLANCE.items():
        figure = expected.figures.get(name)
        told = f"{_figure(figure)}: driven by {figure.driver}" if figure else f"{unit} unknown"
        _row(table, name, told)
    _row(table, "duration", f"{_time(duration)}, {duration.basis}: {duration.source}")
    load = expected.load
    ends = f"{format_number(load.low or 0.0)} to {format_number(load.high or 0.0)}"
    _row(table, "load", f"{format_number(load.value)} {load.unit} ({ends}), {load.basis}: {load.source}")
    costs: set[str] = set()
    others = (("also", one) for one in expected.others)
    for name, one in (("cleanest", expected.cleanest), ("cheapest", expected.cheapest), *others):
        if one is None:
            _row(table, name, "none found")
            continue
        _row(table, name, _alternative(one) + ("; as above" if one.costs in costs else f"; {one.costs}"))
        costs.add(one.costs)
    for unknown in expected.unknown:
        _row(table, "not counted", unknown)
    return Panel(table, title=title, title_align="left", expand=False)


def _alternative(one: Alternative) -> str:
    changes = [_change(figure) for figure in (one.saved_co2e, one.saved_cost) if figure is not None and figure.value]
    return f"{one.title} {', '.join(changes)}"


def _change(saved: Figure) -> str:
    word, sign = ("saves", 1) if saved.value > 0 else ("adds", -1)
    low, high = sorted((sign * (saved.low or 0.0), sign * (saved.high or 0.0)))
    return f"{word} {format_number(sign * saved.value)} {saved.unit} ({format_number(low)} to {format_number(high)})"


def _time(seconds: Figure) -> str:
    size, unit = next(((s, u) for s, u in ((3600, "h"), (60, "min")) if seconds.value >= 2 * s), (1, "s"))
    low, central, high = (format_number((value or 0.0) / size) for value in (seconds.low, seconds.value, seconds.high))
    return f"{central} {unit} ({low} to {high})"


def _figure(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4g} {figure.unit} ({figure.basis})"
    grade = f", class {figure.grade}" if figure.grade else ""
    return f"{format_number(figure.value)} {figure.unit} ({format_number(figure.low)} to {format_number(figure.high)}), {figure.basis}{grade}"


def summary(record: RunRecord) -> Text:
    """A run that has ended, or was left running."""
    rows = [("job", record.job_name), ("status", _status(record)), ("run key", record.run_key)]
    rows += [(name, f"{value:.6g}") for name, value in record.metrics.items()]
    for name, figure in record.figures.items():
        if figure.basis == "measured" or name in (*_GLANCE, "early_stopping_saved_seconds"):
            rows.append((name.replace("_", " "), _figure(figure)))
    rows += _measured(record)
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
    return aligned(rows)


def _measured(record: RunRecord) -> Iterator[tuple[str, str]]:
    """What counters say of how busy and how large it was, and where an estimate was off."""
    figures = record.measured.figures if record.measured else {}
    for name in ("cpu_utilization", "gpu_utilization"):
        if name in figures:
            yield name.replace("_", " "), _figure(figures[name])
    for name in ("memory_peak_bytes", "gpu_memory_peak_bytes"):
        if name in figures:
            yield name.removesuffix("_bytes").replace("_", " "), f"{decimal(int(figures[name].value))} (measured)"
    for one in record.comparisons:
        if not one.inside:
            counter = f"{format_number(one.measured.value)} {one.measured.unit}"
            yield f"expected {one.what}", f"{_figure(one.estimated)}: outside it is what was measured, {counter}"


def trials(record: RunRecord) -> Table:
    """A row for each training job of a tuning, the best one marked."""
    names = list(record.trials[0].hyperparameters) if record.trials else []
    table = Table("", "job", "status", *names, "objective", "seconds", "billable", box=box.SIMPLE_HEAD)
    for trial in record.trials:
        values = [_short(trial.hyperparameters.get(name, "")) for name in names]
        objective = "" if trial.objective is None else f"{trial.objective:.6g}"
        seconds = ["" if value is None else str(value) for value in (trial.training_seconds, trial.billable_seconds)]
        mark = "*" if trial.job_name == record.best else ""
        row = (mark, trial.job_name.removeprefix(record.job_name), trial.status, *values, objective, *seconds)
        table.add_row(*map(Text, row))
    return table


def _short(value: str) -> str:
    """A number with the digits that tell it from others; other text as it is."""
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


@contextmanager
def progress(console: Console) -> Iterator[Callable[[RunRecord], None]]:
    """A function to call with each new state of a job: live on a terminal, else a line whenever something changed."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    view = _View()
    with Live(view, console=console, transient=True, refresh_per_second=4):
        yield view.show


class _Lines:
    """Progress as lines: each new status at once, metrics twice a minute at most."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = ""
        self._told_at = datetime.min.replace(tzinfo=UTC)

    def __call__(self, record: RunRecord) -> None:
        status, now = _status(record), datetime.now(UTC)
        if status == self._status and (now - self._told_at).total_seconds() < 30:
            return
        self._status, self._told_at = status, now
        parts = [_elapsed(record), status, *_jobs(record)]
        parts += [f"{name}={value:.6g}" for name, value in record.metrics.items()]
        self._console.print(Text(f"{record.job_name}: {', '.join(parts)}"), soft_wrap=True)


class _View:
    """Progress on a terminal. Rich renders it anew several times a second, so the elapsed time moves."""

    def __init__(self) -> None:
        self._record: RunRecord | None = None
        self._spinner = Spinner("dots")

    def show(self, record: RunRecord) -> None:
        self._record = record

    def __rich__(self) -> Group | Panel | Spinner:
        if self._record is None:
            return self._spinner
        record, table = self._record, _table()
        self._spinner.update(text=_status(record))
        _row(table, "status", self._spinner)
        _row(table, "elapsed", _elapsed(record))
        if record.spot:
            _row(table, "spot interruptions", str(record.interruptions))
        for name, value in record.metrics.items():
            _row(table, name, f"{value:.6g}")
        panel = Panel(table, title=record.job_name, title_align="left", expand=False)
        return Group(panel, trials(record)) if record.trials else panel


def _jobs(record: RunRecord) -> list[str]:
    """How far a tuning is."""
    ended = sum(trial.ended for trial in record.trials)
    return [f"{ended} of {_number(len(record.trials), 'job')} ended"] if record.trials else []


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _status(record: RunRecord) -> str:
    same = record.secondary_status in ("", record.status)
    status = record.status if same else f"{record.status} - {record.secondary_status}"
    times = f" ({record.interruptions} spot interruptions so far)" if record.interruptions and not record.ended else ""
    return status + times


def _elapsed(record: RunRecord) -> str:
    seconds = ((record.ended_at or datetime.now(UTC)) - record.launched_at).total_seconds()
    minutes, seconds = divmod(max(0, int(seconds)), 60)
    return f"{minutes}:{seconds:02d} min"


def aligned(rows: list[tuple[str, str]]) -> Text:
    """A line each, whole however narrow the terminal is, so that addresses can be copied."""
    width = max(len(name) for name, _ in rows)
    lines = (Text.assemble((name.ljust(width + 2), "dim"), value) for name, value in rows)
    return Text("\n", no_wrap=True, overflow="ignore").join(lines)


def _row(table: Table, name: str, value: str | Spinner) -> None:
    # As Text: a path or a reason may hold brackets, which rich would take for markup.
    table.add_row(Text(name), Text(value) if isinstance(value, str) else value)


def _table() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table
