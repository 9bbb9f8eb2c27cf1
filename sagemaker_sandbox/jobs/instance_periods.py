"""Periods in which the instances of jobs ran. Each finished job is added to the usage log of its Region."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sagemaker_sandbox.jobs.jobs import JobFamily
from sagemaker_sandbox.jobs.processing_jobs import ProcessingJobs
from sagemaker_sandbox.jobs.training_jobs import TrainingJobs
from sagemaker_sandbox.jobs.transform_jobs import TransformJobs
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource, ServicePart
from sagemaker_sandbox.resources.usage_log import InstancePeriod
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES


class InstancePeriods(ServicePart):
    """The usage log of one Region. Hosted instances write to the log themselves."""

    def __init__(
        self, region: AccountRegion, training: TrainingJobs, processing: ProcessingJobs, transform: TransformJobs
    ) -> None:
        super().__init__(region)
        self._recorded_jobs: set[tuple[str, datetime]] = set()
        for family in (training, processing, transform):
            family.on_updated.append(partial(self._record_job, family))

    def _record_job(self, family: JobFamily, job: SageMakerResource) -> None:
        """Add a finished job once.

        Its period ends now in the time of the sandbox, because the times of jobs are those of this computer.
        """
        start = job.fields.get(f"{family.time_prefix}StartTime")
        end = job.fields.get(f"{family.time_prefix}EndTime")
        if job.fields[family.status_field] not in FINAL_JOB_STATUSES or start is None or end is None:
            return
        with self.region.lock:
            if (job.arn, end) in self._recorded_jobs:
                return
            self._recorded_jobs.add((job.arn, end))
        moment = self.region.clock.now()
        start_moment = moment - _get_time(job.fields, start, end)
        for instance_type, count, volume_gb in _list_instances(job.fields):
            self.region.usage.add(InstancePeriod(instance_type, count, start_moment, moment, "job", volume_gb))

    def snapshot(self) -> Any:
        """Return the periods of the Region."""
        return self.region.usage.snapshot()

    def restore(self, snapshot: Any) -> None:
        """Restore the periods of the Region."""
        self.region.usage.restore(snapshot)


def _get_time(fields: Fields, start: datetime, end: datetime) -> timedelta:
    """Return the time that each instance of a job ran: without the pauses of managed spot, if SageMaker reports it."""
    seconds = fields.get("TrainingTimeInSeconds")
    return timedelta(seconds=seconds) if seconds is not None else end - start


def _list_instances(fields: Fields) -> list[tuple[str, int, float]]:
    """Return the instance types of a job with their numbers and the volume of each instance in GB."""
    resources = (
        fields.get("ResourceConfig")
        or fields.get("ProcessingResources", {}).get("ClusterConfig")
        or fields.get("TransformResources", {})
    )
    groups, volume_gb = resources.get("InstanceGroups") or [resources], float(resources.get("VolumeSizeInGB", 0))
    return [
        (group["InstanceType"], int(group["InstanceCount"]), volume_gb) for group in groups if "InstanceType" in group
    ]
