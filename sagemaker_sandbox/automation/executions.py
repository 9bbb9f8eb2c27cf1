"""The runs of all accounts and Regions: started, followed by the clock, stopped."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sagemaker_sandbox import roles
from sagemaker_sandbox.automation import content, document, parameters
from sagemaker_sandbox.automation.actions import Doing, StepError
from sagemaker_sandbox.automation.asking import SERVICE, Asking
from sagemaker_sandbox.automation.document import Document
from sagemaker_sandbox.automation.execution import IN_PROGRESS, Execution
from sagemaker_sandbox.automation.parameters import ParameterError
from sagemaker_sandbox.clock import TICK
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.request_gate import RequestGate

#: Where moto's backend has the runs of its account and Region, by id.
_RUNS = "_sandbox_automation_executions"
#: What a start may say here.
_TAKEN = {"ClientToken", "DocumentName", "DocumentVersion", "Mode", "Parameters"}
DEFAULT = "$DEFAULT"
_MODELS = "moto.ssm.models"


class Executions:
    """On the agenda of the clock."""

    def __init__(self, context: SandboxContext, gate: RequestGate) -> None:
        self._context = context
        self._gate = gate
        context.clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """When a step is due."""
        due = (max(one.due, after + TICK) for one in _all() if one.due is not None)
        return min(due, default=None)

    def run_due(self, moment: datetime) -> None:
        """Do the steps that are due, one after the other."""
        for one in list(_all()):
            while one.due is not None and one.due <= moment:
                self._step(one, moment)

    def _step(self, execution: Execution, moment: datetime) -> None:
        """What it asks comes back here by other threads, so that the gate is passed but before and after."""
        with self._gate.enter_shared():
            run = execution.begin(moment)
        asking = Asking(self._context, execution.account, execution.region, execution.role)
        assert run.began is not None
        try:
            outcome, error = Doing(run.step, execution.known, asking, run.began, moment).do(), None
        except StepError as failure:
            outcome, error = None, failure
        with self._gate.enter_shared():
            if execution.status != IN_PROGRESS:
                return
            if outcome is not None:
                execution.succeeded(run, outcome, moment)
            elif error is not None:
                execution.failed(run, error, moment)

    def start(self, account: str, region: str, asked: Fields) -> Execution:
        """As StartAutomationExecution. Raises moto's exceptions."""
        if other := sorted(set(asked) - _TAKEN) or ([asked["Mode"]] if asked.get("Mode", "Auto") != "Auto" else []):
            raise _refused(f"{other[0]} of StartAutomationExecution")
        found = _document(account, region, asked["DocumentName"], asked.get("DocumentVersion") or DEFAULT)
        known, given = document.read(found.content_json), asked.get("Parameters") or {}
        if known.unsupported:
            raise _refused(f"{found.name}: {known.unsupported[0]}")
        try:
            values = parameters.values(known.parameters, given)
        except ParameterError as error:
            raise _refusal("InvalidAutomationExecutionParametersException", str(error)) from None
        role = _role(account, known, values)
        token = asked.get("ClientToken")
        for one in _runs(account, region).values() if token else ():
            if one.token == token:
                if (one.document_name, dict(one.given)) != (found.name, given):
                    raise _refusal("IdempotentParameterMismatch", "The token was used with other parameters.")
                return one
        now = self._context.clock.now()
        made = Execution(account, region, found.name, found.document_version, known, given, values, role, now, token)
        _runs(account, region)[made.id] = made
        self._context.clock.wake()
        return made

    def stop(self, account: str, region: str, name: str, kind: str) -> None:
        """As StopAutomationExecution. Raises moto's exceptions."""
        found = self.find(account, region, name)
        if kind != "Cancel":
            raise _refused(f"the type {kind} of StopAutomationExecution")
        if found.status != IN_PROGRESS:
            raise _refusal(
                "InvalidAutomationStatusUpdateException", f"The automation {name} is {found.status} already."
            )
        found.stop(self._context.clock.now())

    def find(self, account: str, region: str, name: str) -> Execution:
        """One by its id. Raises moto's exception."""
        found = _runs(account, region).get(name)
        if found is None:
            raise _refusal(
                "AutomationExecutionNotFoundException", f"There is no automation execution with the ID {name}."
            )
        return found

    def all(self, account: str, region: str) -> list[Execution]:
        """Those of a place, the last first."""
        return sorted(_runs(account, region).values(), key=lambda one: one.began, reverse=True)


def assumed_role(account: str, region: str, asked: Mapping[str, Any]) -> str:
    """The role that a start would have to hand on; empty where it has none, or could not be."""
    from moto.ssm.exceptions import SSMException

    try:
        found = _document(account, region, asked["DocumentName"], asked.get("DocumentVersion") or DEFAULT)
        known = document.read(found.content_json)
        return str(
            content.filled(known.assume_role, parameters.values(known.parameters, asked.get("Parameters") or {}))
        )
    except (SSMException, ValueError, LookupError):
        return ""


def _role(account: str, known: Document, values: Mapping[str, Any]) -> str:
    role = str(content.filled(known.assume_role, values))
    if role and not roles.can_assume(account, role, SERVICE):
        raise _refusal(
            "InvalidAutomationExecutionParametersException", "The defined assume role is unable to be assumed."
        )
    return role


def _document(account: str, region: str, name: str, version: str) -> Any:
    """moto's document of that version."""
    plain = name.rpartition("/")[2]
    documents = _backend(account, region)._documents.get(plain)
    if documents is None or documents.get_default_version().document_type != "Automation":
        raise _refusal("AutomationDefinitionNotFoundException", f"There is no Automation document {plain}.")
    asked = None if version == DEFAULT else version
    found = documents.find(asked, strict=False)
    if found is None:
        raise _refusal("AutomationDefinitionVersionNotFoundException", f"{plain} has no version {version}.")
    return found


def _refused(what: str) -> Exception:
    return _refusal("UnsupportedOperationException", f"{what} is not emulated by the sandbox.")


def _refusal(code: str, message: str) -> Exception:
    from moto.ssm.exceptions import SSMException

    refusal: Exception = SSMException(code, message)
    return refusal


def _backend(account: str, region: str) -> Any:
    from moto.ssm.models import ssm_backends

    return ssm_backends[account][region]


def _runs(account: str, region: str) -> dict[str, Execution]:
    found: dict[str, Execution] = vars(_backend(account, region)).setdefault(_RUNS, {})
    return found


def _all() -> Iterator[Execution]:
    """None before Systems Manager is asked for the first time, or brought back: loading it takes long."""
    loaded = sys.modules.get(_MODELS)
    for by_region in list(loaded.ssm_backends.values()) if loaded else ():
        for backend in list(by_region.values()):
            yield from list(vars(backend).get(_RUNS, {}).values())
