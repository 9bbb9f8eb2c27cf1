"""Steps that run a Lambda function."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.pipelines.actions.action import StepContext, StepProgress
from sagemaker_sandbox.pipelines.actions.outputs import convert_outputs, list_outputs
from sagemaker_sandbox.pipelines.definition import StepDefinition
from sagemaker_sandbox.pipelines.execution import StepRecord
from sagemaker_sandbox.pipelines.expressions import resolve, to_text
from sagemaker_sandbox.pipelines.services import ExecutionServices, Fields, StepError


class LambdaAction:
    """A call of a function, which cannot be stopped."""

    def __init__(self, services: ExecutionServices, wake: Callable[[], None]) -> None:
        self._services, self._wake = services, wake
        #: Results by the name of the run.
        self._results: dict[str, Any] = {}
        self._running: set[str] = set()

    def start(self, context: StepContext) -> StepProgress:
        """Invoke the function in a thread."""
        arn = to_text(resolve(context.step.function_arn, context.scope))
        self._running.add(context.job)
        self._services.start(f"function {context.job}", lambda: self._invoke(context.job, arn, context.arguments))
        return StepProgress("Executing", {"Lambda": {"Arn": arn}})

    def _invoke(self, run: str, arn: str, event: Fields) -> None:
        try:
            self._results[run] = self._services.invoke(arn, event)
        except StepError as error:
            self._results[run] = error
        except Exception as error:  # the step must end, whatever fails
            traceback.print_exc()
            self._results[run] = StepError(f"InternalFailure: {type(error).__name__}: {error}")
        self._wake()

    def check(self, step: StepDefinition, record: StepRecord) -> StepProgress | None:
        """Return the result of the function, if it has ended."""
        run = record.job or ""
        if run not in self._running:
            return StepProgress("Failed", record.metadata, reason="InternalFailure: The step was interrupted.")
        if run not in self._results:
            return None
        result = self._results.pop(run)
        self._running.discard(run)
        if isinstance(result, StepError):
            return StepProgress("Failed", record.metadata, reason=result.message, exception=result.exception)
        try:
            outputs = convert_outputs(step, result if isinstance(result, Mapping) else {})
        except StepError as error:
            return StepProgress("Failed", record.metadata, reason=error.message)
        metadata = record.metadata["Lambda"] | {"OutputParameters": list_outputs(outputs)}
        return StepProgress("Succeeded", {"Lambda": metadata}, {"OutputParameters": outputs})

    def stop(self, record: StepRecord) -> bool:
        """Return False: the function runs to its end."""
        del record
        return False
