"""Managed warm pools: the instances of a training job, kept for the next one that matches.

Which jobs match, and what becomes of a pool: "Train Using SageMaker Managed Warm Pools" in the developer guide, and
WarmPoolStatus in the API reference. Here a pool is a record: a job that takes one over starts no sooner.
"""

import math
from collections.abc import Iterable

from sagemaker_sandbox.errors import ResourceInUseError, ValidationError
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource, now

_RESOURCES = ("InstanceType", "InstanceCount", "VolumeKmsKeyId", "VolumeSizeInGB")
_REQUEST = ("RoleArn", "VpcConfig")
_SWITCHES = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption")


def begun(name: str, request: Fields, jobs: Iterable[SageMakerResource]) -> Fields:
    """Fields of a new job: its pool is in use where it keeps one. It takes over the pool of a job that matches.

    Managed spot training has nothing to do with pools.
    """
    for job in jobs if not request.get("EnableManagedSpotTraining") else ():
        if _status(job) == "Available" and _needs(job.fields) == _needs(request):
            _set(job, "Reused", math.ceil(_held(job)), ReusedByJob=name)
            job.pending_change = None
            break
    return {"WarmPoolStatus": {"Status": "InUse"}} if _period(request) else {}


def ended(job: SageMakerResource, *, completed: bool) -> None:
    """The job is over: its pool is there for others until the period has passed, if the job did what it should."""
    if _status(job) != "InUse":
        return
    job.private["pool_since"] = now()
    _set(job, "Available" if completed else "Terminated", 0)
    if completed:
        _end_after(job, _period(job.fields))


def update(job: SageMakerResource, period: int | None) -> None:
    """Keep the pool for another period than was said; None changes nothing. Raises ValidationError without a pool."""
    if period is None:
        return
    if _status(job) not in ("InUse", "Available"):
        raise ValidationError(f"The warm pool of training job {job.arn} cannot be updated: it is {_status(job)}.")
    job.fields["ResourceConfig"] = job.fields["ResourceConfig"] | {"KeepAlivePeriodInSeconds": period}
    if _status(job) == "Available":
        _end_after(job, period)


def must_be_gone(job: SageMakerResource) -> None:
    """Raise ResourceInUseError where its instances are kept for others. Source: DeleteTrainingJob, API reference."""
    if _status(job) == "Available":
        raise ResourceInUseError(
            f"The training job {job.arn} cannot be deleted while its warm pool is Available. Set "
            "KeepAlivePeriodInSeconds to 0 by UpdateTrainingJob, or wait."
        )


def _end_after(job: SageMakerResource, period: int) -> None:
    held = _held(job)
    kept = max(held, float(period))
    billed = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": math.ceil(kept)}
    job.schedule_change(kept - held, {"WarmPoolStatus": billed})


def _held(job: SageMakerResource) -> float:
    seconds: float = (now() - job.private["pool_since"]).total_seconds()
    return seconds


def _set(job: SageMakerResource, status: str, seconds: int, **more: str) -> None:
    job.fields["WarmPoolStatus"] = {"Status": status, "ResourceRetainedBillableTimeInSeconds": seconds, **more}


def _status(job: SageMakerResource) -> str | None:
    status: str | None = job.fields.get("WarmPoolStatus", {}).get("Status")
    return status


def _period(fields: Fields) -> int:
    period: int = fields["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0)
    return period


def _needs(fields: Fields) -> tuple[object, ...]:
    resources = fields["ResourceConfig"]
    return (
        *(resources.get(member) for member in _RESOURCES),
        *(fields.get(member) for member in _REQUEST),
        *(fields.get(member, False) for member in _SWITCHES),
    )
