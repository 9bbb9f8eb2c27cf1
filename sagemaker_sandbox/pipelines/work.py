"""One step of an execution: it begins, is looked after, is tried again, ends; all of it is kept and told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.pipelines import caching, naming, retrying
from sagemaker_sandbox.pipelines.actions.action import Action, Begun, Progress
from sagemaker_sandbox.pipelines.actions.branching import Condition, Fail, ForEach
from sagemaker_sandbox.pipelines.actions.callback import Callback
from sagemaker_sandbox.pipelines.actions.function import Lambda
from sagemaker_sandbox.pipelines.actions.jobs import Job
from sagemaker_sandbox.pipelines.actions.models import Model, RegisterModel
from sagemaker_sandbox.pipelines.definition import Placed
from sagemaker_sandbox.pipelines.execution import ENDS, Execution, StepRecord, now
from sagemaker_sandbox.pipelines.expressions import resolve
from sagemaker_sandbox.pipelines.nodes import Node
from sagemaker_sandbox.pipelines.outside import Fields, Outside, StepError
from sagemaker_sandbox.pipelines.scope import StepScope
from sagemaker_sandbox.pipelines.steps import JOBS

_REASON = 1024  # characters


class Work:
    """`tell`, `earlier` and `wake` are the runner's."""

    def __init__(
        self,
        execution: Execution,
        steps: Mapping[str, Placed],
        outside: Outside,
        tell: Callable[[str | None, StepRecord | None], None],
        earlier: Callable[[], list[Execution]],
        wake: Callable[[], None],
    ) -> None:
        self._execution, self._steps, self._outside = execution, steps, outside
        self._tell, self._earlier = tell, earlier
        self._callback = Callback(outside, execution)
        self._actions: dict[str, Action] = {
            **{kind: Job(outside, kind, execution) for kind in JOBS},
            "Model": Model(outside),
            "RegisterModel": RegisterModel(outside),
            "Condition": Condition(),
            "Fail": Fail(),
            "ForEach": ForEach(execution),
            "Callback": self._callback,
            "Lambda": Lambda(outside, wake),
        }

    def begin(self, node: Node) -> None:
        """Start a step."""
        record = StepRecord(node.name, node.step.type, parent=node.placed.for_each, index=node.index, item=node.item)
        self._keep(record, None)
        self._attempt(node, record)

    def look(self, node: Node, record: StepRecord) -> bool:
        """See how a running step stands, or try it again when that is due; whether that changed anything."""
        if record.retry_at is not None:
            if self._execution.ending or record.retry_at > now():
                return False
            self._attempt(node, self._change(record, attempts=record.attempts + 1, retry_at=None))
            return True
        try:
            progress = self._actions[record.type].look(node.step, record)
        except StepError as error:
            progress = Progress("Failed", record.metadata, reason=error.message)
        if progress is None:
            return False
        self._apply(node, record, progress)
        return True

    def ask_to_stop(self, record: StepRecord) -> bool:
        """Have a running step end; whether that changed anything."""
        if record.retry_at is not None:
            self._change(record, status="Stopped", ended=now(), retry_at=None)
            return True
        stopping = self.stop(record)
        if stopping:
            self._change(record, status="Stopping")
        return stopping

    def stop(self, record: StepRecord) -> bool:
        """Stop what runs for a step; False where that is not for the pipeline to do."""
        try:
            return self._actions[record.type].stop(record)
        except (ApiError, StepError):
            return False

    def answer(self, token: str, outputs: Fields | None, reason: str | None) -> None:
        """How a callback has ended."""
        status = "Failed" if outputs is None else "Succeeded"
        self._callback.answers.setdefault(token, Progress(status, properties=outputs or {}, reason=reason))

    def _attempt(self, node: Node, record: StepRecord) -> None:
        """Begin a step, for the first time or again."""
        step, chosen = node.step, self._name(node)
        scope = StepScope(self._execution, self._steps, self._outside, node, chosen)
        try:
            arguments = {} if step.type in ("Condition", "ForEach") else resolve(step.arguments, scope)
            key = caching.key(step, arguments)
            found = caching.find(step, key, self._earlier(), now()) if key is not None else None
            record = self._change(record, cache_key=key)
            if found is not None:
                execution, earlier = found
                result = {"metadata": earlier.metadata, "properties": earlier.properties}
                self._change(record, status="Succeeded", cache_source=execution.arn, ended=now(), **result)
                return
            if step.type == "Callback":  # whoever gets the token may answer before the queue has
                record = self._change(record, job=chosen)
            progress = self._actions[step.type].begin(Begun(step, chosen, arguments, scope))
        except StepError as error:
            progress = Progress("Failed", reason=error.message, exception=error.exception)
        self._apply(node, self._change(record, job=chosen), progress)

    def _name(self, node: Node) -> str:
        if node.step.type == "Callback":
            return naming.callback_token()
        job = JOBS.get(node.step.type)
        prefix = node.step.arguments.get(job.name) if job is not None else None
        return naming.job_name(
            node.step.type, self._execution.id, node.name, prefix if isinstance(prefix, str) else None
        )

    def _apply(self, node: Node, record: StepRecord, progress: Progress) -> None:
        """Keep how a step stands; where it failed, see whether it is tried again."""
        changes: dict[str, Any] = {"metadata": progress.metadata or record.metadata, "properties": progress.properties}
        if progress.items is not None:
            changes["items"] = progress.items
        reason = progress.reason
        if progress.status == "Failed" and progress.exception is not None and not self._execution.ending:
            at = retrying.next_try(node.step.retry_policies, progress.exception, record, now())
            if at is not None:
                self._change(record, retry_at=at, **changes)
                return
            reason = self._not_retried(node, reason, progress.exception)
        if progress.status in ENDS:
            changes |= {"ended": now(), "reason": reason[:_REASON] if reason else None}
        if record.type == "Fail":
            self._execution.failing = reason or ""
        self._change(record, status=progress.status, **changes)

    def _not_retried(self, node: Node, reason: str | None, exception: str) -> str:
        if retrying.policy_for(node.step.retry_policies, exception) is not None:
            return reason or ""
        return (
            f"{reason}\nRetry not appropriate on execution of step with PipelineExecutionArn {self._execution.arn} and "
            f"StepId {node.name}. No retry policy configured for the exception type "
            f"{exception.upper().replace('.', '_')}."
        )

    def _change(self, record: StepRecord, **changes: Any) -> StepRecord:
        changed = replace(record, **changes)
        self._keep(changed, record.status)
        return changed

    def _keep(self, record: StepRecord, previous: str | None) -> None:
        self._execution.records[record.name] = record
        self._execution.modified = now()
        if record.status != previous:
            self._tell(previous, record)
