"""Selective execution: the steps that run, and the reuse of results of an earlier execution.

Source: "Selective execution of pipeline steps" in the SageMaker AI developer guide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.pipelines import graph
from sagemaker_sandbox.pipelines.definition import PlacedStep
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord


def apply_selection(
    execution: PipelineExecution,
    steps: Mapping[str, PlacedStep],
    selected: Sequence[str],
    source: PipelineExecution | None,
) -> None:
    """Restrict an execution that has not started to the selected steps. Raises ValidationError.

    The results of their dependencies come from `source`.
    """
    names = set(selected)
    for name in selected:
        if name not in steps or steps[name].for_each is not None:
            raise ValidationError(f"Selected step '{name}' is not a step of the pipeline.")
    ancestors = {name: _list_ancestors(name, steps) for name in steps}
    missing_names = [
        name
        for name in steps
        if name not in names and ancestors[name] & names and any(name in ancestors[other] for other in names)
    ]
    if missing_names:
        raise ValidationError(
            "All steps on paths between two selected steps must be selected. Missing: "
            f"{', '.join(sorted(missing_names))}."
        )
    if not _are_connected(names, ancestors):
        raise ValidationError("The selected steps are not connected in the pipeline.")
    dependencies = set().union(*(ancestors[name] for name in names)) - names
    for name in sorted(dependencies):
        if name not in execution.records:
            execution.records[name] = _reuse_record(name, source)
    inner_names = {name for name, placed in steps.items() if placed.for_each in names}
    execution.skipped |= steps.keys() - names - dependencies - inner_names


def _list_ancestors(name: str, steps: Mapping[str, PlacedStep]) -> set[str]:
    ancestors: set[str] = set()
    pending = [name]
    while pending:
        for dependency in graph.list_dependencies(steps[pending.pop()]):
            if dependency not in ancestors:
                ancestors.add(dependency)
                pending.append(dependency)
    return ancestors


def _are_connected(names: set[str], ancestors: Mapping[str, set[str]]) -> bool:
    start = next(iter(names))
    visited, pending = {start}, [start]
    while pending:
        name = pending.pop()
        for other in names - visited:
            if other in ancestors[name] or name in ancestors[other]:
                visited.add(other)
                pending.append(other)
    return visited == names


def _reuse_record(name: str, source: PipelineExecution | None) -> StepRecord:
    if source is None:
        raise ValidationError(
            f"The selected steps depend on step '{name}', which is not selected: SourcePipelineExecutionArn is "
            "required."
        )
    if source.status not in ("Succeeded", "Failed", "Stopped"):
        raise ValidationError(f"The source execution {source.arn} is in status {source.status}; it must have ended.")
    record = source.records.get(name)
    if record is None or record.status != "Succeeded":
        raise ValidationError(f"Step '{name}' has not succeeded in the source execution {source.arn}.")
    return replace(record, reused_from=source.arn)
