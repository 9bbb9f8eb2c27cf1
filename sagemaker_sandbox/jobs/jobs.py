"""Common behavior of job families: background runs, status updates, stopping, restoring and closing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from sagemaker_sandbox.base.errors import ResourceInUseError, ValidationError
from sagemaker_sandbox.faults.fault_rules import CAPACITY, INTERNAL
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now
from sagemaker_sandbox.resources.role_environment import build_role_environment, create_role_client
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES

if TYPE_CHECKING:
    from sagemaker_sandbox.jobs.runtime.job import ContainerJob
    from sagemaker_sandbox.jobs.runtime.job_definition import JobDefinition
    from sagemaker_sandbox.jobs.runtime.reporting import JobUpdate


class JobFamily(ResourceFamily):
    """Jobs of one kind. `kind`, such as `TrainingJob`, is the prefix of their fields and operations."""

    kind: ClassVar[str]
    #: Prefix of the fields with start and end time, such as `Training`.
    time_prefix: ClassVar[str]

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self._runs: dict[str, ContainerJob] = {}
        #: Functions to call with a job after each update, without the Region's lock. The job may be deleted by then.
        self.on_updated: list[Callable[[SageMakerResource], None]] = []

    @property
    def status_field(self) -> str:
        """Name of the field with the status."""
        return f"{self.kind}Status"

    def check_job_name_is_free(self, name: str) -> None:
        """Raise ResourceInUseError if the name is taken."""
        if self.find(name) is not None:
            raise ResourceInUseError(
                f"{self.noun.capitalize()} names must be unique within an AWS account and region, and a {self.noun} "
                f"with this name already exists ({self.build_arn(name)})"
            )

    def start_job(
        self,
        request: Fields,
        fields: Fields,
        work: "JobDefinition[Any]",
        *,
        role: str | None,
        network: Fields | None,
        **options: Any,
    ) -> Fields:
        """Add a new job, start it, and return its ARN. `fields` are added to those of the request.

        The container gets the credentials of `role`, or none if it is isolated (None). `network` is the `VpcConfig` of
        the job. `options` are those of `ContainerJob`.
        """
        # Imported here: the control plane loads the job runner with the first job.
        from sagemaker_sandbox.jobs.runtime.job import ContainerJob

        name = request[f"{self.kind}Name"]
        job = self.add(name, dict(request) | {self.status_field: "InProgress"} | fields, request.get("Tags"))
        job.fields[f"{self.kind}Arn"] = job.arn
        self._runs[name] = ContainerJob(
            work,
            self.region.folder / f"{self.arn_type}s" / name,
            create_role_client(self.region, "s3", request.get("RoleArn", role), network),
            lambda update: self._update(job, update),
            logs=self.region.client("logs"),
            cloudwatch=self.region.client("cloudwatch"),
            faults=lambda phase: self._raise_injected_failure(name, phase),
            start_delay=self.region.faults.take_status_delay(f"Create{self.kind}", name),
            access=None if role is None else lambda: build_role_environment(self.region, role, network),
            **options,
        )
        self._runs[name].start()
        return {f"{self.kind}Arn": job.arn}

    def _raise_injected_failure(self, name: str, phase: str) -> None:
        """Raise the error of `runtime.job` that a fault injects in this phase."""
        from sagemaker_sandbox.jobs.runtime.job import CapacityError, InternalServerError

        for error, failure_phase, failure in (
            (CAPACITY, "Starting", CapacityError),
            (INTERNAL, "Downloading", InternalServerError),
        ):
            fault = (
                self.region.faults.take_failure(f"Create{self.kind}", name, error) if phase == failure_phase else None
            )
            if fault is not None:
                raise failure(fault.message) if fault.message else failure

    def _update(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """Update the description of a job, and publish a changed status."""
        with self.region.lock:
            changed = self._apply_update(job, update)
            detail = dict(job.fields)
        if changed:
            noun = " ".join(word.capitalize() for word in self.noun.split())
            self.region.publish(f"SageMaker {noun} State Change", detail, job.arn)
        for notify in self.on_updated:
            notify(job)

    def _apply_update(self, job: SageMakerResource, update: "JobUpdate") -> bool:
        """Return whether the status has changed.

        A job that is stopping does not become InProgress again.
        """
        fields, old_status = job.fields, job.fields[self.status_field]
        status = old_status if old_status == "Stopping" and update.status == "InProgress" else update.status
        fields |= {self.status_field: status, "LastModifiedTime": update.time}
        if update.failure_reason is not None:
            fields["FailureReason"] = update.failure_reason
        if update.first_start is not None:
            fields[f"{self.time_prefix}StartTime"] = update.first_start
        self.apply_details(job, update)
        if update.status in FINAL_JOB_STATUSES:
            fields[f"{self.time_prefix}EndTime"] = update.time
            self._runs.pop(job.name, None)
        return bool(status != old_status)

    def apply_details(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """Apply the part of an update that only this job kind has. The Region's lock is held."""

    def get_run(self, name: str) -> "ContainerJob":
        """Return the run of a job that is not finished."""
        return self._runs[name]

    def list_jobs(self, request: Fields, condition: Callable[[SageMakerResource], bool] = lambda _job: True) -> Fields:
        """Return the response of the List operation, with the jobs that satisfy `condition`."""
        jobs = [job for job in self if condition(job)]
        return list_page(f"List{self.kind}s", request, jobs, name=f"{self.kind}Name", status=self.status_field)

    def stop_job(self, request: Fields) -> Fields:
        """Stop a job: Stopping, then Stopped when its containers have ended."""
        job = self.get(request[f"{self.kind}Name"])
        status = job.fields[self.status_field]
        if status in FINAL_JOB_STATUSES:
            raise ValidationError(f"The request was rejected because the {self.noun} is in status {status}.")
        if status != "Stopping":
            job.fields |= {self.status_field: "Stopping", "LastModifiedTime": now()}
            self._runs[job.name].stop()
        return {}

    def delete_job(self, request: Fields) -> Fields:
        """Delete a finished job."""
        job = self.get(request[f"{self.kind}Name"])
        if job.fields[self.status_field] not in FINAL_JOB_STATUSES:
            raise ResourceInUseError(
                f"The {self.noun} {job.arn} cannot be deleted in status {job.fields[self.status_field]}."
            )
        self.remove(job)
        return {}

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of running jobs. A finished job is a record that no destroy removes."""
        names = [job.name for job in self if job.fields[self.status_field] not in FINAL_JOB_STATUSES]
        return {self.arn_type: names} if names else {}

    def restore(self, snapshot: Any) -> None:
        """Restore the jobs. Jobs that ran when the sandbox ended have failed."""
        super().restore(snapshot)
        for job in self.resources.values():
            if job.fields[self.status_field] not in FINAL_JOB_STATUSES:
                job.fields |= {
                    self.status_field: "Failed",
                    "FailureReason": "InternalServerError: the sandbox ended while the job ran; start the job again",
                    f"{self.time_prefix}EndTime": now(),
                    "LastModifiedTime": now(),
                }
                self.mark_interrupted(job)

    def mark_interrupted(self, job: SageMakerResource) -> None:
        """Complete the description of a job that failed with the end of the sandbox."""

    def close(self) -> None:
        """Kill all running jobs. They have failed, and their data in S3 stays."""
        for run in list(self._runs.values()):
            run.close()

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error in the words of processing and transform jobs."""
        return ValidationError(f"Could not find requested job with name: {name}")


def add_empty_key(description: Fields, member: str) -> Fields:
    """Return the description of a job, with an empty `KmsKeyId` if its output has no key, as SageMaker describes it.

    `member` is the structure of the output. SDKs read the key without a check that it exists.
    """
    return description | {member: {"KmsKeyId": ""} | description[member]}
