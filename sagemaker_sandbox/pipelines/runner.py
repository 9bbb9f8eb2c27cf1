"""The thread of one execution."""

import threading
import traceback
from collections.abc import Callable

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.pipelines import final_status, graph, selection
from sagemaker_sandbox.pipelines.definition import PipelineDefinition
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord, now
from sagemaker_sandbox.pipelines.expressions import resolve
from sagemaker_sandbox.pipelines.scheduler import StepScheduler
from sagemaker_sandbox.pipelines.scope import StepScope
from sagemaker_sandbox.pipelines.services import ExecutionServices, Fields, StepError
from sagemaker_sandbox.pipelines.step_runs import StepRunner

#: Shortest and longest wait of the runner without a notification, in seconds.
_MIN_WAIT, _MAX_WAIT = 0.05, 1.0

#: Function `report(previous, record)` for a changed status of a step or, without a record, of the execution.
ReportStatus = Callable[[str | None, StepRecord | None], None]
#: Function that returns the executions of the same pipeline, whose results can be reused.
ListExecutions = Callable[[], list[PipelineExecution]]


class ExecutionRunner:
    """The runner of one execution. It waits for `wake`, or at most a second: not every change of a job is reported."""

    def __init__(
        self,
        execution: PipelineExecution,
        definition: PipelineDefinition,
        services: ExecutionServices,
        report: ReportStatus,
        list_executions: ListExecutions,
    ) -> None:
        self.execution = execution
        self._definition, self._steps = definition, graph.index_steps(definition)
        self._services, self._report = services, report
        self._work = StepRunner(execution, self._steps, services, report, list_executions, self.wake)
        self._scheduler = StepScheduler(execution, self._steps, self._work)
        self._wake_event = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"pipeline {execution.id}", daemon=True)

    def prepare(self, source: PipelineExecution | None) -> None:
        """Resolve the settings of the execution and apply its selection, before it starts or is retried.

        `source` is the execution whose results a selective execution reuses. Raises ValidationError.
        """
        execution = self.execution
        if execution.selective is not None:
            selected = [item["StepName"] for item in execution.selective["SelectedSteps"]]
            selection.apply_selection(execution, self._steps, selected, source)
        scope = StepScope(execution, self._steps, self._services)
        try:
            execution.experiment = resolve(self._definition.pipeline_experiment_config, scope)
            mlflow = resolve(self._definition.mlflow_config, scope) or {}
        except StepError as error:
            raise ValidationError(error.message) from None
        execution.mlflow = {name: value for name, value in mlflow.items() if value is not None} | execution.mlflow

    def start(self) -> None:
        """Start the execution, or continue it. A step in status Starting is started once more."""
        for record in self.execution.list_running():
            if record.status == "Starting" and record.retry_at is None:
                del self.execution.records[record.name]
        self._thread.start()

    def wake(self) -> None:
        """Check the steps immediately, because something may have changed."""
        self._wake_event.set()

    def stop(self) -> None:
        """Start no more steps, and stop those that can be stopped."""
        self.execution.is_stopping = True
        self.wake()

    def end_callback(self, token: str, outputs: Fields | None, reason: str | None) -> bool:
        """End a callback with outputs or a reason of its failure. Return False if no step waits for the token."""
        is_waiting = any(record.job == token for record in self.execution.list_running())
        if is_waiting:
            self._work.end_callback(token, outputs, reason)
            self.wake()
        return is_waiting

    def close(self) -> None:
        """Stop the jobs and end the thread. The state of the execution stays."""
        self._closing = True
        self.wake()
        self._thread.join()

    def join(self, seconds: float) -> bool:
        """Wait for the end. Return False if it has not come in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._report(None, None)
        try:
            pause = _MIN_WAIT
            while not self._closing:
                has_changed = self._scheduler.advance()
                if not self.execution.list_running():
                    self._end(*final_status.find_final_status(self.execution, self._scheduler.list_nodes()))
                    return
                pause = _MIN_WAIT if has_changed else min(pause * 2, _MAX_WAIT)
                self._wake_event.wait(self._wait_seconds(pause))
                self._wake_event.clear()
            self._stop_all()
        except Exception:  # the execution must end, whatever fails
            traceback.print_exc()
            self._stop_all()
            self._end("Failed", "InternalFailure: The sandbox failed to run the pipeline.")

    def _stop_all(self) -> None:
        for record in self.execution.list_running():
            self._work.stop(record)

    def _wait_seconds(self, maximum: float) -> float:
        """Return the seconds to wait, at most until the next retry."""
        due = [record.retry_at for record in self.execution.list_running() if record.retry_at is not None]
        return max(0.0, min([maximum, *((at - now()).total_seconds() for at in due)]))

    def _end(self, status: str, reason: str | None) -> None:
        self.execution.reason, self.execution.modified = reason, now()
        previous, self.execution.status = self.execution.status, status
        self._report(previous, None)
