"""The steps of an execution as they are scheduled: a ForEach step's body once an item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.pipelines import graph
from sagemaker_sandbox.pipelines.definition import Placed, Step, Trigger, for_each_arguments
from sagemaker_sandbox.pipelines.execution import StepRecord


@dataclass(frozen=True)
class Node:
    """One step to schedule: its name in this execution, and what it needs by such names."""

    name: str
    placed: Placed
    needs: Mapping[str, Trigger]
    index: int | None = None
    item: Any = None
    #: The steps of the same body.
    neighbours: frozenset[str] = frozenset()

    @property
    def step(self) -> Step:
        """The step of the definition."""
        return self.placed.step

    def local(self, name: str) -> str:
        """The name here of what the definition calls so: neighbours are of the same iteration."""
        return child(name, self.index) if self.index is not None and name in self.neighbours else name


def child(name: str, index: int) -> str:
    """The name of a body's step in one iteration. Source: `for_each_step.py` of the SageMaker SDK."""
    return f"{name}-{index}"


class Schedule:
    """All steps, each after what it needs."""

    def __init__(self, steps: Mapping[str, Placed]) -> None:
        self._ordered = [(steps[name], graph.needs(steps[name])) for name in graph.in_order(steps)]
        self._bodies = {
            name: frozenset(one.name for one in for_each_arguments(placed.step).for_each_body)
            for name, placed in steps.items()
            if placed.step.type == "ForEach"
        }

    def nodes(self, records: Mapping[str, StepRecord]) -> Iterator[Node]:
        """What there is to schedule so far: a body's steps once their ForEach step knows its items."""
        for placed, needs in self._ordered:
            if placed.for_each is None:
                yield Node(placed.step.name, placed, needs)
            elif (parent := records.get(placed.for_each)) is not None:
                body = self._bodies[placed.for_each]
                for index, item in enumerate(parent.items or ()):
                    local = {child(name, index) if name in body else name: how for name, how in needs.items()}
                    yield Node(child(placed.step.name, index), placed, local, index, item, body)
