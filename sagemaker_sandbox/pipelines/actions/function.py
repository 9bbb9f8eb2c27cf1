"""Steps that run a Lambda function."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.pipelines.actions.action import Begun, Progress
from sagemaker_sandbox.pipelines.actions.outputs import listed, typed
from sagemaker_sandbox.pipelines.definition import Step
from sagemaker_sandbox.pipelines.execution import StepRecord
from sagemaker_sandbox.pipelines.expressions import as_text, resolve
from sagemaker_sandbox.pipelines.outside import Fields, Outside, StepError


class Lambda:
    """Runs a function; it cannot be stopped."""

    def __init__(self, outside: Outside, wake: Callable[[], None]) -> None:
        self._outside, self._wake = outside, wake
        #: What has come back, by the name chosen for the run.
        self._results: dict[str, Any] = {}
        self._running: set[str] = set()

    def begin(self, begun: Begun) -> Progress:
        """Invoke it in a thread of its own."""
        arn = as_text(resolve(begun.step.function_arn, begun.scope))
        self._running.add(begun.job)
        self._outside.start(f"function {begun.job}", lambda: self._invoke(begun.job, arn, begun.arguments))
        return Progress("Executing", {"Lambda": {"Arn": arn}})

    def _invoke(self, run: str, arn: str, event: Fields) -> None:
        try:
            self._results[run] = self._outside.invoke(arn, event)
        except StepError as error:
            self._results[run] = error
        except Exception as error:  # whatever goes wrong, nobody must wait for ever
            traceback.print_exc()
            self._results[run] = StepError(f"InternalFailure: {type(error).__name__}: {error}")
        self._wake()

    def look(self, step: Step, record: StepRecord) -> Progress | None:
        """Whether it has come back."""
        run = record.job or ""
        if run not in self._running:
            return Progress("Failed", record.metadata, reason="InternalFailure: The step was interrupted.")
        if run not in self._results:
            return None
        result = self._results.pop(run)
        self._running.discard(run)
        if isinstance(result, StepError):
            return Progress("Failed", record.metadata, reason=result.message, exception=result.exception)
        try:
            given = typed(step, result if isinstance(result, Mapping) else {})
        except StepError as error:
            return Progress("Failed", record.metadata, reason=error.message)
        metadata = record.metadata["Lambda"] | {"OutputParameters": listed(given)}
        return Progress("Succeeded", {"Lambda": metadata}, {"OutputParameters": given})

    def stop(self, record: StepRecord) -> bool:
        """It runs to its end."""
        del record
        return False
