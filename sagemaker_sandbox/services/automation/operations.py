"""Systems Manager operations of automation executions. The sandbox answers them; moto keeps the documents."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.automation.execution import AutomationExecution
from sagemaker_sandbox.services.automation.executions import AutomationExecutions
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

_PAGE = 50


class InvalidNextTokenError(ApiError):
    """A token that no page has returned."""

    code = "InvalidNextToken"


class AutomationOperations(ServiceOperations):
    """Operations of automation executions."""

    service = moto_service = signing_name = "ssm"

    def __init__(self, executions: AutomationExecutions) -> None:
        self._executions = executions

    @emulated_operation
    def start_automation_execution(self, request: ServiceRequest) -> Fields:
        """Start an execution."""
        execution = self._executions.start(request.account, request.region, request.parameters)
        return {"AutomationExecutionId": execution.id}

    @emulated_operation
    def get_automation_execution(self, request: ServiceRequest) -> Fields:
        """Return an execution."""
        name = request.parameters["AutomationExecutionId"]
        return {"AutomationExecution": self._executions.find(request.account, request.region, name).describe()}

    @emulated_operation
    def describe_automation_executions(self, request: ServiceRequest) -> Fields:
        """Return a page of executions. Raises ApiError for an invalid filter or token."""
        filters = request.parameters.get("Filters") or []
        executions = [
            execution
            for execution in self._executions.list_executions(request.account, request.region)
            if all(_matches(execution, item) for item in filters)
        ]
        size = int(request.parameters.get("MaxResults") or _PAGE)
        token = str(request.parameters.get("NextToken") or 0)
        if not token.isdecimal():
            raise InvalidNextTokenError("The specified token is not valid.")
        end = int(token) + size
        page = [execution.build_summary() | {"AutomationType": "Local"} for execution in executions[int(token) : end]]
        more = {"NextToken": str(end)} if end < len(executions) else {}
        return {"AutomationExecutionMetadataList": page} | more

    @emulated_operation
    def stop_automation_execution(self, request: ServiceRequest) -> Fields:
        """Stop an execution."""
        name, kind = request.parameters["AutomationExecutionId"], request.parameters.get("Type") or "Cancel"
        self._executions.stop(request.account, request.region, name, kind)
        return {}


_FILTERS: dict[str, Callable[[AutomationExecution, str], bool]] = {
    "CurrentAction": lambda execution, value: execution.build_summary().get("CurrentAction") == value,
    "DocumentNamePrefix": lambda execution, value: execution.document_name.startswith(value),
    "ExecutionId": lambda execution, value: execution.id == value,
    "ExecutionStatus": lambda execution, value: execution.status == value,
    "StartTimeAfter": lambda execution, value: execution.start_time > _parse_time(value),
    "StartTimeBefore": lambda execution, value: execution.start_time < _parse_time(value),
}


def _matches(execution: AutomationExecution, item: dict[str, Any]) -> bool:
    matches = _FILTERS.get(item["Key"])
    if matches is None:
        raise ApiError(f"The filter {item['Key']} is not emulated by the sandbox.", code="InvalidFilterKey")
    return any(matches(execution, value) for value in item["Values"])


def _parse_time(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone()
    except ValueError:
        raise ApiError(f"{value} is no time.", code="InvalidFilterValue") from None
