"""The form of an action, and how it calls SageMaker."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.pipelines.definition import Step
from sagemaker_sandbox.pipelines.execution import StepRecord
from sagemaker_sandbox.pipelines.expressions import Scope
from sagemaker_sandbox.pipelines.outside import Fields, Outside, StepError
from sagemaker_sandbox.pipelines.retrying import exception_of_refusal


@dataclass(frozen=True)
class Progress:
    """How a step stands; `exception` is the type of a failure by which its retry policies know it."""

    status: str
    metadata: Fields = field(default_factory=dict)
    properties: Fields = field(default_factory=dict)
    reason: str | None = None
    exception: str | None = None
    items: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Begun:
    """A step that begins: the name chosen for its job, its arguments as they come to, and what they are read from."""

    step: Step
    job: str
    arguments: Fields
    scope: Scope


class Action(Protocol):
    """One type of step."""

    def begin(self, begun: Begun) -> Progress:
        """Start it; raises StepError."""

    def look(self, step: Step, record: StepRecord) -> Progress | None:
        """How it stands now; None while nothing has changed."""

    def stop(self, record: StepRecord) -> bool:
        """Ask it to end; False where that is not for the pipeline to say."""


class AtOnce:
    """A step that is over when it has begun."""

    def look(self, step: Step, record: StepRecord) -> Progress | None:
        """Nothing is left to see, unless the sandbox ended in between."""
        del step, record
        return Progress("Failed", reason="InternalFailure: The step was interrupted.")

    def stop(self, record: StepRecord) -> bool:
        """Too late."""
        del record
        return False


def call(outside: Outside, operation: str, request: Fields) -> Fields:
    try:
        return outside.call(operation, request)
    except ApiError as error:
        kind = "InternalFailure" if error.status >= 500 else "ClientError"
        message = f"{kind}: Failed to invoke sagemaker:{operation}. Error Details: {error.message}"
        raise StepError(message, exception_of_refusal(error)) from None


def plain(answer: Fields) -> Fields:
    """An answer as JSON has it, times as text."""
    found: Fields = json.loads(json.dumps(answer, default=str))
    return found
