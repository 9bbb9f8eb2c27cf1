"""Managed warm pools: instances of a training job that are kept for the next matching job.

Sources: "Train Using SageMaker Managed Warm Pools" in the developer guide, and WarmPoolStatus in the API reference.
Here a pool is a record: a job that reuses one starts no sooner.
"""

import math
from collections.abc import Iterable

from sagemaker_sandbox.base.errors import ResourceInUseError, ValidationError
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource, now

_RESOURCE_MEMBERS = ("InstanceType", "InstanceCount", "VolumeKmsKeyId", "VolumeSizeInGB")
_REQUEST_MEMBERS = ("RoleArn", "VpcConfig")
_FLAG_MEMBERS = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption")


def start_pool(name: str, request: Fields, jobs: Iterable[SageMakerResource]) -> Fields:
    """Return the pool's fields of a new job, and let the job reuse the pool of a matching job.

    Managed spot training uses no pools.
    """
    for job in jobs if not request.get("EnableManagedSpotTraining") else ():
        if _get_status(job) == "Available" and _build_match_key(job.fields) == _build_match_key(request):
            _set_status(job, "Reused", math.ceil(_measure_idle_seconds(job)), ReusedByJob=name)
            job.pending_change = None
            break
    return {"WarmPoolStatus": {"Status": "InUse"}} if _get_period(request) else {}


def release_pool(job: SageMakerResource, *, completed: bool) -> None:
    """Make the pool of a finished job available until its period ends, or end it if the job did not succeed."""
    if _get_status(job) != "InUse":
        return
    job.private["pool_since"] = now()
    _set_status(job, "Available" if completed else "Terminated", 0)
    if completed:
        _schedule_end(job, _get_period(job.fields))


def update_pool(job: SageMakerResource, period: int | None) -> None:
    """Change the period of the pool. None changes nothing. Raises ValidationError without a pool."""
    if period is None:
        return
    if _get_status(job) not in ("InUse", "Available"):
        raise ValidationError(f"The warm pool of training job {job.arn} cannot be updated: it is {_get_status(job)}.")
    job.fields["ResourceConfig"] = job.fields["ResourceConfig"] | {"KeepAlivePeriodInSeconds": period}
    if _get_status(job) == "Available":
        _schedule_end(job, period)


def check_pool_is_gone(job: SageMakerResource) -> None:
    """Raise ResourceInUseError while a pool is available. Source: DeleteTrainingJob, API reference."""
    if _get_status(job) == "Available":
        raise ResourceInUseError(
            f"The training job {job.arn} cannot be deleted while its warm pool is Available. Set "
            "KeepAlivePeriodInSeconds to 0 with UpdateTrainingJob, or wait."
        )


def _schedule_end(job: SageMakerResource, period: int) -> None:
    idle_seconds = _measure_idle_seconds(job)
    total_seconds = max(idle_seconds, float(period))
    final_status = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": math.ceil(total_seconds)}
    job.schedule_change(total_seconds - idle_seconds, {"WarmPoolStatus": final_status})


def _measure_idle_seconds(job: SageMakerResource) -> float:
    seconds: float = (now() - job.private["pool_since"]).total_seconds()
    return seconds


def _set_status(job: SageMakerResource, status: str, seconds: int, **more: str) -> None:
    job.fields["WarmPoolStatus"] = {"Status": status, "ResourceRetainedBillableTimeInSeconds": seconds, **more}


def _get_status(job: SageMakerResource) -> str | None:
    status: str | None = job.fields.get("WarmPoolStatus", {}).get("Status")
    return status


def _get_period(fields: Fields) -> int:
    period: int = fields["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0)
    return period


def _build_match_key(fields: Fields) -> tuple[object, ...]:
    resources = fields["ResourceConfig"]
    return (
        *(resources.get(member) for member in _RESOURCE_MEMBERS),
        *(fields.get(member) for member in _REQUEST_MEMBERS),
        *(fields.get(member, False) for member in _FLAG_MEMBERS),
    )
