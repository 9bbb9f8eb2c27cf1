"""When a step that failed is tried again. Source: "Retry Policy for Pipeline Steps", SageMaker AI developer guide."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.pipelines.definition import RetryPolicy
from sagemaker_sandbox.pipelines.execution import StepRecord

_MOST_ATTEMPTS = 5  # where a policy has no end of its own
#: Retried without being asked. AWS does not say how often; assumed: as a policy that says nothing.
_DEFAULT = RetryPolicy(ExceptionType=["Step.SERVICE_FAULT", "Step.THROTTLING"])
_THROTTLING = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
#: How the failure reason of a job begins, to the type of exception.
_REASONS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "InsufficientCapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}


def exception_of_refusal(error: ApiError) -> str | None:
    """The type of exception that a refused call is, if policies know it."""
    if error.code in _THROTTLING:
        return "Step.THROTTLING"
    if error.code in ("ResourceLimitExceeded", "CapacityError"):
        return _REASONS[error.code]
    return "Step.SERVICE_FAULT" if error.status >= 500 or error.code == "InternalFailure" else None


def exception_of_failure(step_type: str, reason: str) -> str | None:
    """The type of exception that a failed job is, if policies know it. Tuning retries its jobs itself."""
    found = next((exception for start, exception in _REASONS.items() if reason.startswith(start)), None)
    return None if step_type == "Tuning" and found == "SageMaker.JOB_INTERNAL_ERROR" else found


def policy_for(policies: Sequence[RetryPolicy], exception: str) -> RetryPolicy | None:
    """The first policy that names this type of exception."""
    return next((policy for policy in (*policies, _DEFAULT) if exception in policy.exception_type), None)


def next_try(policies: Sequence[RetryPolicy], exception: str, record: StepRecord, now: datetime) -> datetime | None:
    """When a step that just failed is tried again; None: never."""
    policy = policy_for(policies, exception)
    if policy is None:
        return None
    tried = record.attempts - 1
    at = now + timedelta(seconds=policy.interval_seconds * policy.backoff_rate**tried)
    if policy.expire_after_min is not None:
        return at if at <= record.started + timedelta(minutes=policy.expire_after_min) else None
    most = _MOST_ATTEMPTS if policy.max_attempts is None else policy.max_attempts
    return at if tried < most else None
