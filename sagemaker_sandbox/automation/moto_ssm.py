"""moto's Systems Manager with these runs: it keeps documents, and takes any content and runs none."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import yaml
from moto.core.responses import ActionResult, EmptyResult
from moto.ssm.exceptions import InvalidDocumentContent, InvalidFilterKey, SSMException
from moto.ssm.models import SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse

from sagemaker_sandbox.automation import document
from sagemaker_sandbox.automation.content import ContentError
from sagemaker_sandbox.automation.execution import Execution
from sagemaker_sandbox.automation.executions import Executions

_AUTOMATION = "Automation"
_PAGE = 50


class Answers:
    """Each takes moto's response, which has the request."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    def start_automation_execution(self, response: Any) -> ActionResult:
        started = self._executions.start(*_place(response), json.loads(response.body))
        return ActionResult({"AutomationExecutionId": started.id})

    def get_automation_execution(self, response: Any) -> ActionResult:
        found = self._executions.find(*_place(response), response._get_param("AutomationExecutionId"))
        return ActionResult({"AutomationExecution": found.described()})

    def describe_automation_executions(self, response: Any) -> ActionResult:
        filters = response._get_param("Filters") or []
        found = [one for one in self._executions.all(*_place(response)) if all(_matches(one, by) for by in filters)]
        size, token = int(response._get_param("MaxResults") or _PAGE), str(response._get_param("NextToken") or 0)
        if not token.isdecimal():
            raise SSMException("InvalidNextToken", "The specified token is not valid.")
        page = found[int(token) : int(token) + size]
        more = {"NextToken": str(int(token) + size)} if int(token) + size < len(found) else {}
        listed = [one.summary() | {"AutomationType": "Local"} for one in page]
        return ActionResult({"AutomationExecutionMetadataList": listed} | more)

    def stop_automation_execution(self, response: Any) -> EmptyResult:
        name, kind = response._get_param("AutomationExecutionId"), response._get_param("Type") or "Cancel"
        self._executions.stop(*_place(response), name, kind)
        return EmptyResult()


_FILTERS: dict[str, Callable[[Execution, str], bool]] = {
    "CurrentAction": lambda one, value: one.summary().get("CurrentAction") == value,
    "DocumentNamePrefix": lambda one, value: one.document_name.startswith(value),
    "ExecutionId": lambda one, value: one.id == value,
    "ExecutionStatus": lambda one, value: one.status == value,
    "StartTimeAfter": lambda one, value: one.began > _moment(value),
    "StartTimeBefore": lambda one, value: one.began < _moment(value),
}


def share(executions: Executions) -> None:
    """Let moto's operations be these, and moto's documents be what AWS takes."""
    answers = Answers(executions)
    for name in vars(Answers):
        if not name.startswith("_"):
            setattr(SimpleSystemManagerResponse, name, _of_response(getattr(answers, name)))
    create, update = SimpleSystemManagerBackend.create_document, SimpleSystemManagerBackend.update_document

    def create_document(self: Any, **given: Any) -> Any:
        if given["document_type"] == _AUTOMATION:
            _check(given["content"], given["document_format"])
        return create(self, **given)

    def update_document(self: Any, **given: Any) -> Any:
        before = self._documents.get(given["name"])
        if before is not None and before.get_default_version().document_type == _AUTOMATION:
            _check(given["content"], given["document_format"])
        return update(self, **given)

    SimpleSystemManagerBackend.create_document = create_document
    SimpleSystemManagerBackend.update_document = update_document


def _check(content: Any, form: str) -> None:
    try:
        written = content if isinstance(content, dict) else _parsed(content, form)
        document.read(written)
    except (ContentError, ValueError, yaml.YAMLError) as error:
        raise InvalidDocumentContent(str(error)) from None


def _parsed(content: str, form: str) -> Any:
    return yaml.safe_load(content) if form == "YAML" else json.loads(content)


def _matches(one: Execution, by: dict[str, Any]) -> bool:
    matches = _FILTERS.get(by["Key"])
    if matches is None:
        raise InvalidFilterKey(f"The filter {by['Key']} is not emulated by the sandbox.")
    return any(matches(one, value) for value in by["Values"])


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone()
    except ValueError:
        raise SSMException("InvalidFilterValue", f"{value} is no time.") from None


def _place(response: Any) -> tuple[str, str]:
    return response.current_account, response.region


def _of_response(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda response: answer(response)
