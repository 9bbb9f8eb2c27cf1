"""Training jobs: the API's side. `runtime.job` runs them; each of its updates lands here."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sustainable_mlops.sandbox.errors import ResourceInUseError, ValidationError
from sustainable_mlops.sandbox.parts.listing import list_page
from sustainable_mlops.sandbox.parts.operations import behaves
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Family, Fields, Resource, now

if TYPE_CHECKING:
    from sustainable_mlops.sandbox.runtime.job import ContainerJob, Update

_OVER = ("Completed", "Failed", "Stopped")


class TrainingJobs(Family):
    """Create, Describe, List, Stop and DeleteTrainingJob."""

    arn_type = "training-job"
    noun = "training job"

    def __init__(self, region: Region) -> None:
        super().__init__(region)
        self._runs: dict[str, ContainerJob] = {}
        #: Called after each change of a job with its name and all values of its metrics, without the Region's lock.
        self.when_updated: list[Callable[[str, Mapping[str, Sequence[float]]], None]] = []

    @behaves
    def create_training_job(self, request: Fields) -> Fields:
        """Start a job; it reports InProgress, and runs in a process of its own."""
        name = request["TrainingJobName"]
        if self.find(name) is not None:
            raise ResourceInUseError(
                "Training job names must be unique within an AWS account and region, and a training job with this "
                f"name already exists ({self.arn(name)})"
            )
        check(request)
        job = self.add(name, dict(request), request.get("Tags"))
        job.fields |= {
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": now(), "StatusMessage": "Preparing the instances for training"}
            ],
            "ModelArtifacts": {"S3ModelArtifacts": ""},
            "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
            "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
            "EnableInterContainerTrafficEncryption": request.get("EnableInterContainerTrafficEncryption", False),
        }
        self._start(job, request)
        return {"TrainingJobArn": job.arn}

    def _start(self, job: Resource, request: Fields) -> None:
        # Here, not above: the control plane answers without the job runner's weight until a job starts.
        from sustainable_mlops.sandbox.runtime.job import ContainerJob
        from sustainable_mlops.sandbox.runtime.training import Training

        run = ContainerJob(
            Training(request),
            self.region.folder / "training-jobs" / job.name,
            self.region.client("s3"),
            lambda update: self._update(job, update),
            logs=self.region.client("logs"),
            interrupt_after_checkpoints=self.region.take_interruption(job.name)
            if job.fields["EnableManagedSpotTraining"]
            else None,
        )
        self._runs[job.name] = run
        run.start()

    def _update(self, job: Resource, update: "Update") -> None:
        """What DescribeTrainingJob answers from now on."""
        with self.region.lock:
            values = self._runs[job.name].history
            fields = job.fields
            changed = update.status != fields["TrainingJobStatus"]
            fields |= {
                "TrainingJobStatus": update.status,
                "SecondaryStatus": update.secondary_status,
                "LastModifiedTime": update.time,
                "FailureReason": update.failure_reason,
            }
            _add_transition(fields["SecondaryStatusTransitions"], update)
            if update.started is not None:
                fields["TrainingStartTime"] = update.started
            if update.metrics:
                fields["FinalMetricDataList"] = [
                    {"MetricName": name, "Value": value, "Timestamp": update.time}
                    for name, value in update.metrics.items()
                ]
            if update.model_artifacts:
                fields["ModelArtifacts"] = {"S3ModelArtifacts": update.model_artifacts}
            for member, seconds in (
                ("TrainingTimeInSeconds", update.training_seconds),
                ("BillableTimeInSeconds", update.billable_seconds),
            ):
                if seconds is not None:
                    fields[member] = seconds
            if update.status in _OVER:
                fields["TrainingEndTime"] = update.time
                fields["SecondaryStatusTransitions"][-1]["EndTime"] = update.time
                self._runs.pop(job.name, None)
        if changed:
            detail = {"TrainingJobName": job.name, "TrainingJobArn": job.arn, "TrainingJobStatus": update.status}
            self.region.publish("SageMaker Training Job State Change", detail, job.arn)
        for tell in self.when_updated:
            tell(job.name, values)

    @behaves
    def describe_training_job(self, request: Fields) -> Fields:
        """The job as it stands, with its secondary status transitions and last metrics."""
        return self.get(request["TrainingJobName"]).fields

    @behaves
    def list_training_jobs(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListTrainingJobs", request, self, name="TrainingJobName", status="TrainingJobStatus")

    @behaves
    def stop_training_job(self, request: Fields) -> Fields:
        """SIGTERM, two minutes to save, then the end; what the job saved is kept."""
        job = self.get(request["TrainingJobName"])
        status = job.fields["TrainingJobStatus"]
        if status in _OVER:
            raise ValidationError(f"The request was rejected because the training job is in status {status}.")
        self._runs[job.name].stop()
        return {}

    @behaves
    def delete_training_job(self, request: Fields) -> Fields:
        """Only once it is over."""
        job = self.get(request["TrainingJobName"])
        if job.fields["TrainingJobStatus"] not in _OVER:
            raise ResourceInUseError(
                f"The training job {job.arn} cannot be deleted in status {job.fields['TrainingJobStatus']}."
            )
        self.remove(job)
        return {}

    def left(self) -> dict[str, list[str]]:
        """Jobs in progress: one that is over is a record, which costs nothing and goes with no destroy."""
        names = [job.name for job in self if job.fields["TrainingJobStatus"] not in _OVER]
        return {self.arn_type: names} if names else {}

    def restore(self, kept: Any) -> None:
        """Jobs that ran when the sandbox ended have failed."""
        super().restore(kept)
        for job in self.resources.values():
            if job.fields["TrainingJobStatus"] not in _OVER:
                job.fields |= {
                    "TrainingJobStatus": "Failed",
                    "SecondaryStatus": "Failed",
                    "FailureReason": "InternalServerError: the sandbox ended while the job ran; start the job again",
                    "TrainingEndTime": now(),
                    "LastModifiedTime": now(),
                }

    def interrupt(self, name: str) -> None:
        """Take a running spot job's instance away, now."""
        job = self.get(name)
        if job.fields["TrainingJobStatus"] in _OVER or not job.fields["EnableManagedSpotTraining"]:
            raise ValidationError(f"Training job {name} is not a managed-spot job in progress.")
        self._runs[name].interrupt()

    def close(self) -> None:
        """Kill all running jobs; they have failed, and what they had saved in S3 stays there."""
        for run in list(self._runs.values()):
            run.close()

    def not_found(self, _name: str) -> Exception:
        """The same words whatever the name."""
        return ValidationError("Requested resource not found.")


