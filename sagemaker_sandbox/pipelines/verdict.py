"""How an execution has ended."""

from collections.abc import Iterable

from sagemaker_sandbox.pipelines.execution import Execution
from sagemaker_sandbox.pipelines.nodes import Node

_FAILED = "Step failure: One or multiple steps failed."


def of(execution: Execution, nodes: Iterable[Node]) -> tuple[str, str | None]:
    """The status, and the reason of a failure.

    A step's failure that another step waited for is not the execution's: that ends CompletedWithFailures
    (`step_dependency.py` of the SageMaker SDK).
    """
    records = execution.records
    if execution.failing is not None:
        return "Failed", _FAILED
    if execution.stopping:
        timed_out = any(record.type == "Lambda" and record.status == "Failed" for record in records.values())
        return ("Failed", _FAILED) if timed_out else ("Stopped", None)
    failed = {record.name for record in records.values() if record.status == "Failed" and record.parent is None}
    awaited = {
        name
        for node in nodes
        if node.name in records
        for name, trigger in node.needs.items()
        if trigger in ("Failed", "Any")
    }
    if failed - awaited:
        return "Failed", _FAILED
    if failed:
        return "CompletedWithFailures", _FAILED
    stopped = any(record.status == "Stopped" for record in records.values())
    return ("Stopped", None) if stopped else ("Succeeded", None)
