"""Steps that control an execution: Condition, Fail, ForEach."""

import json
from collections.abc import Callable

from sagemaker_sandbox.pipelines import conditions, paths
from sagemaker_sandbox.pipelines.actions.action import ImmediateAction, StepContext, StepProgress
from sagemaker_sandbox.pipelines.definition import (
    IterationSelector,
    StepDefinition,
    parse_condition_arguments,
    parse_for_each_arguments,
)
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.expressions import list_references, resolve, to_text
from sagemaker_sandbox.pipelines.nodes import create_iteration_name
from sagemaker_sandbox.pipelines.services import Fields, StepError


class ConditionAction(ImmediateAction):
    """A choice between two branches."""

    def start(self, context: StepContext) -> StepProgress:
        """Evaluate all conditions. The outcome is True or False."""
        outcome = str(
            all(conditions.holds(item, context.scope) for item in parse_condition_arguments(context.step).conditions)
        )
        return StepProgress("Succeeded", {"Condition": {"Outcome": outcome}}, {"Outcome": outcome})


class FailAction(ImmediateAction):
    """The end of the execution."""

    def start(self, context: StepContext) -> StepProgress:
        """End the execution with a message."""
        message = to_text(context.arguments.get("ErrorMessage", ""))
        return StepProgress("Failed", {"Fail": {"ErrorMessage": message}}, reason=message)


class ForEachAction:
    """A loop over items. The scheduler runs the body for each item.

    Assumed, because AWS does not document it: the step fails after the end of all iterations if any of their steps
    failed.
    """

    def __init__(self, execution: PipelineExecution) -> None:
        self._execution = execution

    def start(self, context: StepContext) -> StepProgress:
        """Resolve the items."""
        items = resolve(parse_for_each_arguments(context.step).iterable_items, context.scope)
        if isinstance(items, str):
            try:
                items = json.loads(items)
            except ValueError:
                items = None
        if not isinstance(items, list):
            raise StepError("ClientError: IterableItems is not a JSON list.")
        return StepProgress("Executing", items=tuple(items))

    def check(self, step: StepDefinition, record: StepRecord) -> StepProgress | None:
        """Return the result after the end of all iterations."""
        arguments = parse_for_each_arguments(step)
        names = [(inner.name, index) for index in range(len(record.items or ())) for inner in arguments.for_each_body]
        ends = [self._has_ended(create_iteration_name(name, index)) for name, index in names]
        if not all(ends):
            return None
        statuses = [self._get_status(create_iteration_name(name, index)) for name, index in names]
        status = next((value for value in ("Failed", "Stopped") if value in statuses), "Succeeded")
        counts: Fields = {
            "Status": status,
            "InputItemCount": len(record.items or ()),
            "TotalStepCount": len(names),
            "SucceededStepCount": statuses.count("Succeeded"),
            "FailedStepCount": statuses.count("Failed"),
            "StoppedStepCount": statuses.count("Stopped"),
        }
        outputs: list[Fields] = [{} for _ in record.items or ()]
        for name, index in names:
            if (inner := self._execution.records.get(create_iteration_name(name, index))) is not None:
                outputs[index][name] = inner.properties
        selected, reason = {}, "ClientError: One or multiple steps of the body failed." if status == "Failed" else None
        if arguments.selector is not None and status == "Succeeded":
            try:
                name, index = _select_iteration(arguments.selector, outputs)
            except StepError as error:
                return StepProgress("Failed", {"ForEach": counts | {"Status": "Failed"}}, reason=error.message)
            selected = {"Selected": outputs[index][name]}
            counts["Selector"] = {"StepName": name, "Index": index}
        return StepProgress(status, {"ForEach": counts}, counts | {"IterationOutputs": outputs} | selected, reason)

    def _has_ended(self, name: str) -> bool:
        record = self._execution.records.get(name)
        return name in self._execution.skipped or (record is not None and record.is_over)

    def _get_status(self, name: str) -> str | None:
        record = self._execution.records.get(name)
        return record.status if record is not None else None

    def stop(self, record: StepRecord) -> bool:
        """Return True: the scheduler stops the steps of the body."""
        del record
        return True


def _select_iteration(selector: IterationSelector, outputs: list[Fields]) -> tuple[str, int]:
    """Return the step and the index of the iteration with the largest or smallest field. Raises StepError."""
    field = next(iter(list_references(selector.field)))
    _, name, *rest = paths.parse_path(field.path)
    best: Callable[..., int] = max if selector.pick == "MaxBy" else min

    def number(index: int) -> float:
        try:
            return float(paths.walk(outputs[index][str(name)], rest))
        except (LookupError, TypeError, ValueError):
            raise StepError(f"ClientError: {field.path} of iteration {index} is not a number.") from None

    if not outputs:
        raise StepError("ClientError: There is no iteration to select from.")
    return str(name), best(range(len(outputs)), key=number)
