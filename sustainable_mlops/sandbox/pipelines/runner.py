"""Runs one execution: starts each step when what it needs has ended, and looks after those that run."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sustainable_mlops.sandbox.errors import ApiError, ValidationError
from sustainable_mlops.sandbox.pipelines import caching, graph, naming, retrying, selection, verdict
from sustainable_mlops.sandbox.pipelines.actions.action import Action, Begun, Progress
from sustainable_mlops.sandbox.pipelines.actions.branching import Condition, Fail, ForEach
from sustainable_mlops.sandbox.pipelines.actions.callback import Callback
from sustainable_mlops.sandbox.pipelines.actions.function import Lambda
from sustainable_mlops.sandbox.pipelines.actions.jobs import Job
from sustainable_mlops.sandbox.pipelines.actions.models import Model, RegisterModel
from sustainable_mlops.sandbox.pipelines.definition import Definition, for_each_arguments
from sustainable_mlops.sandbox.pipelines.execution import ENDS, Execution, StepRecord, now
from sustainable_mlops.sandbox.pipelines.expressions import resolve
from sustainable_mlops.sandbox.pipelines.nodes import Node, Schedule
from sustainable_mlops.sandbox.pipelines.outside import Fields, Outside, StepError
from sustainable_mlops.sandbox.pipelines.scope import StepScope
from sustainable_mlops.sandbox.pipelines.steps import JOBS

#: How long the runner sleeps when nobody tells it that something has changed: soon at first, then ever longer.
_SOON, _LATE = 0.05, 1.0
_REASON = 1024  # characters

#: `tell(previous, record)`: a step's status has changed; with no record, the execution's has.
Tell = Callable[[str | None, StepRecord | None], None]
#: `earlier()`: the executions of the same pipeline, in which results may be found.
Earlier = Callable[[], list[Execution]]


class Runner:
    """A thread for one execution. It sleeps until `wake` or, as jobs may change unheard, for a second at most."""

    def __init__(
        self, execution: Execution, definition: Definition, outside: Outside, tell: Tell, earlier: Earlier
    ) -> None:
        self.execution = execution
        self._definition, self._steps = definition, graph.steps_by_name(definition)
        self._outside, self._tell, self._earlier = outside, tell, earlier
        self._schedule = Schedule(self._steps)
        self._woken = threading.Event()
        self._closing = False
        self._callback = Callback(outside, execution)
        self._actions: dict[str, Action] = {
            **{kind: Job(outside, kind, execution) for kind in JOBS},
            "Model": Model(outside),
            "RegisterModel": RegisterModel(outside),
            "Condition": Condition(),
            "Fail": Fail(),
            "ForEach": ForEach(execution),
            "Callback": self._callback,
            "Lambda": Lambda(outside, self.wake),
        }
        self._asked_to_stop: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"pipeline {execution.id}", daemon=True)

    def prepare(self, source: Execution | None) -> None:
        """Before an execution is started, or taken up again: name its experiment, and leave it the selected steps.

        `source` is where a selective one takes the results of others from. Raises ValidationError.
        """
        execution = self.execution
        if execution.selective is not None:
            selected = [one["StepName"] for one in execution.selective["SelectedSteps"]]
            selection.apply(execution, self._steps, selected, source)
        if self._definition.pipeline_experiment_config is not None:
            scope = StepScope(execution, self._steps, self._outside)
            try:
                execution.experiment = resolve(self._definition.pipeline_experiment_config, scope)
            except StepError as error:
                raise ValidationError(error.message) from None

    def start(self) -> None:
        """Begin, or go on with what has been begun."""
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
        waiting = any(record.job == token and not record.over for record in list(self.execution.records.values()))
        if waiting and token not in self._callback.answers:
            status = "Failed" if outputs is None else "Succeeded"
            self._callback.answers[token] = Progress(status, properties=outputs or {}, reason=reason)
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
        pause = _SOON
        self._announce(None)
        try:
            while not self._closing:
                moved = self._turn()
                if self._finish():
                    return
                pause = _SOON if moved else min(pause * 2, _LATE)
                self._woken.wait(self._pause(pause))
                self._woken.clear()
            for record in self._running():
                self._actions[record.type].stop(record)
        except Exception:  # A fault of the sandbox's own: told, and no execution that never ends.
            traceback.print_exc()
            self._end("Failed", "InternalFailure: The sandbox failed to run the pipeline.")

    def _turn(self) -> bool:
        """Do all that can be done now; whether anything was."""
        moved = False
        while self._step():
            moved = True
        return moved

    def _step(self) -> bool:
        moved = [self._look(record) for record in self._running()]
        if self._ending:
            moved += [self._ask_to_stop(record) for record in self._running()]
        else:
            moved += [self._consider(node) for node in self._schedule.nodes(self.execution.records)]
        return any(moved)

    @property
    def _ending(self) -> bool:
        return self.execution.stopping or self.execution.failing is not None

    def _running(self) -> list[StepRecord]:
        return [record for record in self.execution.records.values() if not record.over]

    def _pause(self, longest: float) -> float:
        """Seconds to sleep: no longer than to the next retry."""
        due = [record.retry_at for record in self._running() if record.retry_at is not None]
        return max(0.0, min([longest, *((at - now()).total_seconds() for at in due)]))

    # What comes next

    def _consider(self, node: Node) -> bool:
        """Start a step whose turn it is, or pass it over for good."""
        execution = self.execution
        if node.name in execution.records or node.name in execution.skipped or self._ending:
            return False
        allowed = self._allowed(node)
        if allowed is False:
            execution.skipped.add(node.name)
            return True
        if allowed is None or not self._room(node):
            return False
        self._begin(node)
        return True

    def _allowed(self, node: Node) -> bool | None:
        """Whether what it needs has ended as it must; None: not yet."""
        pending = False
        for name, trigger in node.needs.items():
            if name in self.execution.skipped:
                return False
            record = self.execution.records.get(name)
            if record is None or not record.over:
                pending = True
            elif trigger not in (ENDS[record.status], "Any"):
                return False
        if pending:
            return None
        condition = node.placed.condition
        if condition is None or node.index is not None:
            return True
        return bool(self.execution.records[condition].properties["Outcome"] == str(node.placed.outcome))

    def _room(self, node: Node) -> bool:
        """Whether one more step may run. A ForEach step itself takes no room: its body does."""
        if node.step.type == "ForEach":
            return True
        running = [record for record in self._running() if record.type != "ForEach"]
        most = self.execution.max_parallel
        if most is not None and len(running) >= most:
            return False
        if node.placed.for_each is None:
            return True
        beside = sum(record.parent == node.placed.for_each for record in running)
        return beside < for_each_arguments(self._steps[node.placed.for_each].step).max_concurrency

    # One step

    def _begin(self, node: Node) -> None:
        record = StepRecord(node.name, node.step.type, parent=node.placed.for_each, index=node.index, item=node.item)
        self._keep(record, None)
        self._attempt(node, record)

    def _attempt(self, node: Node, record: StepRecord) -> None:
        """Begin a step, for the first time or again."""
        step, chosen = node.step, self._name(node)
        scope = StepScope(self.execution, self._steps, self._outside, node, chosen)
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
            progress = self._actions[step.type].begin(Begun(step, chosen, arguments, scope))
        except StepError as error:
            progress = Progress("Failed", reason=error.message, exception=error.exception)
        self._apply(node, self._change(record, job=chosen, retry_at=None), progress)

    def _name(self, node: Node) -> str:
        if node.step.type == "Callback":
            return naming.callback_token()
        job = JOBS.get(node.step.type)
        prefix = node.step.arguments.get(job.name) if job is not None else None
        return naming.job_name(
            node.step.type, self.execution.id, node.name, prefix if isinstance(prefix, str) else None
        )

    def _look(self, record: StepRecord) -> bool:
        """See how a running step stands; whether that has changed."""
        node = self._node(record)
        if record.retry_at is not None:
            if self._ending or record.retry_at > now():
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

    def _apply(self, node: Node, record: StepRecord, progress: Progress) -> None:
        """Keep how a step stands; where it failed, see whether it is tried again."""
        changes: dict[str, Any] = {"metadata": progress.metadata or record.metadata, "properties": progress.properties}
        if progress.items is not None:
            changes["items"] = progress.items
        reason = progress.reason
        if progress.status == "Failed" and progress.exception is not None and not self._ending:
            at = retrying.next_try(node.step.retry_policies, progress.exception, record, now())
            if at is not None:
                self._change(record, retry_at=at, **changes)
                return
            reason = self._not_retried(node, reason, progress.exception)
        if progress.status in ENDS:
            changes |= {"ended": now(), "reason": reason[:_REASON] if reason else None}
        if record.type == "Fail":
            self.execution.failing = reason or ""
        self._change(record, status=progress.status, **changes)

    def _not_retried(self, node: Node, reason: str | None, exception: str) -> str:
        name = exception.upper().replace(".", "_")
        return (
            f"{reason}\nRetry not appropriate on execution of step with PipelineExecutionArn {self.execution.arn} and "
            f"StepId {node.name}. No retry policy configured for the exception type {name}."
        )

    def _ask_to_stop(self, record: StepRecord) -> bool:
        """Ask a running step to end, once; whether anything changed."""
        if record.retry_at is not None:
            self._change(record, status="Stopped", ended=now(), retry_at=None)
            return True
        if record.name in self._asked_to_stop:
            return False
        self._asked_to_stop.add(record.name)
        if record.type == "ForEach":
            # What has not begun never will.
            begun = self.execution.records
            bodies = [node.name for node in self._schedule.nodes(begun) if node.placed.for_each == record.name]
            self.execution.skipped |= set(bodies) - begun.keys()
        try:
            stopping = self._actions[record.type].stop(record)
        except (ApiError, StepError):
            return False
        if stopping:
            self._change(record, status="Stopping")
        return stopping

    def _node(self, record: StepRecord) -> Node:
        return next(node for node in self._schedule.nodes(self.execution.records) if node.name == record.name)

    # What is known

    def _change(self, record: StepRecord, **changes: Any) -> StepRecord:
        changed = replace(record, **changes)
        self._keep(changed, record.status)
        return changed

    def _keep(self, record: StepRecord, previous: str | None) -> None:
        self.execution.records[record.name] = record
        self.execution.modified = now()
        if record.status != previous:
            self._tell(previous, record)

    def _finish(self) -> bool:
        """End the execution where nothing runs and nothing can; whether it has ended."""
        if self._running():
            return False
        self._end(*verdict.of(self.execution, self._schedule.nodes(self.execution.records)))
        return True

    def _end(self, status: str, reason: str | None) -> None:
        self.execution.reason, self.execution.modified = reason, now()
        previous, self.execution.status = self.execution.status, status
        self._announce(previous)

    def _announce(self, previous: str | None) -> None:
        self._tell(previous, None)
