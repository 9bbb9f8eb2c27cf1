"""Execution of steps: start, checks, retries and end, with their records and notifications."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.pipelines import caching, names, retries
from sagemaker_sandbox.pipelines.actions.action import StepAction, StepContext, StepProgress
from sagemaker_sandbox.pipelines.actions.branching import ConditionAction, FailAction, ForEachAction
from sagemaker_sandbox.pipelines.actions.callback import CallbackAction
from sagemaker_sandbox.pipelines.actions.function import LambdaAction
from sagemaker_sandbox.pipelines.actions.jobs import JobAction
from sagemaker_sandbox.pipelines.actions.models import ModelAction, RegisterModelAction
from sagemaker_sandbox.pipelines.definition import PlacedStep
from sagemaker_sandbox.pipelines.execution import TRIGGERS, PipelineExecution, StepRecord, now
from sagemaker_sandbox.pipelines.expressions import resolve
from sagemaker_sandbox.pipelines.nodes import Node
from sagemaker_sandbox.pipelines.scope import StepScope
from sagemaker_sandbox.pipelines.services import ExecutionServices, Fields, StepError
from sagemaker_sandbox.pipelines.steps import JOBS

_REASON_LENGTH = 1024


class StepRunner:
    """The steps of one execution. Its runner provides `report`, `list_executions` and `wake`."""

    def __init__(
        self,
        execution: PipelineExecution,
        steps: Mapping[str, PlacedStep],
        services: ExecutionServices,
        report: Callable[[str | None, StepRecord | None], None],
        list_executions: Callable[[], list[PipelineExecution]],
        wake: Callable[[], None],
    ) -> None:
        self._execution, self._steps, self._services = execution, steps, services
        self._report, self._list_executions = report, list_executions
        self._callback = CallbackAction(services, execution)
        self._actions: dict[str, StepAction] = {
            **{kind: JobAction(services, kind, execution) for kind in JOBS},
            "Model": ModelAction(services),
            "RegisterModel": RegisterModelAction(services),
            "Condition": ConditionAction(),
            "Fail": FailAction(),
            "ForEach": ForEachAction(execution),
            "Callback": self._callback,
            "Lambda": LambdaAction(services, wake),
        }

    def start(self, node: Node) -> None:
        """Start a step."""
        record = StepRecord(node.name, node.step.type, parent=node.placed.for_each, index=node.index, item=node.item)
        self._store(record, None)
        self._attempt(node, record)

    def check(self, node: Node, record: StepRecord) -> bool:
        """Check a running step, or retry it when that is due. Return whether anything changed."""
        if record.retry_at is not None:
            if self._execution.is_ending or record.retry_at > now():
                return False
            self._attempt(node, self._change(record, attempts=record.attempts + 1, retry_at=None))
            return True
        try:
            progress = self._actions[record.type].check(node.step, record)
        except StepError as error:
            progress = StepProgress("Failed", record.metadata, reason=error.message)
        if progress is None:
            return False
        self._apply(node, record, progress)
        return True

    def request_stop(self, record: StepRecord) -> bool:
        """Request the end of a running step. Return whether anything changed."""
        if record.retry_at is not None:
            self._change(record, status="Stopped", end_time=now(), retry_at=None)
            return True
        is_stopping = self.stop(record)
        if is_stopping:
            self._change(record, status="Stopping")
        return is_stopping

    def stop(self, record: StepRecord) -> bool:
        """Stop the job of a step. Return False if the pipeline cannot stop it."""
        try:
            return self._actions[record.type].stop(record)
        except (ApiError, StepError):
            return False

    def end_callback(self, token: str, outputs: Fields | None, reason: str | None) -> None:
        """Record the end of a callback."""
        status = "Failed" if outputs is None else "Succeeded"
        self._callback.results.setdefault(token, StepProgress(status, properties=outputs or {}, reason=reason))

    def _attempt(self, node: Node, record: StepRecord) -> None:
        """Start an attempt of a step."""
        step, name = node.step, self._create_name(node)
        scope = StepScope(self._execution, self._steps, self._services, node, name)
        try:
            arguments = {} if step.type in ("Condition", "ForEach") else resolve(step.arguments, scope)
            key = caching.build_key(step, arguments)
            moment = self._services.now()
            cached = caching.find_cached(step, key, self._list_executions(), moment) if key is not None else None
            record = self._change(record, cache_key=key)
            if cached is not None:
                execution, cached_record = cached
                result = {"metadata": cached_record.metadata, "properties": cached_record.properties}
                self._change(record, status="Succeeded", cache_source=execution.arn, end_time=now(), **result)
                return
            if step.type == "Callback":  # the callback may end before the queue has responded
                record = self._change(record, job=name)
            progress = self._actions[step.type].start(StepContext(step, name, arguments, scope))
        except StepError as error:
            progress = StepProgress("Failed", reason=error.message, exception=error.exception)
        self._apply(node, self._change(record, job=name), progress)

    def _create_name(self, node: Node) -> str:
        if node.step.type == "Callback":
            return names.create_callback_token()
        job = JOBS.get(node.step.type)
        prefix = node.step.arguments.get(job.name) if job is not None else None
        return names.create_job_name(
            node.step.type, self._execution.id, node.name, prefix if isinstance(prefix, str) else None
        )

    def _apply(self, node: Node, record: StepRecord, progress: StepProgress) -> None:
        """Record the progress of a step. A failed step is retried if a policy allows it."""
        changes: dict[str, Any] = {"metadata": progress.metadata or record.metadata, "properties": progress.properties}
        if progress.items is not None:
            changes["items"] = progress.items
        reason = progress.reason
        if progress.status == "Failed" and progress.exception is not None and not self._execution.is_ending:
            at = retries.find_next_attempt(node.step.retry_policies, progress.exception, record, now())
            if at is not None:
                self._change(record, retry_at=at, **changes)
                return
            reason = self._explain_missing_policy(node, reason, progress.exception)
        if progress.status in TRIGGERS:
            changes |= {"end_time": now(), "reason": reason[:_REASON_LENGTH] if reason else None}
            changes["cached_at"] = self._services.now()
        if record.type == "Fail":
            self._execution.fail_message = reason or ""
        self._change(record, status=progress.status, **changes)

    def _explain_missing_policy(self, node: Node, reason: str | None, exception: str) -> str:
        if retries.find_policy(node.step.retry_policies, exception) is not None:
            return reason or ""
        return (
            f"{reason}\nRetry not appropriate on execution of step with PipelineExecutionArn {self._execution.arn} and "
            f"StepId {node.name}. No retry policy configured for the exception type "
            f"{exception.upper().replace('.', '_')}."
        )

    def _change(self, record: StepRecord, **changes: Any) -> StepRecord:
        new_record = replace(record, **changes)
        self._store(new_record, record.status)
        return new_record

    def _store(self, record: StepRecord, previous: str | None) -> None:
        self._execution.records[record.name] = record
        self._execution.modified = now()
        if record.status != previous:
            self._report(previous, record)
