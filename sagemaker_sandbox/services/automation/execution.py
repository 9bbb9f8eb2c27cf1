"""One execution of a document. moto's backend holds it, so that it is saved with moto's state."""

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.automation import references
from sagemaker_sandbox.services.automation.actions import AutomationStepError, StepResult
from sagemaker_sandbox.services.automation.document import AutomationDocument, AutomationStep
from sustainable_mlops.catalogue.regions import find_partition

PENDING, IN_PROGRESS, SUCCESS, FAILED = "Pending", "InProgress", "Success", "Failed"
TIMED_OUT, CANCELLED = "TimedOut", "Cancelled"


@dataclass
class StepRun:
    """One step of an execution."""

    step: AutomationStep
    status: str = PENDING
    start_time: datetime | None = None
    end_time: datetime | None = None
    attempts: int = 0
    message: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def describe(self) -> Fields:
        """Return the step in the form of StepExecutions."""
        step = self.step
        members: Fields = {
            "StepName": step.name,
            "Action": step.action,
            "OnFailure": step.on_failure,
            "MaxAttempts": step.attempts,
            "StepStatus": self.status,
            "StepExecutionId": self.id,
            "IsEnd": step.is_end,
            "IsCritical": step.is_critical,
            "Inputs": self.inputs,
            "ValidNextSteps": list(dict.fromkeys(step.list_next_steps())),
            "ExecutionStartTime": self.start_time,
            "ExecutionEndTime": self.end_time,
            "TimeoutSeconds": step.timeout,
            "NextStep": step.following,
            "FailureMessage": self.message or None,
            "Outputs": _to_texts(self.outputs) or None,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(eq=False)
class AutomationExecution:
    """An execution of one version of a document. `due` is the moment of the next step; None after the end."""

    account: str
    region: str
    document_name: str
    version: str
    document: AutomationDocument
    parameters: Mapping[str, Sequence[str]]
    values: Mapping[str, Any]
    role: str
    start_time: datetime
    token: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    end_time: datetime | None = None
    due: datetime | None = field(init=False)
    current: str | None = field(init=False)
    message: str = ""
    runs: dict[str, StepRun] = field(init=False)

    def __post_init__(self) -> None:
        self.due = self.start_time
        self.runs = {name: StepRun(step) for name, step in self.document.steps.items()}
        self.current = next(iter(self.runs))

    @property
    def reference_values(self) -> dict[str, Any]:
        """Values of all references."""
        partition = find_partition(self.region)
        variables = {"ACCOUNT_ID": self.account, "REGION": self.region, "AWS_PARTITION": partition}
        variables |= {"DATE": f"{self.start_time:%Y-%m-%d}", "DATE_TIME": f"{self.start_time:%Y-%m-%d_%H.%M.%S}"}
        values = {f"global:{name}": value for name, value in variables.items()}
        values |= {references.EXECUTION_ID: self.id, **self.values}
        return values | {name: value for run in self.runs.values() for name, value in run.outputs.items()}

    def begin(self, moment: datetime) -> StepRun:
        """Start the current step, if it has not started, and return it."""
        assert self.current is not None
        run = self.runs[self.current]
        if run.start_time is None:
            run.start_time, run.status = moment, IN_PROGRESS
            with suppress(LookupError):  # the step itself reports unknown references
                inputs = references.fill(run.step.inputs, self.reference_values)
                run.inputs = {name: json.dumps(value) for name, value in inputs.items()}
        return run

    def record_success(self, run: StepRun, result: StepResult, moment: datetime) -> None:
        """Record the result of the current step, and go to the next step."""
        if result.run_again_at is not None:
            self.due = result.run_again_at
            return
        run.status, run.end_time, run.outputs = SUCCESS, moment, dict(result.outputs)
        self._go_to(result.next_step or run.step.following, moment)

    def record_failure(self, run: StepRun, error: AutomationStepError, moment: datetime) -> None:
        """Record a failure of the current step: retry it, or go to the step for failures."""
        run.attempts += 1
        run.message = str(error)
        if run.attempts < run.step.attempts:
            run.start_time, self.due = None, moment
            return
        run.status, run.end_time = TIMED_OUT if error.is_timeout else FAILED, moment
        if run.step.failure_step is not None:
            self._go_to(run.step.failure_step, moment)
        else:
            self._go_to(run.step.following if run.step.ignores_failure else None, moment)

    def stop(self, moment: datetime) -> None:
        """Cancel the execution."""
        if self.current is not None and self.runs[self.current].status == IN_PROGRESS:
            self.runs[self.current].status, self.runs[self.current].end_time = CANCELLED, moment
        self._end(CANCELLED, moment)

    def _go_to(self, name: str | None, moment: datetime) -> None:
        if name is not None:
            self.current, self.due = name, moment
            return
        failures = [run for run in self.runs.values() if run.status in (FAILED, TIMED_OUT) and run.step.is_critical]
        if failures:
            self.message = f"Step {failures[0].step.name} failed: {failures[0].message}"
        self._end(failures[0].status if failures else SUCCESS, moment)

    def _end(self, status: str, moment: datetime) -> None:
        self.status, self.end_time, self.due, self.current = status, moment, None, None

    def describe(self) -> Fields:
        """Return the execution in the form of GetAutomationExecution."""
        return self.build_summary() | {
            "StepExecutions": [run.describe() for run in self.runs.values()],
            "StepExecutionsTruncated": False,
            "Parameters": {name: list(texts) for name, texts in self.parameters.items()},
        }

    def build_summary(self) -> Fields:
        """Return the execution in the form of DescribeAutomationExecutions."""
        outputs = {name: self.reference_values[name] for name in self.document.outputs if name in self.reference_values}
        members: Fields = {
            "AutomationExecutionId": self.id,
            "DocumentName": self.document_name,
            "DocumentVersion": self.version,
            "AutomationExecutionStatus": self.status,
            "ExecutionStartTime": self.start_time,
            "ExecutionEndTime": self.end_time,
            "ExecutedBy": self.role or f"arn:aws:iam::{self.account}:root",
            "Mode": "Auto",
            "CurrentStepName": self.current,
            "CurrentAction": self.runs[self.current].step.action if self.current else None,
            "FailureMessage": self.message or None,
            "Outputs": _to_texts(outputs) or None,
        }
        return {name: value for name, value in members.items() if value is not None}


def _to_texts(outputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return outputs in the form of the API: lists of text, by step and name."""
    return {
        name: [references.to_text(item) for item in (value if isinstance(value, list) else [value])]
        for name, value in outputs.items()
    }
