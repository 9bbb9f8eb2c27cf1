"""What an execution of a pipeline asks of AWS, in its own account and Region."""

from collections.abc import Callable
from typing import Any, Protocol

#: A JSON object: a request, an answer, or a part of one.
Fields = dict[str, Any]


class StepError(Exception):
    """A step that fails; `exception` is the type by which its retry policies know the error, if they know it."""

    def __init__(self, message: str, exception: str | None = None) -> None:
        super().__init__(message)
        self.message, self.exception = message, exception


class Outside(Protocol):
    """SageMaker's control plane, the three services that steps use besides it, and where work goes on beside them."""

    def call(self, operation: str, request: Fields) -> Fields:
        """The answer of a SageMaker operation; raises ApiError."""

    def read_json(self, uri: str) -> Any:
        """The JSON document at an S3 address; raises StepError."""

    def send(self, queue_url: str, body: str) -> None:
        """Put a message into an SQS queue; raises StepError."""

    def invoke(self, function_arn: str, event: Fields) -> Any:
        """What a Lambda function answers, once it has; raises StepError."""

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Do `work` in a thread of its own, which is waited for when the sandbox ends."""
