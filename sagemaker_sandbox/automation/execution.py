"""One run of a document: what it was given, how far it has come, and what it answers. It stands with moto's documents,
and is saved there."""

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagemaker_sandbox.automation import content
from sagemaker_sandbox.automation.actions import Outcome, StepError
from sagemaker_sandbox.automation.document import Document, Step
from sagemaker_sandbox.parts.resources import Fields

PENDING, IN_PROGRESS, SUCCESS, FAILED = "Pending", "InProgress", "Success", "Failed"
TIMED_OUT, CANCELLED = "TimedOut", "Cancelled"


@dataclass
class Run:
    """A step of this run."""

    step: Step
    status: str = PENDING
    began: datetime | None = None
    ended: datetime | None = None
    attempts: int = 0
    message: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def described(self) -> Fields:
        """As StepExecutions has it."""
        step = self.step
        found: Fields = {
            "StepName": step.name,
            "Action": step.action,
            "OnFailure": step.on_failure,
            "MaxAttempts": step.attempts,
            "StepStatus": self.status,
            "StepExecutionId": self.id,
            "IsEnd": step.is_end,
            "IsCritical": step.is_critical,
            "Inputs": self.inputs,
            "ValidNextSteps": list(dict.fromkeys(step.leads_to())),
            "ExecutionStartTime": self.began,
            "ExecutionEndTime": self.ended,
            "TimeoutSeconds": step.timeout,
            "NextStep": step.follows,
            "FailureMessage": self.message or None,
            "Outputs": _told(self.outputs) or None,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(eq=False)
class Execution:
    """Of a document's version. `due` is when its present step is done, or looked after again; None once it is over."""

    account: str
    region: str
    document_name: str
    version: str
    document: Document
    given: Mapping[str, Sequence[str]]
    values: Mapping[str, Any]
    role: str
    began: datetime
    token: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    ended: datetime | None = None
    due: datetime | None = field(init=False)
    current: str | None = field(init=False)
    message: str = ""
    runs: dict[str, Run] = field(init=False)

    def __post_init__(self) -> None:
        self.due = self.began
        self.runs = {name: Run(step) for name, step in self.document.steps.items()}
        self.current = next(iter(self.runs))

    @property
    def known(self) -> dict[str, Any]:
        """What references stand for."""
        partition = "aws-cn" if self.region.startswith("cn-") else "aws"
        own = {"ACCOUNT_ID": self.account, "REGION": self.region, "AWS_PARTITION": partition}
        own |= {"DATE": f"{self.began:%Y-%m-%d}", "DATE_TIME": f"{self.began:%Y-%m-%d_%H.%M.%S}"}
        found = {f"global:{name}": value for name, value in own.items()}
        found |= {content.EXECUTION_ID: self.id, **self.values}
        return found | {name: value for run in self.runs.values() for name, value in run.outputs.items()}

    def begin(self, moment: datetime) -> Run:
        """The present step, under way."""
        assert self.current is not None
        run = self.runs[self.current]
        if run.began is None:
            run.began, run.status = moment, IN_PROGRESS
            with suppress(LookupError):  # of which nothing is known, the step itself will say
                filled = content.filled(run.step.inputs, self.known)
                run.inputs = {name: json.dumps(value) for name, value in filled.items()}
        return run

    def succeeded(self, run: Run, outcome: Outcome, moment: datetime) -> None:
        """The present step has come to this."""
        if outcome.again is not None:
            self.due = outcome.again
            return
        run.status, run.ended, run.outputs = SUCCESS, moment, dict(outcome.outputs)
        self._go_to(outcome.chosen or run.step.follows, moment)

    def failed(self, run: Run, error: StepError, moment: datetime) -> None:
        """The present step has failed: it is tried again, or this goes where the step says."""
        run.attempts += 1
        run.message = str(error)
        if run.attempts < run.step.attempts:
            run.began, self.due = None, moment
            return
        run.status, run.ended = TIMED_OUT if error.timed_out else FAILED, moment
        if run.step.failing is not None:
            self._go_to(run.step.failing, moment)
        else:
            self._go_to(run.step.follows if run.step.continues else None, moment)

    def stop(self, moment: datetime) -> None:
        """Nothing of it is done any more."""
        if self.current is not None and self.runs[self.current].status == IN_PROGRESS:
            self.runs[self.current].status, self.runs[self.current].ended = CANCELLED, moment
        self._end(CANCELLED, moment)

    def _go_to(self, name: str | None, moment: datetime) -> None:
        if name is not None:
            self.current, self.due = name, moment
            return
        bad = [run for run in self.runs.values() if run.status in (FAILED, TIMED_OUT) and run.step.is_critical]
        if bad:
            self.message = f"Step {bad[0].step.name} failed: {bad[0].message}"
        self._end(bad[0].status if bad else SUCCESS, moment)

    def _end(self, status: str, moment: datetime) -> None:
        self.status, self.ended, self.due, self.current = status, moment, None, None

    def described(self) -> Fields:
        """As GetAutomationExecution has it."""
        return self.summary() | {
            "StepExecutions": [run.described() for run in self.runs.values()],
            "StepExecutionsTruncated": False,
            "Parameters": {name: list(given) for name, given in self.given.items()},
        }

    def summary(self) -> Fields:
        """As DescribeAutomationExecutions has it."""
        told = {name: self.known[name] for name in self.document.outputs if name in self.known}
        found: Fields = {
            "AutomationExecutionId": self.id,
            "DocumentName": self.document_name,
            "DocumentVersion": self.version,
            "AutomationExecutionStatus": self.status,
            "ExecutionStartTime": self.began,
            "ExecutionEndTime": self.ended,
            "ExecutedBy": self.role or f"arn:aws:iam::{self.account}:root",
            "Mode": "Auto",
            "CurrentStepName": self.current,
            "CurrentAction": self.runs[self.current].step.action if self.current else None,
            "FailureMessage": self.message or None,
            "Outputs": _told(told) or None,
        }
        return {name: value for name, value in found.items() if value is not None}


def _told(outputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Outputs as the API has them: lists of text, by step and name."""
    return {
        name: [content.text(one) for one in (value if isinstance(value, list) else [value])]
        for name, value in outputs.items()
    }
