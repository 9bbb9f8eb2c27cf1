"""Steps that decide how an execution goes on: Condition, Fail, ForEach."""

import json
from collections.abc import Callable

from sagemaker_sandbox.pipelines import conditions, paths
from sagemaker_sandbox.pipelines.actions.action import AtOnce, Begun, Progress
from sagemaker_sandbox.pipelines.definition import Selector, Step, condition_arguments, for_each_arguments
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord
from sagemaker_sandbox.pipelines.expressions import as_text, references, resolve
from sagemaker_sandbox.pipelines.nodes import child
from sagemaker_sandbox.pipelines.outside import Fields, StepError


class Condition(AtOnce):
    """All its conditions decide which branch comes next."""

    def begin(self, begun: Begun) -> Progress:
        """The outcome, True or False."""
        outcome = str(all(conditions.holds(one, begun.scope) for one in condition_arguments(begun.step).conditions))
        return Progress("Succeeded", {"Condition": {"Outcome": outcome}}, {"Outcome": outcome})


class Fail(AtOnce):
    """Ends the execution."""

    def begin(self, begun: Begun) -> Progress:
        """With a message."""
        message = as_text(begun.arguments.get("ErrorMessage", ""))
        return Progress("Failed", {"Fail": {"ErrorMessage": message}}, reason=message)


class ForEach:
    """Runs its body once an item; the runner schedules the body once the items are known.

    It has failed where any step of the body has, after all have ended; AWS does not say, so this is assumed.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def begin(self, begun: Begun) -> Progress:
        """Find the items."""
        items = resolve(for_each_arguments(begun.step).iterable_items, begun.scope)
        if isinstance(items, str):
            try:
                items = json.loads(items)
            except ValueError:
                items = None
        if not isinstance(items, list):
            raise StepError("ClientError: IterableItems is no JSON list.")
        return Progress("Executing", items=tuple(items))

    def look(self, step: Step, record: StepRecord) -> Progress | None:
        """Whether all of the body has ended."""
        arguments = for_each_arguments(step)
        names = [(one.name, index) for index in range(len(record.items or ())) for one in arguments.for_each_body]
        ended = [self._ended(child(name, index)) for name, index in names]
        if not all(ended):
            return None
        statuses = [self._status(child(name, index)) for name, index in names]
        status = next((bad for bad in ("Failed", "Stopped") if bad in statuses), "Succeeded")
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
            if (inner := self._execution.records.get(child(name, index))) is not None:
                outputs[index][name] = inner.properties
        picked, reason = {}, "ClientError: One or multiple steps of the body failed." if status == "Failed" else None
        if arguments.selector is not None and status == "Succeeded":
            try:
                name, index = _pick(arguments.selector, outputs)
            except StepError as error:
                return Progress("Failed", {"ForEach": counts | {"Status": "Failed"}}, reason=error.message)
            picked = {"Selected": outputs[index][name]}
            counts["Selector"] = {"StepName": name, "Index": index}
        return Progress(status, {"ForEach": counts}, counts | {"IterationOutputs": outputs} | picked, reason)

    def _ended(self, name: str) -> bool:
        record = self._execution.records.get(name)
        return name in self._execution.skipped or (record is not None and record.over)

    def _status(self, name: str) -> str | None:
        record = self._execution.records.get(name)
        return record.status if record is not None else None

    def stop(self, record: StepRecord) -> bool:
        """What runs of its body is stopped by itself."""
        del record
        return True


def _pick(selector: Selector, outputs: list[Fields]) -> tuple[str, int]:
    """The step and the index of the iteration whose field is the largest or smallest number."""
    field = next(iter(references(selector.field)))
    _, name, *rest = paths.parts(field.path)
    best: Callable[..., int] = max if selector.pick == "MaxBy" else min

    def number(index: int) -> float:
        try:
            return float(paths.walk(outputs[index][str(name)], rest))
        except (LookupError, TypeError, ValueError):
            raise StepError(f"ClientError: {field.path} of iteration {index} is no number.") from None

    if not outputs:
        raise StepError("ClientError: There is no iteration to select from.")
    return str(name), best(range(len(outputs)), key=number)
