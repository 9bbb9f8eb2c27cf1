"""Which step of an execution comes next."""

from collections.abc import Iterator, Mapping

from sagemaker_sandbox.pipelines.definition import Placed, for_each_arguments
from sagemaker_sandbox.pipelines.execution import ENDS, Execution, StepRecord
from sagemaker_sandbox.pipelines.nodes import Node, Schedule
from sagemaker_sandbox.pipelines.work import Work


class Scheduler:
    """Starts each step when what it needs has ended, passes over what never can, and looks after what runs."""

    def __init__(self, execution: Execution, steps: Mapping[str, Placed], work: Work) -> None:
        self._execution, self._steps, self._work = execution, steps, work
        self._schedule = Schedule(steps)
        self._asked_to_stop: set[str] = set()

    def nodes(self) -> Iterator[Node]:
        """All that there is to schedule so far."""
        return self._schedule.nodes(self._execution.records)

    def advance(self) -> bool:
        """Do all that can be done now; whether anything was."""
        moved = False
        while self._once():
            moved = True
        return moved

    def _once(self) -> bool:
        nodes = {node.name: node for node in self.nodes()}
        moved = [self._work.look(nodes[record.name], record) for record in self._execution.running()]
        if self._execution.ending:
            moved += [self._ask_to_stop(record) for record in self._execution.running()]
        else:
            moved += [self._consider(node) for node in nodes.values()]
        return any(moved)

    def _consider(self, node: Node) -> bool:
        """Start a step whose turn it is, or pass it over for good."""
        execution = self._execution
        if node.name in execution.records or node.name in execution.skipped or execution.ending:
            return False
        allowed = self._allowed(node)
        if allowed is False:
            execution.skipped.add(node.name)
            return True
        if allowed is None or not self._room(node):
            return False
        self._work.begin(node)
        return True

    def _allowed(self, node: Node) -> bool | None:
        """Whether what it needs has ended as it must; None: not yet."""
        pending = False
        for name, trigger in node.needs.items():
            if name in self._execution.skipped:
                return False
            record = self._execution.records.get(name)
            if record is None or not record.over:
                pending = True
            elif trigger not in (ENDS[record.status], "Any"):
                return False
        if pending:
            return None
        condition = node.placed.condition
        if condition is None:
            return True
        return bool(self._execution.records[condition].properties["Outcome"] == str(node.placed.outcome))

    def _room(self, node: Node) -> bool:
        """Whether one more step may run. A ForEach step itself takes no room: its body does."""
        if node.step.type == "ForEach":
            return True
        running = [record for record in self._execution.running() if record.type != "ForEach"]
        most = self._execution.max_parallel
        if most is not None and len(running) >= most:
            return False
        if node.placed.for_each is None:
            return True
        beside = sum(record.parent == node.placed.for_each for record in running)
        return beside < for_each_arguments(self._steps[node.placed.for_each].step).max_concurrency

    def _ask_to_stop(self, record: StepRecord) -> bool:
        """Ask a running step to end, once; whether anything changed."""
        if record.name in self._asked_to_stop:
            return False
        self._asked_to_stop.add(record.name)
        # What has not begun of a body never will.
        body = {node.name for node in self.nodes() if node.placed.for_each == record.name}
        self._execution.skipped |= body - self._execution.records.keys()
        return self._work.ask_to_stop(record)
