"""The comparison itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sustainable_mlops.advice.comparison.crossovers import Crossover, crossover
from sustainable_mlops.advice.comparison.loads import most_a_day, on, refusal, usage
from sustainable_mlops.advice.comparison.shapes import SHAPES, Machines, Shape, machines, parts
from sustainable_mlops.advice.limits import against
from sustainable_mlops.advice.requirements import Need
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import FootprintEstimate, FootprintFigure, FleetActivity, ServerlessActivity

#: Requests a day that are compared unless others are given.
LOADS = (10.0, 1_000.0, 100_000.0)
METRICS = ("total", "cost")
#: How many times as fast as one vCPU an accelerator is taken to be.
FASTER = 10.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A shape at a load: its estimate of a month, or why it cannot take it."""

    estimate: FootprintEstimate | None
    refused: str = ""

    def figure(self, metric: str) -> FootprintFigure | None:
        """Its figure called `metric`; None where it is unknown, or there is none."""
        return self.estimate.get(metric) if self.estimate else None

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {"month": self.estimate.to_dict() if self.estimate else None, "refused": self.refused}


@dataclass(frozen=True, slots=True)
class Row:
    """A shape at every load."""

    shape: Shape
    cells: tuple[Cell, ...]
    #: Requests a day that it takes by its defaults at the busiest moment.
    most_a_day: float

    def to_dict(self, loads: Sequence[float]) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "name": self.shape.name,
            "kind": self.shape.kind,
            "by": self.shape.by,
            "defaults": self.shape.defaults,
            "most_requests_per_day": self.most_a_day,
            "loads": [
                {"requests_per_day": load, **cell.to_dict()} for load, cell in zip(loads, self.cells, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every shape at every load."""

    need: Need
    #: Seconds that a request keeps an accelerator busy.
    accelerated_s: float
    loads: tuple[float, ...]
    rows: tuple[Row, ...]
    #: The shape of this project's that serves with the least carbon, at each load; None where none serves.
    chosen: tuple[Shape | None, ...]
    crossovers: tuple[Crossover, ...]

    def cell(self, name: str, number: int) -> Cell:
        """That of a shape at one of the loads."""
        return next(row.cells[number] for row in self.rows if row.shape.name == name)

    def of_chosen(self, name: str, number: int, metric: str) -> float | None:
        """How many times as much a shape uses as this project's choice does; None where either is unknown."""
        shape = self.chosen[number]
        theirs = self.cell(name, number).figure(metric)
        ours = self.cell(shape.name, number).figure(metric) if shape else None
        return theirs.central / ours.central if theirs and ours and ours.central else None

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "need": self.need.to_dict() | {"requests_per_day": list(self.loads)},
            "accelerated_duration_s": self.accelerated_s,
            "endpoints": [row.to_dict(self.loads) for row in self.rows],
            "chosen": [shape.name if shape else None for shape in self.chosen],
            "crossovers": [one.to_dict() for one in self.crossovers],
        }


def compare(need: Need, loads: Sequence[float] = LOADS, accelerated_s: float | None = None) -> Comparison:
    """Every shape at each of `loads`; of `need`, all but its own load counts. Raises UserError on bad input.

    `accelerated_s`: seconds that a request keeps an accelerator busy, a tenth of those of a vCPU unless given.
    """
    if need.accelerator != "none":
        raise UserError("accelerator: compare takes models that a CPU serves, as one of the modules starts on one")
    faster = need.duration_s / FASTER if accelerated_s is None else accelerated_s
    asked = tuple(replace(need, requests_per_day=load) for load in loads)
    known = machines(need.region)
    by_name = {one.name: _cells(one, known[one.name], asked, faster) for one in SHAPES}
    rows = tuple(
        Row(one, by_name[one.name], most_a_day(known[one.name], on(known[one.name], need, faster))) for one in SHAPES
    )
    chosen = tuple(_least(by_name, number) for number in range(len(asked)))
    return Comparison(need, faster, tuple(loads), rows, chosen, tuple(_crossovers(need, known, rows)))


def _cells(shape: Shape, run: Machines, asked: Sequence[Need], faster: float) -> tuple[Cell, ...]:
    found = []
    for need in (on(run, one, faster) for one in asked):
        if refused := refusal(shape, run, need):
            found.append(Cell(None, refused))
        else:
            found.append(Cell(parts(need.region, {shape.name: usage(shape, run, need)})[shape.name].estimate))
    return tuple(found)


def _least(cells: Mapping[str, Sequence[Cell]], number: int) -> Shape | None:
    """This project's shape that serves with the least carbon."""
    able = [(figure.central, one) for one in SHAPES if one.ours and (figure := cells[one.name][number].figure("total"))]
    return min(able, key=lambda pair: pair[0])[1] if able else None


def _crossovers(need: Need, known: Mapping[str, Machines], rows: Sequence[Row]) -> Iterator[Crossover]:
    """By each metric, between this project's kinds that serve the callers, with as many machines as a load takes."""
    able = [one for one in SHAPES if one.ours and _callers_take(one, known[one.name], need)]

    @cache
    def activities(load: float) -> Mapping[str, FleetActivity | ServerlessActivity]:
        at = replace(need, requests_per_day=load)
        used = {one.name: usage(one, known[one.name], at, bounded=False) for one in able}
        run = {one.kind: found[one.name].activity for found in [parts(need.region, used)] for one in able}
        return {kind: one for kind, one in run.items() if isinstance(one, FleetActivity | ServerlessActivity)}

    takes = {row.shape.kind: row.most_a_day for row in rows if row.shape.ours}
    for metric in METRICS if len(able) > 1 else ():
        found = crossover(metric, activities, takes)
        if found is not None:
            yield found


def _callers_take(shape: Shape, run: Machines, need: Need) -> bool:
    """Whether the shape serves the callers at any load."""
    return not against(shape.kind, replace(need, requests_per_day=1.0)) and run.memory_mb >= need.memory_mb
