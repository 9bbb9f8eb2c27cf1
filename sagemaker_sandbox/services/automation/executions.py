"""Automation executions of all accounts and Regions. The clock runs their steps."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.request_gate import RequestGate
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.automation import document, parameters, references
from sagemaker_sandbox.services.automation.actions import AutomationStepAction, AutomationStepError
from sagemaker_sandbox.services.automation.api_calls import SERVICE, ApiCaller
from sagemaker_sandbox.services.automation.document import AutomationDocument
from sagemaker_sandbox.services.automation.execution import IN_PROGRESS, AutomationExecution
from sagemaker_sandbox.services.automation.parameters import ParameterError

#: Attribute of moto's backend that holds the executions by ID.
_EXECUTIONS = "_sandbox_automation_executions"
#: Parameters of StartAutomationExecution that the sandbox supports.
_SUPPORTED = {"ClientToken", "DocumentName", "DocumentVersion", "Mode", "Parameters"}
DEFAULT = "$DEFAULT"
_MODELS = "moto.ssm.models"


class AutomationExecutions:
    """All executions, as one task of the clock."""

    def __init__(self, context: SandboxContext, gate: RequestGate) -> None:
        self._context = context
        self._gate = gate
        context.clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the moment at which the first step is due."""
        moments = (max(item.due, after + TICK) for item in _list_all() if item.due is not None)
        return min(moments, default=None)

    def run_due(self, moment: datetime) -> None:
        """Run the steps that are due, one after the other."""
        for execution in list(_list_all()):
            while execution.due is not None and execution.due <= moment:
                self._run_step(execution, moment)

    def _run_step(self, execution: AutomationExecution, moment: datetime) -> None:
        """Run one step. Its API calls pass the gate in other threads, so this thread must not hold it meanwhile."""
        with self._gate.enter_shared():
            run = execution.begin(moment)
        api = ApiCaller(self._context, execution.account, execution.region, execution.role)
        assert run.start_time is not None
        try:
            action = AutomationStepAction(run.step, execution.reference_values, api, run.start_time, moment)
            result, error = action.run(), None
        except AutomationStepError as failure:
            result, error = None, failure
        with self._gate.enter_shared():
            if execution.status != IN_PROGRESS:
                return
            if result is not None:
                execution.record_success(run, result, moment)
            elif error is not None:
                execution.record_failure(run, error, moment)

    def start(self, account: str, region: str, request: Fields) -> AutomationExecution:
        """Start an execution. Raises moto's exceptions."""
        mode = request.get("Mode", "Auto")
        if others := sorted(set(request) - _SUPPORTED) or ([mode] if mode != "Auto" else []):
            raise _create_unsupported_error(f"{others[0]} of StartAutomationExecution")
        version = _find_version(account, region, request["DocumentName"], request.get("DocumentVersion") or DEFAULT)
        parsed_document, texts = document.parse_document(version.content_json), request.get("Parameters") or {}
        if parsed_document.unsupported:
            raise _create_unsupported_error(f"{version.name}: {parsed_document.unsupported[0]}")
        try:
            values = parameters.convert_values(parsed_document.parameters, texts)
        except ParameterError as error:
            raise _create_error("InvalidAutomationExecutionParametersException", str(error)) from None
        role = _resolve_role(account, parsed_document, values)
        token = request.get("ClientToken")
        for execution in _get_executions(account, region).values() if token else ():
            if execution.token == token:
                if (execution.document_name, dict(execution.parameters)) != (version.name, texts):
                    raise _create_error("IdempotentParameterMismatch", "The token was used with other parameters.")
                return execution
        now = self._context.clock.now()
        execution = AutomationExecution(
            account, region, version.name, version.document_version, parsed_document, texts, values, role, now, token
        )
        _get_executions(account, region)[execution.id] = execution
        self._context.clock.wake()
        return execution

    def stop(self, account: str, region: str, name: str, kind: str) -> None:
        """Stop an execution. Raises moto's exceptions."""
        execution = self.find(account, region, name)
        if kind != "Cancel":
            raise _create_unsupported_error(f"the type {kind} of StopAutomationExecution")
        if execution.status != IN_PROGRESS:
            raise _create_error(
                "InvalidAutomationStatusUpdateException", f"The automation {name} is already {execution.status}."
            )
        execution.stop(self._context.clock.now())

    def find(self, account: str, region: str, name: str) -> AutomationExecution:
        """Return an execution by its ID. Raises moto's exception."""
        execution = _get_executions(account, region).get(name)
        if execution is None:
            raise _create_error(
                "AutomationExecutionNotFoundException", f"There is no automation execution with the ID {name}."
            )
        return execution

    def list_executions(self, account: str, region: str) -> list[AutomationExecution]:
        """Return the executions of an account and Region, the last one first."""
        executions = _get_executions(account, region).values()
        return sorted(executions, key=lambda execution: execution.start_time, reverse=True)


def find_assumed_role(account: str, region: str, request: Mapping[str, Any]) -> str:
    """Return the role that an execution would assume; empty if there is none or the request is invalid."""
    from moto.ssm.exceptions import SSMException

    try:
        version = _find_version(account, region, request["DocumentName"], request.get("DocumentVersion") or DEFAULT)
        parsed_document = document.parse_document(version.content_json)
        values = parameters.convert_values(parsed_document.parameters, request.get("Parameters") or {})
        return str(references.fill(parsed_document.assume_role, values))
    except (SSMException, ValueError, LookupError):
        return ""


def _resolve_role(account: str, parsed_document: AutomationDocument, values: Mapping[str, Any]) -> str:
    role = str(references.fill(parsed_document.assume_role, values))
    if role and not roles.can_assume(account, role, SERVICE):
        raise _create_error(
            "InvalidAutomationExecutionParametersException", "The defined assume role is unable to be assumed."
        )
    return role


def _find_version(account: str, region: str, name: str, version: str) -> Any:
    """Return moto's version of a document. Raises moto's exceptions."""
    document_name = name.rpartition("/")[2]
    documents = _get_backend(account, region)._documents.get(document_name)
    if documents is None or documents.get_default_version().document_type != "Automation":
        raise _create_error(
            "AutomationDefinitionNotFoundException", f"There is no Automation document {document_name}."
        )
    number = None if version == DEFAULT else version
    document_version = documents.find(number, strict=False)
    if document_version is None:
        raise _create_error(
            "AutomationDefinitionVersionNotFoundException", f"{document_name} has no version {version}."
        )
    return document_version


def _create_unsupported_error(feature: str) -> Exception:
    return _create_error("UnsupportedOperationException", f"{feature} is not emulated by the sandbox.")


def _create_error(code: str, message: str) -> Exception:
    from moto.ssm.exceptions import SSMException

    error: Exception = SSMException(code, message)
    return error


def _get_backend(account: str, region: str) -> Any:
    from moto.ssm.models import ssm_backends

    return ssm_backends[account][region]


def _get_executions(account: str, region: str) -> dict[str, AutomationExecution]:
    executions: dict[str, AutomationExecution] = vars(_get_backend(account, region)).setdefault(_EXECUTIONS, {})
    return executions


def _list_all() -> Iterator[AutomationExecution]:
    """Yield all executions. There are none before the first request: the import of moto's module takes time."""
    models = sys.modules.get(_MODELS)
    # Another thread may still be importing the module.
    for by_region in list(getattr(models, "ssm_backends", {}).values()):
        for backend in list(by_region.values()):
            yield from list(vars(backend).get(_EXECUTIONS, {}).values())
