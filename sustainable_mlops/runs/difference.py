"""Comparison of two runs: differing inputs, and all outcomes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.filesize import decimal

from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord


@dataclass(frozen=True)
class DifferenceRow:
    """One property of both runs, as text; `change` is B against A if both are numbers."""

    name: str
    a: str
    b: str
    change: str = ""


@dataclass(frozen=True)
class Difference:
    """Differing inputs, and all outcomes."""

    inputs: tuple[DifferenceRow, ...]
    outcomes: tuple[DifferenceRow, ...]

    @property
    def is_same_run(self) -> bool:
        """True if no input that influences the result differs."""
        return not self.inputs


def compare_runs(a: RunRecord, b: RunRecord) -> Difference:
    """Return the difference between two runs."""
    return Difference(tuple(_compare_inputs(a, b)), tuple(_compare_outcomes(a, b)))


def _compare_inputs(a: RunRecord, b: RunRecord) -> Iterator[DifferenceRow]:
    inputs = [_list_inputs(record) for record in (a, b)]
    for name in dict.fromkeys([*inputs[0], *inputs[1]]):
        values = [values_by_name.get(name, "") for values_by_name in inputs]
        if values[0] != values[1]:
            yield DifferenceRow(name, *values)


def _list_inputs(record: RunRecord) -> dict[str, str]:
    """Return the inputs of a run, by name."""
    return {
        "workload": record.workload,
        "source": (record.source_digest or "")[:12],
        "image": record.image,
        "instances": f"{record.instance_count} x {record.instance_type}",
        "spot": "yes" if record.spot else "no",
        "region": record.region,
        **{f"data {name}": data.digest[:12] for name, data in record.data.items()},
        **{name: str(value) for name, value in record.hyperparameters.items()},
    }


def _compare_outcomes(a: RunRecord, b: RunRecord) -> Iterator[DifferenceRow]:
    yield DifferenceRow("status", a.status, b.status)
    yield from _compare_numbers(
        {name: RunFigure(value=value, unit="", basis="measured", source="") for name, value in a.metrics.items()},
        {name: RunFigure(value=value, unit="", basis="measured", source="") for name, value in b.metrics.items()},
    )
    yield from _compare_numbers(a.figures, b.figures)
    yield from _compare_numbers(*((one.measured.figures if one.measured else {}) for one in (a, b)))


def _compare_numbers(a: Mapping[str, RunFigure], b: Mapping[str, RunFigure]) -> Iterator[DifferenceRow]:
    for name in dict.fromkeys([*a, *b]):
        one, other = a.get(name), b.get(name)
        change = ""
        if one is not None and other is not None and one.value:
            change = f"{(other.value / one.value - 1) * 100:+.3g} %" if other.value != one.value else "same"
        yield DifferenceRow(name.replace("_", " "), _format_figure(one), _format_figure(other), change)


def _format_figure(figure: RunFigure | None) -> str:
    if figure is None:
        return "unknown"
    if figure.low is None or figure.high is None:
        return decimal(int(figure.value)) if figure.unit == "B" else f"{figure.value:.6g} {figure.unit}".strip()
    return f"{format_number(figure.value)} ({format_number(figure.low)} to {format_number(figure.high)}) {figure.unit}"
