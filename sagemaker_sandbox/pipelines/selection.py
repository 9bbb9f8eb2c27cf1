"""Selective execution: which steps run, and whose results are taken from an earlier execution.

Source: "Selective execution of pipeline steps" in the SageMaker AI developer guide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.pipelines import graph
from sagemaker_sandbox.pipelines.definition import Placed
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord


def apply(execution: Execution, steps: Mapping[str, Placed], selected: Sequence[str], source: Execution | None) -> None:
    """Leave an execution that has not begun only the selected steps; raises ValidationError.

    What these need of others comes from `source`.
    """
    names = set(selected)
    for name in selected:
        if name not in steps or steps[name].for_each is not None:
            raise ValidationError(f"Selected step '{name}' is not a step of the pipeline.")
    before = {name: _ancestors(name, steps) for name in steps}
    between = [
        name
        for name in steps
        if name not in names and before[name] & names and any(name in before[one] for one in names)
    ]
    if between:
        raise ValidationError(
            f"All steps on paths between two selected steps must be selected. Missing: {', '.join(sorted(between))}."
        )
    if not _connected(names, before):
        raise ValidationError("The selected steps are not connected in the pipeline.")
    needed = set().union(*(before[name] for name in names)) - names
    for name in sorted(needed):
        if name not in execution.records:
            execution.records[name] = _reused(name, source)
    inside = {name for name, placed in steps.items() if placed.for_each in names}
    execution.skipped |= steps.keys() - names - needed - inside


def _ancestors(name: str, steps: Mapping[str, Placed]) -> set[str]:
    found: set[str] = set()
    left = [name]
    while left:
        for needed in graph.needs(steps[left.pop()]):
            if needed not in found:
                found.add(needed)
                left.append(needed)
    return found


def _connected(names: set[str], before: Mapping[str, set[str]]) -> bool:
    start = next(iter(names))
    seen, left = {start}, [start]
    while left:
        one = left.pop()
        for other in names - seen:
            if other in before[one] or one in before[other]:
                seen.add(other)
                left.append(other)
    return seen == names


def _reused(name: str, source: Execution | None) -> StepRecord:
    if source is None:
        raise ValidationError(
            f"The selected steps depend on step '{name}', which is not: SourcePipelineExecutionArn is required."
        )
    if source.status not in ("Succeeded", "Failed", "Stopped"):
        raise ValidationError(f"The source execution {source.arn} is in status {source.status}; it must have ended.")
    record = source.records.get(name)
    if record is None or record.status != "Succeeded":
        raise ValidationError(f"Step '{name}' has not succeeded in the source execution {source.arn}.")
    return replace(record, reused_from=source.arn)
