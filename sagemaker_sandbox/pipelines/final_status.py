"""Final status of an execution."""

from collections.abc import Iterable

from sagemaker_sandbox.pipelines.execution import PipelineExecution
from sagemaker_sandbox.pipelines.nodes import Node

_FAILED = "Step failure: One or multiple steps failed."


def find_final_status(execution: PipelineExecution, nodes: Iterable[Node]) -> tuple[str, str | None]:
    """Return the status, and the reason of a failure.

    If another step waited for the failure of a step, the execution ends in CompletedWithFailures (`step_dependency.py`
    of the SageMaker SDK).
    """
    records = execution.records
    if execution.fail_message is not None:
        return "Failed", _FAILED
    if execution.is_stopping:
        has_timeout = any(record.type == "Lambda" and record.status == "Failed" for record in records.values())
        return ("Failed", _FAILED) if has_timeout else ("Stopped", None)
    failed = {record.name for record in records.values() if record.status == "Failed" and record.parent is None}
    expected_failures = {
        name
        for node in nodes
        if node.name in records
        for name, trigger in node.dependencies.items()
        if trigger in ("Failed", "Any")
    }
    if failed - expected_failures:
        return "Failed", _FAILED
    if failed:
        return "CompletedWithFailures", _FAILED
    stopped = any(record.status == "Stopped" for record in records.values())
    return ("Stopped", None) if stopped else ("Succeeded", None)
