"""Steps of an execution for the scheduler. The body of a ForEach step has one node for each item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.pipelines import graph
from sagemaker_sandbox.pipelines.definition import PlacedStep, StepDefinition, Trigger, parse_for_each_arguments
from sagemaker_sandbox.pipelines.execution import StepRecord


@dataclass(frozen=True)
class Node:
    """One step to schedule: its name in this execution, and its dependencies by such names."""

    name: str
    placed: PlacedStep
    dependencies: Mapping[str, Trigger]
    index: int | None = None
    item: Any = None
    #: Steps of the same body.
    siblings: frozenset[str] = frozenset()

    @property
    def step(self) -> StepDefinition:
        """Step of the definition."""
        return self.placed.step

    def find_local_name(self, name: str) -> str:
        """Return the name of a step in this iteration: siblings have the same index."""
        return create_iteration_name(name, self.index) if self.index is not None and name in self.siblings else name


def create_iteration_name(name: str, index: int) -> str:
    """Return the name of a body's step in one iteration. Source: `for_each_step.py` of the SageMaker SDK."""
    return f"{name}-{index}"


class NodeSchedule:
    """All steps, each after its dependencies."""

    def __init__(self, steps: Mapping[str, PlacedStep]) -> None:
        self._ordered = [(steps[name], graph.list_dependencies(steps[name])) for name in graph.sort_steps(steps)]
        self._bodies = {
            name: frozenset(inner.name for inner in parse_for_each_arguments(placed.step).for_each_body)
            for name, placed in steps.items()
            if placed.step.type == "ForEach"
        }

    def list_nodes(self, records: Mapping[str, StepRecord]) -> Iterator[Node]:
        """Yield the present nodes. The steps of a body have nodes as soon as the items are known."""
        for placed, dependencies in self._ordered:
            if placed.for_each is None:
                yield Node(placed.step.name, placed, dependencies)
            elif (parent := records.get(placed.for_each)) is not None:
                body = self._bodies[placed.for_each]
                for index, item in enumerate(parent.items or ()):
                    local = {
                        create_iteration_name(name, index) if name in body else name: trigger
                        for name, trigger in dependencies.items()
                    }
                    yield Node(create_iteration_name(placed.step.name, index), placed, local, index, item, body)
