"""Scheduling of an execution's steps."""

from collections.abc import Iterator, Mapping

from sagemaker_sandbox.pipelines.definition import PlacedStep, parse_for_each_arguments
from sagemaker_sandbox.pipelines.execution import TRIGGERS, PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.nodes import Node, NodeSchedule
from sagemaker_sandbox.pipelines.step_runs import StepRunner


class StepScheduler:
    """Scheduler of the steps of an execution. It starts each step after its dependencies, and skips the others."""

    def __init__(self, execution: PipelineExecution, steps: Mapping[str, PlacedStep], work: StepRunner) -> None:
        self._execution, self._steps, self._work = execution, steps, work
        self._schedule = NodeSchedule(steps)
        self._stop_requests: set[str] = set()

    def list_nodes(self) -> Iterator[Node]:
        """Yield the present nodes."""
        return self._schedule.list_nodes(self._execution.records)

    def advance(self) -> bool:
        """Do everything that is possible now. Return whether anything has changed."""
        has_changed = False
        while self._advance_once():
            has_changed = True
        return has_changed

    def _advance_once(self) -> bool:
        nodes = {node.name: node for node in self.list_nodes()}
        changes = [self._work.check(nodes[record.name], record) for record in self._execution.list_running()]
        if self._execution.is_ending:
            changes += [self._request_stop(record) for record in self._execution.list_running()]
        else:
            changes += [self._consider(node) for node in nodes.values()]
        return any(changes)

    def _consider(self, node: Node) -> bool:
        """Start a step that is ready, or skip one that never can start. Return True for either."""
        execution = self._execution
        if node.name in execution.records or node.name in execution.skipped or execution.is_ending:
            return False
        is_ready = self._is_ready(node)
        if is_ready is False:
            execution.skipped.add(node.name)
            return True
        if is_ready is None or not self._has_capacity(node):
            return False
        self._work.start(node)
        return True

    def _is_ready(self, node: Node) -> bool | None:
        """Return True if all dependencies allow the start, False if one never will, None if one is pending."""
        is_pending = False
        for name, trigger in node.dependencies.items():
            if name in self._execution.skipped:
                return False
            record = self._execution.records.get(name)
            if record is None or not record.is_over:
                is_pending = True
            elif trigger not in (TRIGGERS[record.status], "Any"):
                return False
        if is_pending:
            return None
        condition = node.placed.condition
        if condition is None:
            return True
        return bool(self._execution.records[condition].properties["Outcome"] == str(node.placed.outcome))

    def _has_capacity(self, node: Node) -> bool:
        """Return whether one more step can run. A ForEach step itself does not count; its body does."""
        if node.step.type == "ForEach":
            return True
        running = [record for record in self._execution.list_running() if record.type != "ForEach"]
        maximum = self._execution.max_parallel
        if maximum is not None and len(running) >= maximum:
            return False
        if node.placed.for_each is None:
            return True
        sibling_count = sum(record.parent == node.placed.for_each for record in running)
        return sibling_count < parse_for_each_arguments(self._steps[node.placed.for_each].step).max_concurrency

    def _request_stop(self, record: StepRecord) -> bool:
        """Request the stop of a running step, once. Return whether anything changed."""
        if record.name in self._stop_requests:
            return False
        self._stop_requests.add(record.name)
        # Steps of a body that have not started will not start.
        body = {node.name for node in self.list_nodes() if node.placed.for_each == record.name}
        self._execution.skipped |= body - self._execution.records.keys()
        return self._work.request_stop(record)
