"""The comparison itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sustainable_mlops.advice.comparison.crossovers import Crossover, find_crossover
from sustainable_mlops.advice.comparison.loads import (
    adapt_requirements,
    compute_max_requests_per_day,
    find_refusal,
    make_usage,
)
from sustainable_mlops.advice.comparison.shapes import (
    SHAPES,
    EndpointShape,
    ShapeMachines,
    estimate_parts,
    find_machines,
)
from sustainable_mlops.advice.limits import list_obstacles
from sustainable_mlops.advice.requirements import ServingRequirements
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import FleetActivity, FootprintEstimate, FootprintFigure, ServerlessActivity

#: Requests a day that are compared unless others are given.
LOADS = (10.0, 1_000.0, 100_000.0)
METRICS = ("total", "cost")
#: How many times as fast as one vCPU an accelerator is taken to be.
ACCELERATOR_SPEEDUP = 10.0


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    """A shape at a load: its estimate of a month, or why it cannot take it."""

    estimate: FootprintEstimate | None
    refusal: str = ""

    def get_figure(self, metric: str) -> FootprintFigure | None:
        """Its figure called `metric`; None where it is unknown, or there is none."""
        return self.estimate.get(metric) if self.estimate else None

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {"month": self.estimate.to_dict() if self.estimate else None, "refused": self.refusal}


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A shape at every load."""

    shape: EndpointShape
    cells: tuple[ComparisonCell, ...]
    #: Requests a day that it takes by its defaults at the busiest moment.
    max_requests_per_day: float

    def to_dict(self, loads: Sequence[float]) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "name": self.shape.name,
            "kind": self.shape.kind,
            "by": self.shape.publisher,
            "defaults": self.shape.defaults,
            "most_requests_per_day": self.max_requests_per_day,
            "loads": [
                {"requests_per_day": load, **cell.to_dict()} for load, cell in zip(loads, self.cells, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class EndpointComparison:
    """Every shape at every load."""

    requirements: ServingRequirements
    #: Seconds that a request keeps an accelerator busy.
    accelerated_duration_s: float
    loads: tuple[float, ...]
    rows: tuple[ComparisonRow, ...]
    #: The shape of this project's that serves with the least carbon, at each load; None where none serves.
    best_shapes: tuple[EndpointShape | None, ...]
    crossovers: tuple[Crossover, ...]

    def get_cell(self, name: str, number: int) -> ComparisonCell:
        """That of a shape at one of the loads."""
        return next(row.cells[number] for row in self.rows if row.shape.name == name)

    def compute_ratio(self, name: str, number: int, metric: str) -> float | None:
        """How many times as much a shape uses as this project's choice does; None where either is unknown."""
        shape = self.best_shapes[number]
        theirs = self.get_cell(name, number).get_figure(metric)
        ours = self.get_cell(shape.name, number).get_figure(metric) if shape else None
        return theirs.central / ours.central if theirs and ours and ours.central else None

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "need": self.requirements.to_dict() | {"requests_per_day": list(self.loads)},
            "accelerated_duration_s": self.accelerated_duration_s,
            "endpoints": [row.to_dict(self.loads) for row in self.rows],
            "chosen": [shape.name if shape else None for shape in self.best_shapes],
            "crossovers": [one.to_dict() for one in self.crossovers],
        }


def compare_endpoints(
    need: ServingRequirements, loads: Sequence[float] = LOADS, accelerated_s: float | None = None
) -> EndpointComparison:
    """Every shape at each of `loads`; of `need`, all but its own load counts. Raises UserError on bad input.

    `accelerated_s`: seconds that a request keeps an accelerator busy, a tenth of those of a vCPU unless given.
    """
    if need.accelerator != "none":
        raise UserError("accelerator: compare takes models that a CPU serves, as one of the modules starts on one")
    faster = need.duration_s / ACCELERATOR_SPEEDUP if accelerated_s is None else accelerated_s
    asked = tuple(replace(need, requests_per_day=load) for load in loads)
    known = find_machines(need.region)
    by_name = {one.name: _make_cells(one, known[one.name], asked, faster) for one in SHAPES}
    rows = tuple(
        ComparisonRow(
            one,
            by_name[one.name],
            compute_max_requests_per_day(known[one.name], adapt_requirements(known[one.name], need, faster)),
        )
        for one in SHAPES
    )
    chosen = tuple(_find_best(by_name, number) for number in range(len(asked)))
    return EndpointComparison(need, faster, tuple(loads), rows, chosen, tuple(_find_crossovers(need, known, rows)))


def _make_cells(
    shape: EndpointShape, run: ShapeMachines, asked: Sequence[ServingRequirements], faster: float
) -> tuple[ComparisonCell, ...]:
    found = []
    for need in (adapt_requirements(run, one, faster) for one in asked):
        if refused := find_refusal(shape, run, need):
            found.append(ComparisonCell(None, refused))
        else:
            found.append(
                ComparisonCell(
                    estimate_parts(need.region, {shape.name: make_usage(shape, run, need)})[shape.name].estimate
                )
            )
    return tuple(found)


def _find_best(cells: Mapping[str, Sequence[ComparisonCell]], number: int) -> EndpointShape | None:
    """This project's shape that serves with the least carbon."""
    able = [
        (figure.central, one)
        for one in SHAPES
        if one.is_ours and (figure := cells[one.name][number].get_figure("total"))
    ]
    return min(able, key=lambda pair: pair[0])[1] if able else None


def _find_crossovers(
    need: ServingRequirements, known: Mapping[str, ShapeMachines], rows: Sequence[ComparisonRow]
) -> Iterator[Crossover]:
    """By each metric, between this project's kinds that serve the callers, with as many machines as a load takes."""
    able = [one for one in SHAPES if one.is_ours and _serves_callers(one, known[one.name], need)]

    @cache
    def activities(load: float) -> Mapping[str, FleetActivity | ServerlessActivity]:
        at = replace(need, requests_per_day=load)
        used = {one.name: make_usage(one, known[one.name], at, bounded=False) for one in able}
        run = {one.kind: found[one.name].activity for found in [estimate_parts(need.region, used)] for one in able}
        return {kind: one for kind, one in run.items() if isinstance(one, FleetActivity | ServerlessActivity)}

    takes = {row.shape.kind: row.max_requests_per_day for row in rows if row.shape.is_ours}
    for metric in METRICS if len(able) > 1 else ():
        found = find_crossover(metric, activities, takes)
        if found is not None:
            yield found


def _serves_callers(shape: EndpointShape, run: ShapeMachines, need: ServingRequirements) -> bool:
    """Whether the shape serves the callers at any load."""
    return not list_obstacles(shape.kind, replace(need, requests_per_day=1.0)) and run.memory_mb >= need.memory_mb
