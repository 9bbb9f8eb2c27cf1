"""Comparison of endpoints at several loads."""

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
    ShapeCapacity,
    estimate_parts,
    find_capacities,
)
from sustainable_mlops.advice.limits import list_obstacles
from sustainable_mlops.advice.requirements import ServingRequirements
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import FleetActivity, FootprintEstimate, FootprintFigure, ServerlessActivity

#: Default loads of a comparison, in requests a day.
LOADS = (10.0, 1_000.0, 100_000.0)
METRICS = ("total", "cost")
#: Assumed speed of an accelerator as a multiple of one vCPU.
ACCELERATOR_SPEEDUP = 10.0


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    """An endpoint at a load: its monthly estimate, or the reason why it cannot serve the load."""

    estimate: FootprintEstimate | None
    refusal: str = ""

    def get_figure(self, metric: str) -> FootprintFigure | None:
        """Return the figure of a metric; None if it is unknown or there is no estimate."""
        return self.estimate.get(metric) if self.estimate else None

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {"month": self.estimate.to_dict() if self.estimate else None, "refused": self.refusal}


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """An endpoint at every load."""

    shape: EndpointShape
    cells: tuple[ComparisonCell, ...]
    #: Maximum requests a day with its defaults and this peak.
    max_requests_per_day: float

    def to_dict(self, loads: Sequence[float]) -> dict[str, Any]:
        """Return the exact values for JSON."""
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
    """Every endpoint at every load."""

    requirements: ServingRequirements
    #: Busy seconds of an accelerator per request.
    accelerated_duration_s: float
    loads: tuple[float, ...]
    rows: tuple[ComparisonRow, ...]
    #: Endpoint of this project with the least carbon at each load; None if none serves it.
    best_shapes: tuple[EndpointShape | None, ...]
    crossovers: tuple[Crossover, ...]

    def get_cell(self, name: str, number: int) -> ComparisonCell:
        """Return the cell of an endpoint at one of the loads."""
        return next(row.cells[number] for row in self.rows if row.shape.name == name)

    def compute_ratio(self, name: str, number: int, metric: str) -> float | None:
        """Return the usage of an endpoint relative to this project's best; None if either is unknown."""
        shape = self.best_shapes[number]
        theirs = self.get_cell(name, number).get_figure(metric)
        ours = self.get_cell(shape.name, number).get_figure(metric) if shape else None
        return theirs.central / ours.central if theirs and ours and ours.central else None

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "need": self.requirements.to_dict() | {"requests_per_day": list(self.loads)},
            "accelerated_duration_s": self.accelerated_duration_s,
            "endpoints": [row.to_dict(self.loads) for row in self.rows],
            "chosen": [shape.name if shape else None for shape in self.best_shapes],
            "crossovers": [one.to_dict() for one in self.crossovers],
        }


def compare_endpoints(
    requirements: ServingRequirements, loads: Sequence[float] = LOADS, accelerated_s: float | None = None
) -> EndpointComparison:
    """Return every endpoint at each of `loads`; the load in `requirements` itself is ignored.

    `accelerated_s` is the busy time of an accelerator per request, by default a tenth of that of a vCPU. Raises
    UserError for invalid input.
    """
    if requirements.accelerator != "none":
        raise UserError(
            "accelerator: compare supports only models that a CPU serves, because one of the modules uses a CPU"
        )
    accelerated_duration_s = requirements.duration_s / ACCELERATOR_SPEEDUP if accelerated_s is None else accelerated_s
    requirements_by_load = tuple(replace(requirements, requests_per_day=load) for load in loads)
    capacities = find_capacities(requirements.region)
    by_name = {
        one.name: _make_cells(one, capacities[one.name], requirements_by_load, accelerated_duration_s) for one in SHAPES
    }
    rows = tuple(
        ComparisonRow(
            one,
            by_name[one.name],
            compute_max_requests_per_day(
                capacities[one.name],
                adapt_requirements(capacities[one.name], requirements, accelerated_duration_s),
            ),
        )
        for one in SHAPES
    )
    best_shapes = tuple(_find_best(by_name, number) for number in range(len(requirements_by_load)))
    return EndpointComparison(
        requirements,
        accelerated_duration_s,
        tuple(loads),
        rows,
        best_shapes,
        tuple(_find_crossovers(requirements, capacities, rows)),
    )


def _make_cells(
    shape: EndpointShape,
    capacity: ShapeCapacity,
    requirements_by_load: Sequence[ServingRequirements],
    accelerated_duration_s: float,
) -> tuple[ComparisonCell, ...]:
    cells = []
    for requirements in (adapt_requirements(capacity, one, accelerated_duration_s) for one in requirements_by_load):
        if refusal := find_refusal(shape, capacity, requirements):
            cells.append(ComparisonCell(None, refusal))
        else:
            usage = {shape.name: make_usage(shape, capacity, requirements)}
            cells.append(ComparisonCell(estimate_parts(requirements.region, usage)[shape.name].estimate))
    return tuple(cells)


def _find_best(cells: Mapping[str, Sequence[ComparisonCell]], number: int) -> EndpointShape | None:
    """Return the endpoint of this project with the least carbon."""
    estimates = [
        (figure.central, one)
        for one in SHAPES
        if one.is_ours and (figure := cells[one.name][number].get_figure("total"))
    ]
    return min(estimates, key=lambda pair: pair[0])[1] if estimates else None


def _find_crossovers(
    requirements: ServingRequirements, capacities: Mapping[str, ShapeCapacity], rows: Sequence[ComparisonRow]
) -> Iterator[Crossover]:
    """Yield the crossover of each metric between this project's kinds of endpoint, with as many instances as needed."""
    shapes = [one for one in SHAPES if one.is_ours and _serves_callers(one, capacities[one.name], requirements)]

    @cache
    def estimate_activities(load: float) -> Mapping[str, FleetActivity | ServerlessActivity]:
        load_requirements = replace(requirements, requests_per_day=load)
        usage_by_name = {
            one.name: make_usage(one, capacities[one.name], load_requirements, bounded=False) for one in shapes
        }
        parts_by_name = estimate_parts(requirements.region, usage_by_name)
        activity_by_kind = {one.kind: parts_by_name[one.name].activity for one in shapes}
        return {
            kind: one for kind, one in activity_by_kind.items() if isinstance(one, FleetActivity | ServerlessActivity)
        }

    maximums = {row.shape.kind: row.max_requests_per_day for row in rows if row.shape.is_ours}
    for metric in METRICS if len(shapes) > 1 else ():
        crossover = find_crossover(metric, estimate_activities, maximums)
        if crossover is not None:
            yield crossover


def _serves_callers(shape: EndpointShape, capacity: ShapeCapacity, requirements: ServingRequirements) -> bool:
    """Return whether the endpoint serves the callers at any load."""
    return (
        not list_obstacles(shape.kind, replace(requirements, requests_per_day=1.0))
        and capacity.memory_mb >= requirements.memory_mb
    )
