"""A thread that runs one execution."""

import threading
import traceback
from collections.abc import Callable

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.pipelines import graph, selection, verdict
from sagemaker_sandbox.pipelines.definition import Definition
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord, now
from sagemaker_sandbox.pipelines.expressions import resolve
from sagemaker_sandbox.pipelines.outside import Fields, Outside, StepError
from sagemaker_sandbox.pipelines.scheduler import Scheduler
from sagemaker_sandbox.pipelines.scope import StepScope
from sagemaker_sandbox.pipelines.work import Work

#: How long the runner sleeps when nobody tells it that something has changed: soon at first, then ever longer.
_SOON, _LATE = 0.05, 1.0

#: `tell(previous, record)`: a step's status has changed; with no record, the execution's has.
Tell = Callable[[str | None, StepRecord | None], None]
#: `earlier()`: the executions of the same pipeline, in which results may be found.
Earlier = Callable[[], list[Execution]]


class Runner:
    """It sleeps until `wake` or, as jobs may change unheard, for a second at most."""

    def __init__(
        self, execution: Execution, definition: Definition, outside: Outside, tell: Tell, earlier: Earlier
    ) -> None:
        self.execution = execution
        self._definition, self._steps = definition, graph.steps_by_name(definition)
        self._outside, self._tell = outside, tell
        self._work = Work(execution, self._steps, outside, tell, earlier, self.wake)
        self._scheduler = Scheduler(execution, self._steps, self._work)
        self._woken = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"pipeline {execution.id}", daemon=True)

    def prepare(self, source: Execution | None) -> None:
        """Before an execution is started, or taken up again: name its experiment, and leave it the selected steps.

        `source` is where a selective one takes the results of others from. Raises ValidationError.
        """
        execution = self.execution
        if execution.selective is not None:
            selected = [one["StepName"] for one in execution.selective["SelectedSteps"]]
            selection.apply(execution, self._steps, selected, source)
        scope = StepScope(execution, self._steps, self._outside)
        try:
            execution.experiment = resolve(self._definition.pipeline_experiment_config, scope)
            mlflow = resolve(self._definition.mlflow_config, scope) or {}
        except StepError as error:
            raise ValidationError(error.message) from None
        execution.mlflow = {name: value for name, value in mlflow.items() if value is not None} | execution.mlflow

    def start(self) -> None:
        """Begin, or go on with what has been begun: a step that was only starting begins again."""
        for record in self.execution.running():
            if record.status == "Starting" and record.retry_at is None:
                del self.execution.records[record.name]
        self._thread.start()

    def wake(self) -> None:
        """Something may have changed: look at once."""
        self._woken.set()

    def stop(self) -> None:
        """Start nothing more, and stop what can be stopped."""
        self.execution.stopping = True
        self.wake()

    def answer(self, token: str, outputs: Fields | None, reason: str | None) -> bool:
        """End the callback of that token, with outputs or with a reason why it failed; False where none waits."""
        waiting = any(record.job == token for record in self.execution.running())
        if waiting:
            self._work.answer(token, outputs, reason)
            self.wake()
        return waiting

    def close(self) -> None:
        """Stop the jobs and end the thread; what is known stays as it is."""
        self._closing = True
        self.wake()
        self._thread.join()

    def join(self, seconds: float) -> bool:
        """Wait for the end; False if it has not come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._tell(None, None)
        try:
            pause = _SOON
            while not self._closing:
                moved = self._scheduler.advance()
                if not self.execution.running():
                    self._end(*verdict.of(self.execution, self._scheduler.nodes()))
                    return
                pause = _SOON if moved else min(pause * 2, _LATE)
                self._woken.wait(self._until_retry(pause))
                self._woken.clear()
            self._stop_all()
        except Exception:  # a fault of the sandbox's own: told, and no execution that never ends
            traceback.print_exc()
            self._stop_all()
            self._end("Failed", "InternalFailure: The sandbox failed to run the pipeline.")

    def _stop_all(self) -> None:
        for record in self.execution.running():
            self._work.stop(record)

    def _until_retry(self, longest: float) -> float:
        """Seconds to sleep: no longer than to the next retry."""
        due = [record.retry_at for record in self.execution.running() if record.retry_at is not None]
        return max(0.0, min([longest, *((at - now()).total_seconds() for at in due)]))

    def _end(self, status: str, reason: str | None) -> None:
        self.execution.reason, self.execution.modified = reason, now()
        previous, self.execution.status = self.execution.status, status
        self._tell(previous, None)
