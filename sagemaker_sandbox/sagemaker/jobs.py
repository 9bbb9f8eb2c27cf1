"""What the families of jobs share: a run in the background, its news, stopping, what is left, closing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from sagemaker_sandbox.errors import ResourceInUseError, ValidationError
from sagemaker_sandbox.faults.fault_rules import CAPACITY, INTERNAL
from sagemaker_sandbox.parts.listing import list_page
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, SageMakerResource, now
from sagemaker_sandbox.parts.role_environment import build_role_environment

if TYPE_CHECKING:
    from sagemaker_sandbox.runtime.job import ContainerJob
    from sagemaker_sandbox.runtime.job_definition import JobDefinition
    from sagemaker_sandbox.runtime.reporting import JobUpdate

#: Statuses of a job that nothing runs for any more.
OVER = ("Completed", "Failed", "Stopped")


class Jobs(ResourceFamily):
    """Jobs of one kind. `kind`, such as `TrainingJob`, begins the names of their fields, and of their operations."""

    kind: ClassVar[str]
    #: What begins the names of the fields of their start and end, such as `Training`.
    time: ClassVar[str]

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self._runs: dict[str, ContainerJob] = {}
        #: Called with a job after each of its updates, without the Region's lock; it may have been deleted since.
        self.when_updated: list[Callable[[SageMakerResource], None]] = []

    @property
    def status(self) -> str:
        """The name of the field that holds the status."""
        return f"{self.kind}Status"

    def name_must_be_free(self, name: str) -> None:
        """Raise ResourceInUseError where the name is taken."""
        if self.find(name) is not None:
            raise ResourceInUseError(
                f"{self.noun.capitalize()} names must be unique within an AWS account and region, and a {self.noun} "
                f"with this name already exists ({self.build_arn(name)})"
            )

    def begin(
        self, request: Fields, fields: Fields, work: "JobDefinition[Any]", *, role: str | None, **options: Any
    ) -> Fields:
        """Keep a new job, start it, and answer its ARN; `fields` are beside the request's own.

        `role` is whose credentials the container gets; None for one that is isolated. `options` are `ContainerJob`'s.
        """
        # Here, not above: the control plane answers without the job runner's weight until a job starts.
        from sagemaker_sandbox.runtime.job import ContainerJob

        name = request[f"{self.kind}Name"]
        job = self.add(name, dict(request) | {self.status: "InProgress"} | fields, request.get("Tags"))
        job.fields[f"{self.kind}Arn"] = job.arn
        self._runs[name] = ContainerJob(
            work,
            self.region.folder / f"{self.arn_type}s" / name,
            self.region.client("s3"),
            lambda update: self._update(job, update),
            logs=self.region.client("logs"),
            cloudwatch=self.region.client("cloudwatch"),
            faults=lambda phase: self._fail_on_request(name, phase),
            start_delay=self.region.faults.take_status_delay(f"Create{self.kind}", name),
            access=None if role is None else lambda: build_role_environment(self.region, role),
            **options,
        )
        self._runs[name].start()
        return {f"{self.kind}Arn": job.arn}

    def _fail_on_request(self, name: str, phase: str) -> None:
        """Raise the error of `runtime.job` that a fault asks for in this phase."""
        from sagemaker_sandbox.runtime.job import CapacityError, InternalServerError

        for error, at, failure in (
            (CAPACITY, "Starting", CapacityError),
            (INTERNAL, "Downloading", InternalServerError),
        ):
            fault = self.region.faults.take_failure(f"Create{self.kind}", name, error) if phase == at else None
            if fault is not None:
                raise failure(fault.message) if fault.message else failure

    def _update(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """What Describe answers from now on."""
        with self.region.lock:
            changed = self._tell(job, update)
            detail = dict(job.fields)
        if changed:
            noun = " ".join(word.capitalize() for word in self.noun.split())
            self.region.publish(f"SageMaker {noun} State Change", detail, job.arn)
        for told in self.when_updated:
            told(job)

    def _tell(self, job: SageMakerResource, update: "JobUpdate") -> bool:
        """Whether the status has changed; one that was asked to stop does not go back to being in progress."""
        fields, before = job.fields, job.fields[self.status]
        status = before if before == "Stopping" and update.status == "InProgress" else update.status
        fields |= {self.status: status, "LastModifiedTime": update.time}
        if update.failure_reason is not None:
            fields["FailureReason"] = update.failure_reason
        if update.first_start is not None:
            fields[f"{self.time}StartTime"] = update.first_start
        self.told(job, update)
        if update.status in OVER:
            fields[f"{self.time}EndTime"] = update.time
            self._runs.pop(job.name, None)
        return bool(status != before)

    def told(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """Keep what is particular to this kind. Called with the Region's lock held."""

    def run(self, name: str) -> "ContainerJob":
        """What runs for a job that is not over."""
        return self._runs[name]

    def page(self, request: Fields, wanted: Callable[[SageMakerResource], bool] = lambda _job: True) -> Fields:
        """The answer of the List operation, over the jobs that are `wanted`."""
        jobs = [job for job in self if wanted(job)]
        return list_page(f"List{self.kind}s", request, jobs, name=f"{self.kind}Name", status=self.status)

    def stop(self, request: Fields) -> Fields:
        """Stopping, and Stopped once its containers have ended."""
        job = self.get(request[f"{self.kind}Name"])
        status = job.fields[self.status]
        if status in OVER:
            raise ValidationError(f"The request was rejected because the {self.noun} is in status {status}.")
        if status != "Stopping":
            job.fields |= {self.status: "Stopping", "LastModifiedTime": now()}
            self._runs[job.name].stop()
        return {}

    def delete(self, request: Fields) -> Fields:
        """Only once it is over."""
        job = self.get(request[f"{self.kind}Name"])
        if job.fields[self.status] not in OVER:
            raise ResourceInUseError(
                f"The {self.noun} {job.arn} cannot be deleted in status {job.fields[self.status]}."
            )
        self.remove(job)
        return {}

    def list_remaining(self) -> dict[str, list[str]]:
        """Jobs in progress: one that is over is a record, which costs nothing and goes with no destroy."""
        names = [job.name for job in self if job.fields[self.status] not in OVER]
        return {self.arn_type: names} if names else {}

    def restore(self, kept: Any) -> None:
        """Jobs that ran when the sandbox ended have failed."""
        super().restore(kept)
        for job in self.resources.values():
            if job.fields[self.status] not in OVER:
                job.fields |= {
                    self.status: "Failed",
                    "FailureReason": "InternalServerError: the sandbox ended while the job ran; start the job again",
                    f"{self.time}EndTime": now(),
                    "LastModifiedTime": now(),
                }
                self.ended_with_the_sandbox(job)

    def ended_with_the_sandbox(self, job: SageMakerResource) -> None:
        """What else is to be said of a job that has failed so."""

    def close(self) -> None:
        """Kill all running jobs; they have failed, and what they had saved in S3 stays there."""
        for run in list(self._runs.values()):
            run.close()

    def not_found(self, name: str) -> Exception:
        """As AWS says it of processing and transform jobs."""
        return ValidationError(f"Could not find requested job with name: {name}")
