"""Retries of failed steps. Source: "Retry Policy for Pipeline Steps", SageMaker AI developer guide."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.pipelines.definition import RetryPolicy
from sagemaker_sandbox.pipelines.execution import StepRecord

_MAX_ATTEMPTS = 5  # for a policy without a limit
#: Policy for errors that are always retried. AWS does not document its limits; assumed: the defaults.
_DEFAULT = RetryPolicy(ExceptionType=["Step.SERVICE_FAULT", "Step.THROTTLING"])
_THROTTLING = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
#: Type of exception by the beginning of a job's failure reason.
_REASONS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "InsufficientCapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}


def classify_error(error: ApiError) -> str | None:
    """Return the type of exception of a failed call, or None."""
    if error.code in _THROTTLING:
        return "Step.THROTTLING"
    if error.code in ("ResourceLimitExceeded", "CapacityError"):
        return _REASONS[error.code]
    return "Step.SERVICE_FAULT" if error.status >= 500 or error.code == "InternalFailure" else None


def classify_failure(step_type: str, reason: str) -> str | None:
    """Return the type of exception of a failed job, or None. Tuning jobs retry their training jobs themselves."""
    exception_type = next((exception for prefix, exception in _REASONS.items() if reason.startswith(prefix)), None)
    return None if step_type == "Tuning" and exception_type == "SageMaker.JOB_INTERNAL_ERROR" else exception_type


def find_policy(policies: Sequence[RetryPolicy], exception: str) -> RetryPolicy | None:
    """Return the first policy for a type of exception, else the default for throttling and service faults, or None."""
    return next((policy for policy in (*policies, _DEFAULT) if exception in policy.exception_type), None)


def find_next_attempt(
    policies: Sequence[RetryPolicy], exception: str, record: StepRecord, now: datetime
) -> datetime | None:
    """Return the time of the next attempt of a failed step, or None if there is none."""
    policy = find_policy(policies, exception)
    if policy is None:
        return None
    retry_count = record.attempts - 1
    at = now + timedelta(seconds=policy.interval_seconds * policy.backoff_rate**retry_count)
    if policy.expire_after_min is not None:
        return at if at <= record.start_time + timedelta(minutes=policy.expire_after_min) else None
    maximum = _MAX_ATTEMPTS if policy.max_attempts is None else policy.max_attempts
    return at if retry_count < maximum else None
