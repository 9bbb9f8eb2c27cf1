"""SageMaker's errors, with its error codes. All of them are client errors, which SDKs do not retry."""

from typing import Any


class ApiError(Exception):
    """A refused request. `code` is the exception's name in the service model, `status` the HTTP status.

    An exception that several operations raise has a class.
    """

    code = "InternalFailure"
    status = 400

    def __init__(self, message: str, *, code: str = "", status: int = 0, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code, self.status = code or self.code, status or self.status
        #: Further members of the exception's structure.
        self.details = details


class ValidationError(ApiError):
    """A request that is malformed, contradicts itself, or names a resource that does not exist."""

    code = "ValidationException"


class SerializationError(ApiError):
    """A request whose JSON has another type than the service model."""

    code = "SerializationException"


class UnknownOperationError(ApiError):
    """An operation that the service does not have."""

    code = "UnknownOperationException"


class ResourceNotFoundError(ApiError):
    """A resource that does not exist, for the resource types that have this error."""

    code = "ResourceNotFound"


class ResourceInUseError(ApiError):
    """A name that is taken, or a resource that is still in use."""

    code = "ResourceInUse"


class ConflictError(ApiError):
    """A resource whose state does not allow the operation."""

    code = "ConflictException"


class NotEmulatedError(ApiError):
    """An operation of SageMaker that the sandbox does not have."""

    code = "UnsupportedOperationException"

    def __init__(self, operation: str, alternative: str = "Run this part against a real account.") -> None:
        super().__init__(f"{operation} is not emulated by the sandbox. {alternative}")


class AccessDeniedError(ApiError):
    """A request from another account for a resource that is not shared with it."""

    code = "AccessDeniedException"


class ResourceLimitExceededError(ApiError):
    """A request that exceeds a quota of the account."""

    code = "ResourceLimitExceeded"
