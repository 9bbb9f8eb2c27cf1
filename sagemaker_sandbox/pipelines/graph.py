"""Dependencies between steps."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from sagemaker_sandbox.pipelines.definition import (
    PipelineDefinition,
    PlacedStep,
    StepDefinition,
    Trigger,
    create_error,
    list_placed_steps,
    parse_condition_arguments,
    parse_for_each_arguments,
)
from sagemaker_sandbox.pipelines.expressions import list_references


def index_steps(definition: PipelineDefinition) -> dict[str, PlacedStep]:
    """Return every step of a definition by its name. Raises ValidationError for a duplicate name."""
    steps: dict[str, PlacedStep] = {}
    for placed in list_placed_steps(definition.steps):
        if placed.step.name in steps:
            raise create_error(f"Step names must be unique. Duplicate step name: '{placed.step.name}'.")
        steps[placed.step.name] = placed
    return steps


def list_expressions(step: StepDefinition) -> object:
    """Return the values of a step that can hold expressions, without its inner steps and its Selector."""
    if step.type == "Condition":
        return parse_condition_arguments(step).conditions
    if step.type == "ForEach":
        return parse_for_each_arguments(step).iterable_items
    return [step.arguments, step.sqs_queue_url, step.function_arn]


def list_dependencies(placed: PlacedStep) -> dict[str, Trigger]:
    """Return the steps that must end before this one starts, and their required status.

    A step waits for the success of each step that it reads. A branch waits for its condition. A ForEach step waits for
    the steps outside that its body reads.
    """
    step = placed.step
    dependencies = dict.fromkeys(_list_read_steps(step), _COMPLETED) | step.dependencies
    if placed.condition is not None:
        dependencies[placed.condition] = _COMPLETED
    if step.type == "ForEach":
        body = parse_for_each_arguments(step).for_each_body
        names = {inner.name for inner in body}
        for inner in body:
            inner_dependencies = list_dependencies(PlacedStep(step=inner))
            dependencies |= {name: trigger for name, trigger in inner_dependencies.items() if name not in names}
    return dependencies


_COMPLETED: Trigger = "Completed"


def _list_read_steps(step: StepDefinition) -> Iterable[str]:
    return (reference.name for reference in list_references(list_expressions(step)) if reference.root == "Steps")


def sort_steps(steps: Mapping[str, PlacedStep]) -> list[str]:
    """Return the names of the steps, each after its dependencies. Raises ValidationError for a cycle."""
    graph = {name: {*list_dependencies(placed), *filter(None, [placed.for_each])} for name, placed in steps.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise create_error(f"Cycle detected in the pipeline: {' -> '.join(reversed(error.args[1]))}.") from None
