"""Training jobs: the API's side. `runtime.training` says how one runs; each of its updates lands here."""

from typing import TYPE_CHECKING

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource, now
from sagemaker_sandbox.sagemaker import volume_keys, warm_pools
from sagemaker_sandbox.sagemaker.jobs import OVER, Jobs

if TYPE_CHECKING:
    from sagemaker_sandbox.runtime.reporting import JobUpdate


#: How long a job may run that does not say: a day. Source: StoppingCondition in the SageMaker API reference.
_LONGEST = {"MaxRuntimeInSeconds": 86400}


class TrainingJobs(Jobs):
    """Create, Describe, List, Update, Stop and DeleteTrainingJob."""

    arn_type = "training-job"
    noun = "training job"
    kind = "TrainingJob"
    time = "Training"

    @emulated_operation
    def create_training_job(self, request: Fields) -> Fields:
        """Start a job; it reports InProgress, and runs in processes of its own."""
        from sagemaker_sandbox.runtime.training_definition import TrainingDefinition

        name = request["TrainingJobName"]
        self.name_must_be_free(name)
        check(request)
        isolated, spot = (request.get(f"Enable{what}", False) for what in ("NetworkIsolation", "ManagedSpotTraining"))
        fields = {
            "StoppingCondition": _LONGEST | request.get("StoppingCondition", {}),
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": now(), "StatusMessage": "Preparing the instances for training"}
            ],
            "ModelArtifacts": {"S3ModelArtifacts": ""},
            "EnableNetworkIsolation": isolated,
            "EnableManagedSpotTraining": spot,
            "EnableInterContainerTrafficEncryption": request.get("EnableInterContainerTrafficEncryption", False),
            **warm_pools.begun(name, request, self),
        }
        role = None if isolated else request["RoleArn"]
        options: Fields = {"interrupted": lambda checkpoints: self.region.faults.take_interruption(name, checkpoints)}
        return self.begin(request, fields, TrainingDefinition(request), role=role, **options)

    def told(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """Secondary status, metrics, artifacts, times; the warm pool once the job is over."""
        fields = job.fields
        fields["SecondaryStatus"] = update.secondary_status
        _add_transition(fields["SecondaryStatusTransitions"], update)
        if update.metrics:
            fields["FinalMetricDataList"] = [
                {"MetricName": name, "Value": value, "Timestamp": update.time} for name, value in update.metrics.items()
            ]
            job.private["history"] = self.run(job.name).history
        if update.model_artifacts:
            fields["ModelArtifacts"] = {"S3ModelArtifacts": update.model_artifacts}
        for member, seconds in (
            ("TrainingTimeInSeconds", update.training_seconds),
            ("BillableTimeInSeconds", update.billable_seconds),
        ):
            if seconds is not None:
                fields[member] = seconds
        if update.status in OVER:
            fields["SecondaryStatusTransitions"][-1]["EndTime"] = update.time
            warm_pools.ended(job, completed=update.status == "Completed")

    @emulated_operation
    def describe_training_job(self, request: Fields) -> Fields:
        """The job as it stands, with its secondary status transitions and last metrics."""
        return self.get(request["TrainingJobName"]).fields

    @emulated_operation
    def list_training_jobs(self, request: Fields) -> Fields:
        """Summaries, by the status of the job or of its warm pool."""
        pool = request.get("WarmPoolStatusEquals")
        asked = {member: value for member, value in request.items() if member != "WarmPoolStatusEquals"}
        return self.page(asked, lambda job: pool is None or job.fields.get("WarmPoolStatus", {}).get("Status") == pool)

    @emulated_operation
    def update_training_job(self, request: Fields) -> Fields:
        """How long the warm pool is kept; profiler and remote debugging are kept as given."""
        job = self.get(request["TrainingJobName"])
        warm_pools.update(job, request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"))
        kept = ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig")
        job.fields |= {member: request[member] for member in kept if member in request}
        job.fields["LastModifiedTime"] = now()
        return {"TrainingJobArn": job.arn}

    @emulated_operation
    def stop_training_job(self, request: Fields) -> Fields:
        """SIGTERM, two minutes to save, then the end; what the job saved is kept."""
        return self.stop(request)

    @emulated_operation
    def delete_training_job(self, request: Fields) -> Fields:
        """Only once it is over, and its warm pool is gone."""
        warm_pools.must_be_gone(self.get(request["TrainingJobName"]))
        return self.delete(request)

    def ended_with_the_sandbox(self, job: SageMakerResource) -> None:
        """Its secondary status says so too, and its instances are gone."""
        ended, transitions = job.fields["TrainingEndTime"], job.fields["SecondaryStatusTransitions"]
        transitions[-1]["EndTime"] = ended
        transitions.append(
            {"Status": "Failed", "StartTime": ended, "EndTime": ended, "StatusMessage": job.fields["FailureReason"]}
        )
        job.fields["SecondaryStatus"] = "Failed"
        warm_pools.ended(job, completed=False)

    def not_found(self, _name: str) -> Exception:
        """The same words whatever the name."""
        return ValidationError("Requested resource not found.")


def check(request: Fields) -> None:
    """Raise ValidationError for what CreateTrainingJob refuses beyond its service model."""
    _check_spot(request)
    _check_algorithm(request)
    _check_channels(request)
    volume_keys.check(request["ResourceConfig"])


def _check_spot(request: Fields) -> None:
    stopping, spot = _LONGEST | request.get("StoppingCondition", {}), request.get("EnableManagedSpotTraining", False)
    longest_wait = stopping.get("MaxWaitTimeInSeconds")
    if spot and (longest_wait is None or longest_wait < stopping["MaxRuntimeInSeconds"]):
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
    machines = {
        one for one in ("InstanceGroups", "InstanceType", "InstanceCount") if request["ResourceConfig"].get(one)
    }
    if machines not in ({"InstanceGroups"}, {"InstanceType", "InstanceCount"}):
        raise ValidationError("ResourceConfig must have either InstanceGroups, or InstanceType and InstanceCount.")


def _check_channels(request: Fields) -> None:
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(set(names)) < len(names):
        raise ValidationError("Channel names in InputDataConfig must be unique.")


def _add_transition(transitions: list[Fields], update: "JobUpdate") -> None:
    last = transitions[-1]
    if last["Status"] == update.secondary_status:
        last["StatusMessage"] = update.message
        return
    last["EndTime"] = update.time
    transitions.append({"Status": update.secondary_status, "StartTime": update.time, "StatusMessage": update.message})
