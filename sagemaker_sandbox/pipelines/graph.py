"""Which steps wait for which."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from sagemaker_sandbox.pipelines.definition import (
    Definition,
    Placed,
    Step,
    Trigger,
    condition_arguments,
    for_each_arguments,
    place,
    refused,
)
from sagemaker_sandbox.pipelines.expressions import references


def steps_by_name(definition: Definition) -> dict[str, Placed]:
    """Every step of a definition; raises ValidationError where two have one name."""
    found: dict[str, Placed] = {}
    for placed in place(definition.steps):
        if placed.step.name in found:
            raise refused(f"Step names must be unique. Duplicate step name: '{placed.step.name}'.")
        found[placed.step.name] = placed
    return found


def own(step: Step) -> object:
    """What of a step holds expressions of its own: not the steps that it holds, nor what picks among its iterations."""
    if step.type == "Condition":
        return condition_arguments(step).conditions
    if step.type == "ForEach":
        return for_each_arguments(step).iterable_items
    return [step.arguments, step.sqs_queue_url, step.function_arn]


def needs(placed: Placed) -> dict[str, Trigger]:
    """The steps that must have ended before this one starts, and how.

    What a step reads from another it reads once that has succeeded; a condition comes before its branches, and a
    ForEach step waits for what its body reads from outside.
    """
    step = placed.step
    found = dict.fromkeys(_read(step), _COMPLETED) | step.dependencies
    if placed.condition is not None:
        found[placed.condition] = _COMPLETED
    if step.type == "ForEach":
        body = for_each_arguments(step).for_each_body
        inner = {one.name for one in body}
        for one in body:
            found |= {name: how for name, how in needs(Placed(step=one)).items() if name not in inner}
    return found


_COMPLETED: Trigger = "Completed"


def _read(step: Step) -> Iterable[str]:
    return (reference.name for reference in references(own(step)) if reference.root == "Steps")


def in_order(steps: Mapping[str, Placed]) -> list[str]:
    """The names of the steps, each after what it needs; raises ValidationError where they go in a circle."""
    graph = {name: {*needs(placed), *filter(None, [placed.for_each])} for name, placed in steps.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise refused(f"Cycle detected in the pipeline: {' -> '.join(reversed(error.args[1]))}.") from None
