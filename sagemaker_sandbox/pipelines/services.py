"""AWS services for pipeline executions, in their account and Region."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

#: A JSON object: a request, a response, or a part of one.
Fields = dict[str, Any]


class StepError(Exception):
    """Failure of a step. `exception` is the ExceptionType of retry policies, or None."""

    def __init__(self, message: str, exception: str | None = None) -> None:
        super().__init__(message)
        self.message, self.exception = message, exception


class ExecutionServices(Protocol):
    """SageMaker's control plane, S3, SQS and Lambda, and threads for work in the background."""

    def call(self, operation: str, request: Fields) -> Fields:
        """Return the response of a SageMaker operation. Raises ApiError."""

    def read_json(self, uri: str) -> Any:
        """Return the JSON document at an S3 address. Raises StepError."""

    def send(self, queue_url: str, body: str) -> None:
        """Send a message to an SQS queue. Raises StepError."""

    def invoke(self, function_arn: str, event: Fields) -> Any:
        """Return the result of a Lambda function. Raises StepError."""

    def now(self) -> datetime:
        """Return the sandbox's time, which can be moved ahead."""

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread. The sandbox waits for it when it ends."""
