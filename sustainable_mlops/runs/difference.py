"""Two runs beside each other: what went in that differs, and what came out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.filesize import decimal

from sustainable_mlops.footprint import shown
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.record import RunRecord


@dataclass(frozen=True)
class Row:
    """One thing of both runs, as text; `change` is of B against A, where both are numbers."""

    name: str
    a: str
    b: str
    change: str = ""


@dataclass(frozen=True)
class Difference:
    """Inputs that differ, and all that came out."""

    inputs: tuple[Row, ...]
    outcome: tuple[Row, ...]

    @property
    def same_run(self) -> bool:
        """Whether nothing that decides the result differs."""
        return not self.inputs


def difference(a: RunRecord, b: RunRecord) -> Difference:
    """What differs between two runs."""
    return Difference(tuple(_inputs(a, b)), tuple(_outcome(a, b)))


def _inputs(a: RunRecord, b: RunRecord) -> Iterator[Row]:
    both = [_given(record) for record in (a, b)]
    for name in dict.fromkeys([*both[0], *both[1]]):
        values = [given.get(name, "") for given in both]
        if values[0] != values[1]:
            yield Row(name, *values)


def _given(record: RunRecord) -> dict[str, str]:
    """What goes into a run, by name."""
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


def _outcome(a: RunRecord, b: RunRecord) -> Iterator[Row]:
    yield Row("status", a.status, b.status)
    yield from _numbers(
        {name: Figure(value=value, unit="", basis="measured", source="") for name, value in a.metrics.items()},
        {name: Figure(value=value, unit="", basis="measured", source="") for name, value in b.metrics.items()},
    )
    yield from _numbers(a.figures, b.figures)
    yield from _numbers(*((one.measured.figures if one.measured else {}) for one in (a, b)))


def _numbers(a: Mapping[str, Figure], b: Mapping[str, Figure]) -> Iterator[Row]:
    for name in dict.fromkeys([*a, *b]):
        one, other = a.get(name), b.get(name)
        change = ""
        if one is not None and other is not None and one.value:
            change = f"{(other.value / one.value - 1) * 100:+.3g} %" if other.value != one.value else "same"
        yield Row(name.replace("_", " "), _told(one), _told(other), change)


def _told(figure: Figure | None) -> str:
    if figure is None:
        return "unknown"
    if figure.low is None or figure.high is None:
        return decimal(int(figure.value)) if figure.unit == "B" else f"{figure.value:.6g} {figure.unit}".strip()
    return f"{shown(figure.value)} ({shown(figure.low)} to {shown(figure.high)}) {figure.unit}"
