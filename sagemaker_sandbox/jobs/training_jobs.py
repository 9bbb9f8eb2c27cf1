"""Operations on training jobs. `runtime.training_definition` defines how a job runs, and its updates arrive here."""

from typing import TYPE_CHECKING

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.jobs import volume_keys, warm_pools
from sagemaker_sandbox.jobs.algorithms.images import check_algorithm, list_metric_definitions
from sagemaker_sandbox.jobs.jobs import JobFamily, add_empty_key
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource, now
from sagemaker_sandbox.sagemaker import networks
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES

if TYPE_CHECKING:
    from sagemaker_sandbox.jobs.runtime.reporting import JobUpdate


#: Default limit of a job's runtime: one day. Source: StoppingCondition in the SageMaker API reference.
_DEFAULT_STOPPING_CONDITION = {"MaxRuntimeInSeconds": 86400}


class TrainingJobs(JobFamily):
    """Handlers of the operations on training jobs."""

    arn_type = "training-job"
    noun = "training job"
    kind = "TrainingJob"
    time_prefix = "Training"

    @emulated_operation
    def create_training_job(self, request: Fields) -> Fields:
        """Start a job, which runs in processes of its own and is InProgress."""
        from sagemaker_sandbox.jobs.runtime.training_definition import TrainingDefinition

        name = request["TrainingJobName"]
        self.check_job_name_is_free(name)
        check_training_job(request)
        networks.check_vpc_config(self.region, request.get("VpcConfig"))
        request = _add_metric_definitions(request)
        isolated, spot = (
            request.get(f"Enable{feature}", False) for feature in ("NetworkIsolation", "ManagedSpotTraining")
        )
        fields = {
            "StoppingCondition": _DEFAULT_STOPPING_CONDITION | request.get("StoppingCondition", {}),
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": now(), "StatusMessage": "Preparing the instances for training"}
            ],
            "ModelArtifacts": {"S3ModelArtifacts": ""},
            "EnableNetworkIsolation": isolated,
            "EnableManagedSpotTraining": spot,
            "EnableInterContainerTrafficEncryption": request.get("EnableInterContainerTrafficEncryption", False),
            **warm_pools.start_pool(name, request, self),
        }
        role = None if isolated else request["RoleArn"]
        options: Fields = {"interrupted": lambda checkpoints: self.region.faults.take_interruption(name, checkpoints)}
        network = request.get("VpcConfig")
        return self.start_job(request, fields, TrainingDefinition(request), role=role, network=network, **options)

    def apply_details(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """Apply secondary status, metrics, artifacts and times, and release the warm pool of a finished job."""
        fields = job.fields
        fields["SecondaryStatus"] = update.secondary_status
        _add_transition(fields["SecondaryStatusTransitions"], update)
        if update.metrics:
            fields["FinalMetricDataList"] = [
                {"MetricName": name, "Value": value, "Timestamp": update.time} for name, value in update.metrics.items()
            ]
            job.private["history"] = self.get_run(job.name).history
        if update.model_artifacts:
            fields["ModelArtifacts"] = {"S3ModelArtifacts": update.model_artifacts}
        for member, seconds in (
            ("TrainingTimeInSeconds", update.training_seconds),
            ("BillableTimeInSeconds", update.billable_seconds),
        ):
            if seconds is not None:
                fields[member] = seconds
        if update.status in FINAL_JOB_STATUSES:
            fields["SecondaryStatusTransitions"][-1]["EndTime"] = update.time
            warm_pools.release_pool(job, completed=update.status == "Completed")

    @emulated_operation
    def describe_training_job(self, request: Fields) -> Fields:
        """Return the job as it is now, with its secondary status transitions and last metrics."""
        return add_empty_key(self.get(request["TrainingJobName"]).fields, "OutputDataConfig")

    @emulated_operation
    def list_training_jobs(self, request: Fields) -> Fields:
        """Return summaries, by the status of the job or of its warm pool."""
        pool = request.get("WarmPoolStatusEquals")
        job_filters = {member: value for member, value in request.items() if member != "WarmPoolStatusEquals"}
        return self.list_jobs(
            job_filters, lambda job: pool is None or job.fields.get("WarmPoolStatus", {}).get("Status") == pool
        )

    @emulated_operation
    def update_training_job(self, request: Fields) -> Fields:
        """Change the warm pool's duration. Profiler and remote debugging settings are only stored."""
        job = self.get(request["TrainingJobName"])
        warm_pools.update_pool(job, request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"))
        stored_members = ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig")
        job.fields |= {member: request[member] for member in stored_members if member in request}
        job.fields["LastModifiedTime"] = now()
        return {"TrainingJobArn": job.arn}

    @emulated_operation
    def stop_training_job(self, request: Fields) -> Fields:
        """Send SIGTERM, and end the job after two minutes. Saved data is kept."""
        return self.stop_job(request)

    @emulated_operation
    def delete_training_job(self, request: Fields) -> Fields:
        """Delete a finished job without a warm pool."""
        warm_pools.check_pool_is_gone(self.get(request["TrainingJobName"]))
        return self.delete_job(request)

    def mark_interrupted(self, job: SageMakerResource) -> None:
        """Complete the secondary status, and release the instances."""
        end_time, transitions = job.fields["TrainingEndTime"], job.fields["SecondaryStatusTransitions"]
        transitions[-1]["EndTime"] = end_time
        transitions.append(
            {
                "Status": "Failed",
                "StartTime": end_time,
                "EndTime": end_time,
                "StatusMessage": job.fields["FailureReason"],
            }
        )
        job.fields["SecondaryStatus"] = "Failed"
        warm_pools.release_pool(job, completed=False)

    def create_not_found_error(self, _name: str) -> Exception:
        """Return the error, which is the same for each name."""
        return ValidationError("Requested resource not found.")


def check_training_job(request: Fields) -> None:
    """Raise ValidationError for requests that CreateTrainingJob refuses beyond its service model."""
    _check_spot(request)
    _check_algorithm(request)
    check_algorithm(request["AlgorithmSpecification"].get("TrainingImage", ""))
    _check_channels(request)
    volume_keys.check_volume_key(request["ResourceConfig"])


def _add_metric_definitions(request: Fields) -> Fields:
    """Return the request with the metric definitions of its built-in algorithm."""
    specification = request["AlgorithmSpecification"]
    if metrics := list_metric_definitions(specification):
        return request | {"AlgorithmSpecification": specification | {"MetricDefinitions": metrics}}
    return request


def _check_spot(request: Fields) -> None:
    stopping, spot = (
        _DEFAULT_STOPPING_CONDITION | request.get("StoppingCondition", {}),
        request.get("EnableManagedSpotTraining", False),
    )
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
    instance_members = {
        member
        for member in ("InstanceGroups", "InstanceType", "InstanceCount")
        if request["ResourceConfig"].get(member)
    }
    if instance_members not in ({"InstanceGroups"}, {"InstanceType", "InstanceCount"}):
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
