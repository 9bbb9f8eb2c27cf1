"""The ways SageMaker says no, with its own error codes. Every one is a client error, which no SDK retries."""

from typing import Any


class ApiError(Exception):
    """A request that is refused: `code` is the exception's name in the service model, `status` its HTTP status."""

    code = "InternalFailure"
    status = 400

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        #: What else the exception's structure holds.
        self.details = details


class ValidationError(ApiError):
    """A request that is malformed, contradicts itself or names what does not exist."""

    code = "ValidationException"


class SerializationError(ApiError):
    """A request whose JSON has another type than the service model asks for."""

    code = "SerializationException"


class UnknownOperationError(ApiError):
    """The service itself has no such operation."""

    code = "UnknownOperationException"


class ResourceNotFoundError(ApiError):
    """What a request names does not exist (of the kinds for which SageMaker has an error of its own)."""

    code = "ResourceNotFound"


class ResourceInUseError(ApiError):
    """The name is taken, or something still uses the resource."""

    code = "ResourceInUse"


class ConflictError(ApiError):
    """The resource is in a state that does not allow this."""

    code = "ConflictException"


class NotEmulatedError(ApiError):
    """An operation that SageMaker has and the sandbox has not."""

    code = "UnsupportedOperationException"

    def __init__(self, operation: str, instead: str = "Run this part against a real account.") -> None:
        super().__init__(f"{operation} is not emulated by the sandbox. {instead}")


class AccessDeniedError(ApiError):
    """Another account asks for what is not shared with it."""

    code = "AccessDeniedException"

    def __init__(self, account: str, action: str, arn: str) -> None:
        super().__init__(
            f"User: arn:aws:iam::{account}:root is not authorized to perform: {action} on resource: {arn} because no "
            f"resource-based policy allows the {action} action"
        )


class ResourceLimitExceededError(ApiError):
    """More than a quota of the account allows."""

    code = "ResourceLimitExceeded"