def check(request: Fields) -> None:
    """Raise ValidationError for what CreateTrainingJob refuses beyond its service model."""
    _check_spot(request)
    _check_algorithm(request)


def _check_spot(request: Fields) -> None:
    stopping, spot = request.get("StoppingCondition", {}), request.get("EnableManagedSpotTraining", False)
    longest_wait = stopping.get("MaxWaitTimeInSeconds")
    # Without MaxRuntimeInSeconds a job may run a day. Source: StoppingCondition in the SageMaker API reference.
    longest_run = stopping.get("MaxRuntimeInSeconds", 86400)
    if spot and (longest_wait is None or longest_wait < longest_run):
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )
    if not spot and longest_wait is not None:
        raise ValidationError("MaxWaitTimeInSeconds must only be set when EnableManagedSpotTraining is true.")
    if spot and request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"):
        raise ValidationError("KeepAlivePeriodInSeconds cannot be set when EnableManagedSpotTraining is true.")


def _check_algorithm(request: Fields) -> None:
    algorithm = request.get("AlgorithmSpecification", {})
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise ValidationError("Either TrainingImage or AlgorithmName must be specified, but not both.")
    if "ResourceConfig" not in request:
        raise ValidationError("ResourceConfig must be specified.")


def _add_transition(transitions: list[Fields], update: "Update") -> None:
    last = transitions[-1]
    if last["Status"] == update.secondary_status:
        last["StatusMessage"] = update.message
        return
    last["EndTime"] = update.time
    transitions.append({"Status": update.secondary_status, "StartTime": update.time, "StatusMessage": update.message})
