"""Results: a figure with its range, an estimate of all figures, and what could not be known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import floor, isfinite, log10
from typing import Any

from sustainable_mlops.catalogue.tables import Grade

#: The figures of an estimate, in the order they are shown.
METRICS = ("energy", "operational", "market_based", "embodied", "total", "water", "cost")
UNITS = {
    "energy": "kWh",
    "operational": "kgCO2e",
    "market_based": "kgCO2e",
    "embodied": "kgCO2e",
    "total": "kgCO2e",
    "water": "L",
    "cost": "USD",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A result between `low` and `high`, with its class and the assumption (`driver`) that moves it most."""

    low: float
    central: float
    high: float
    grade: Grade
    driver: str
    unit: str

    def times(self, factor: float) -> "Figure":
        """The figure times an exact number, for instance a division into units."""
        ends = sorted((self.low * factor, self.high * factor))
        return Figure(ends[0], self.central * factor, ends[1], self.grade, self.driver, self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "low": self.low,
            "central": self.central,
            "high": self.high,
            "unit": self.unit,
            "class": self.grade,
            "driver": self.driver,
        }

    def __str__(self) -> str:
        return f"{shown(self.central)} {self.unit} ({shown(self.low)} to {shown(self.high)}, class {self.grade})"


class Lack(StrEnum):
    """How much of a thing an `Unknown` leaves out."""

    #: A machine or store of which nothing is counted, or whose cost nobody knows: it may come to anything.
    UNCOUNTED = "uncounted"
    #: How much it is used, which no plan tells: bytes that it holds, hours in which people work.
    USE = "use"
    #: A detail of what is counted.
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that no estimate counts: what it is and why."""

    what: str
    reason: str
    lack: Lack = Lack.DETAIL

    def to_dict(self) -> dict[str, str]:
        """For JSON."""
        return {"what": self.what, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Estimate:
    """All figures of a thing; a figure that cannot be known is absent, and `unknowns` says why.

    `operational` is location-based (the grid's average); `market_based` counts the operator's purchases instead and is
    no part of `total`, which is operational + embodied (SCI's numerator, ISO/IEC 21031:2024).
    """

    figures: Mapping[str, Figure] = field(default_factory=dict)
    unknowns: tuple[Unknown, ...] = ()
    #: Every input that is not certain: the text and the interval, for the list of assumptions.
    assumptions: tuple[str, ...] = ()
    #: The figures that leave something out, as it is not known.
    partial: tuple[str, ...] = ()

    def get(self, metric: str) -> Figure | None:
        """The figure called `metric` (see `METRICS`); None where it is unknown."""
        return self.figures.get(metric)

    def times(self, factor: float) -> "Estimate":
        """The estimate of `factor` such things."""
        return replace(self, figures={metric: figure.times(factor) for metric, figure in self.figures.items()})

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        figures: dict[str, Any] = {m: self.figures[m].to_dict() if m in self.figures else None for m in METRICS}
        return figures | {
            "unknown": [unknown.to_dict() for unknown in self.unknowns],
            "assumptions": list(self.assumptions),
            "partial": list(self.partial),
        }


NOTHING = Estimate({metric: Figure(0.0, 0.0, 0.0, "A", "", UNITS[metric]) for metric in METRICS})


def total(estimates: Iterable[Estimate]) -> Estimate:
    """The sum: of each figure, over the estimates that have it. Ranges add end to end, as errors are shared."""
    parts = list(estimates)
    if not parts:
        return NOTHING
    known = {metric: [figure for part in parts if (figure := part.get(metric)) is not None] for metric in METRICS}
    return Estimate(
        {metric: add(found, UNITS[metric]) for metric, found in known.items() if found},
        *texts(parts),
        partial=tuple(
            metric
            for metric, found in known.items()
            if 0 < len(found) < len(parts) or any(metric in part.partial for part in parts)
        ),
    )


def texts(estimates: Sequence[Estimate]) -> tuple[tuple[Unknown, ...], tuple[str, ...]]:
    """The unknowns and the assumptions of all, each once."""
    unknowns = dict.fromkeys(unknown for one in estimates for unknown in one.unknowns)
    assumptions = dict.fromkeys(text for one in estimates for text in one.assumptions)
    return tuple(unknowns), tuple(assumptions)


def add(figures: Iterable[Figure], unit: str) -> Figure:
    """The sum of figures; its class is the worst of those that make up a tenth of it, its driver that of the widest."""
    parts = list(figures)
    if len(parts) < 2:
        return parts[0] if parts else Figure(0.0, 0.0, 0.0, "A", "", unit)
    widest = max(parts, key=lambda part: part.high - part.low)
    whole = sum(abs(part.central) for part in parts)
    counting = [part.grade for part in parts if abs(part.central) >= whole / 10] or [part.grade for part in parts]
    return Figure(
        low=sum(part.low for part in parts),
        central=sum(part.central for part in parts),
        high=sum(part.high for part in parts),
        grade=max(counting),
        driver=widest.driver,
        unit=unit,
    )


def shown(value: float) -> str:
    """`value` for a person: two significant digits and no more, as no estimate has more."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else "unknown"
    digits = 1 - floor(log10(abs(value)))
    rounded = round(value, digits)
    # Rounding may carry into the next power of ten: 0.0996 is 0.10, 99.6 is 100.
    digits = 1 - floor(log10(abs(rounded)))
    return f"{rounded:,.{max(digits, 0)}f}"
