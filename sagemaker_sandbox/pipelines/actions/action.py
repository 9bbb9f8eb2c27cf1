"""Interface of actions, and their calls of SageMaker."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.pipelines.definition import StepDefinition
from sagemaker_sandbox.pipelines.execution import StepRecord
from sagemaker_sandbox.pipelines.expressions import ExpressionScope
from sagemaker_sandbox.pipelines.retries import classify_error
from sagemaker_sandbox.pipelines.services import ExecutionServices, Fields, StepError


@dataclass(frozen=True)
class StepProgress:
    """Status of a step. `exception` is the ExceptionType of a failure for retry policies, or None."""

    status: str
    metadata: Fields = field(default_factory=dict)
    properties: Fields = field(default_factory=dict)
    reason: str | None = None
    exception: str | None = None
    items: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class StepContext:
    """The context of a step that starts: the name of its job, its resolved arguments, and their scope."""

    step: StepDefinition
    job: str
    arguments: Fields
    scope: ExpressionScope


class StepAction(Protocol):
    """The action of one type of step."""

    def start(self, context: StepContext) -> StepProgress:
        """Start a step. Raises StepError."""

    def check(self, step: StepDefinition, record: StepRecord) -> StepProgress | None:
        """Return the progress of a step, or None if nothing has changed."""

    def stop(self, record: StepRecord) -> bool:
        """Stop a step. Return False if the pipeline cannot stop it."""


class ImmediateAction:
    """An action that ends with its start."""

    def check(self, step: StepDefinition, record: StepRecord) -> StepProgress | None:
        """Report a failure: a step of this type is running only after the sandbox ended during its start."""
        del step, record
        return StepProgress("Failed", reason="InternalFailure: The step was interrupted.")

    def stop(self, record: StepRecord) -> bool:
        """Return False: the step has ended."""
        del record
        return False


def call(services: ExecutionServices, operation: str, request: Fields) -> Fields:
    try:
        return services.call(operation, request)
    except ApiError as error:
        kind = "InternalFailure" if error.status >= 500 else "ClientError"
        message = f"{kind}: Failed to invoke sagemaker:{operation}. Error Details: {error.message}"
        raise StepError(message, classify_error(error)) from None


def to_json(response: Fields) -> Fields:
    """Return a response as JSON data, with times as text."""
    data: Fields = json.loads(json.dumps(response, default=str))
    return data
