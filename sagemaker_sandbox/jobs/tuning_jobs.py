"""Operations on hyperparameter tuning jobs. `tuning` runs them, and its updates arrive here."""

from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.base.errors import ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.jobs import training_jobs
from sagemaker_sandbox.jobs.training_jobs import TrainingJobs
from sagemaker_sandbox.jobs.tuning.checks import check_request
from sagemaker_sandbox.jobs.tuning.definitions import parse_definitions
from sagemaker_sandbox.jobs.tuning.run import TuningRun
from sagemaker_sandbox.jobs.tuning.tuner import ParentTuningJob, Tuner
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import build_page, find_documented_default, list_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now
from sagemaker_sandbox.sagemaker import networks
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES

_SANDBOX_ENDED = "InternalServerError: the sandbox ended while the job ran; start the job again"
_LIST_TRAINING_JOBS = "ListTrainingJobsForHyperParameterTuningJob"
_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"
_EVENT_MEMBERS = (
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobArn",
    "HyperParameterTuningJobConfig",
    "TrainingJobDefinition",
    "TrainingJobDefinitions",
    "HyperParameterTuningJobStatus",
    "CreationTime",
    "LastModifiedTime",
    "TrainingJobStatusCounters",
    "ObjectiveStatusCounters",
)


class HyperParameterTuningJobs(ResourceFamily):
    """Handlers of the operations on tuning jobs.

    `private` holds the request of a job and the summaries of its training jobs, for warm starts.
    """

    arn_type = "hyper-parameter-tuning-job"
    noun = "hyperparameter tuning job"

    def __init__(self, region: AccountRegion, jobs: TrainingJobs) -> None:
        super().__init__(region)
        self._jobs = jobs
        self._runs: dict[str, TuningRun] = {}
        jobs.on_updated.append(self._notify_run)

    @emulated_operation
    def create_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Start a tuning job, which starts training jobs."""
        name = request["HyperParameterTuningJobName"]
        if self.find(name) is not None:
            raise ResourceInUseError(
                f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
            )
        parents = self._find_parents(request)
        check_request(request, parents)
        for definition in parse_definitions(request):
            training_jobs.check_training_job(definition.build_request(name, {}, []))
            networks.check_vpc_config(self.region, definition.structure.get("VpcConfig"))
        tuner = Tuner(request, parents)
        config = request["HyperParameterTuningJobConfig"]
        job = self.add(name, _build_description(request), request.get("Tags"))
        job.private = {"request": request, "summaries": []}
        job.fields |= {
            "HyperParameterTuningJobArn": job.arn,
            # As in the summary.
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            **tuner.build_fields(),
        }
        run = TuningRun(
            tuner,
            lambda operation, arguments: self._call(job, operation, arguments),
            lambda changed: self._update(job, changed),
        )
        self._runs[name] = run
        self._publish(job)
        run.start()
        return {"HyperParameterTuningJobArn": job.arn}

    def _find_parents(self, request: Fields) -> list[ParentTuningJob]:
        definitions = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
        jobs = [self.get(parent["HyperParameterTuningJobName"]) for parent in definitions]
        for job in jobs:
            if job.fields["HyperParameterTuningJobStatus"] not in FINAL_JOB_STATUSES:
                raise ValidationError(f"The parent tuning job {job.name} is not in a terminal state.")
        return [ParentTuningJob(job.private["request"], job.private["summaries"]) for job in jobs]

    def _call(self, job: SageMakerResource, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        response = self.region.call(operation, request)
        if operation == "CreateTrainingJob":
            with self.region.lock:
                self._jobs.get(request["TrainingJobName"]).fields["TuningJobArn"] = job.arn
        return response

    def _notify_run(self, training_job: SageMakerResource) -> None:
        """Pass an update of a training job to the run of its tuning job, if it has one.

        The name of the training job begins with that of the tuning job.
        """
        run = self._runs.get(training_job.name.rsplit("-", 2)[0])
        if run is not None:
            with self.region.lock:
                fields, values = dict(training_job.fields), training_job.private.get("history", {})
            run.notify(training_job.name, fields, values)

    def _update(self, job: SageMakerResource, tuner: Tuner) -> None:
        """Update the description of a job."""
        with self.region.lock:
            old_status = job.fields["HyperParameterTuningJobStatus"]
            job.fields |= tuner.build_fields() | {"LastModifiedTime": now()}
            if old_status == "Stopping" and not tuner.is_over:  # the stop request came after this update
                job.fields["HyperParameterTuningJobStatus"] = old_status
            job.private["summaries"] = tuner.build_summaries()
            if tuner.is_over:
                self._runs.pop(job.name, None)
            if job.fields["HyperParameterTuningJobStatus"] != old_status:
                self._publish(job)

    def _publish(self, job: SageMakerResource) -> None:
        detail = {member: job.fields[member] for member in _EVENT_MEMBERS if member in job.fields} | {"Tags": job.tags}
        self.region.publish("SageMaker HyperParameter Tuning Job State Change", detail, job.arn)

    @emulated_operation
    def describe_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Return the job as it is now, with counts of its training jobs and the best of them."""
        return self.get(request["HyperParameterTuningJobName"]).fields

    @emulated_operation
    def list_hyper_parameter_tuning_jobs(self, request: Fields) -> Fields:
        """Return summaries of tuning jobs."""
        return list_page(
            "ListHyperParameterTuningJobs",
            request,
            self,
            name="HyperParameterTuningJobName",
            status="HyperParameterTuningJobStatus",
        )

    @emulated_operation
    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Return summaries of the training jobs of a tuning job.

        Sorting by objective leaves out jobs without one.
        """
        summaries = self.get(request["HyperParameterTuningJobName"]).private["summaries"]
        status = request.get("StatusEquals")
        summaries = [summary for summary in summaries if status in (None, summary["TrainingJobStatus"])]
        sort_by, order = (
            request.get(member) or find_documented_default(_LIST_TRAINING_JOBS, member)
            for member in ("SortBy", "SortOrder")
        )
        if sort_by == "FinalObjectiveMetricValue":
            summaries = [summary for summary in summaries if _OBJECTIVE in summary]
            summaries.sort(key=lambda summary: summary[_OBJECTIVE]["Value"], reverse=order == "Descending")
        else:
            member = "CreationTime" if sort_by == "CreationTime" else f"TrainingJob{sort_by}"
            summaries.sort(key=lambda summary: summary[member], reverse=order == "Descending")
        return build_page(_LIST_TRAINING_JOBS, request, summaries)

    @emulated_operation
    def stop_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Stop the training jobs, and then the tuning job."""
        job = self.get(request["HyperParameterTuningJobName"])
        status, run = job.fields["HyperParameterTuningJobStatus"], self._runs.get(job.name)
        if run is None:
            raise ValidationError(f"The request was rejected because the tuning job is already in status {status}.")
        if status != "Stopping":
            job.fields["HyperParameterTuningJobStatus"] = "Stopping"
            self._publish(job)
        run.stop()
        return {}

    @emulated_operation
    def delete_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Delete a finished job. Its training jobs stay."""
        job = self.get(request["HyperParameterTuningJobName"])
        if job.is_being_deleted:
            return {}
        if job.fields["HyperParameterTuningJobStatus"] not in FINAL_JOB_STATUSES:
            raise ValidationError(f"The tuning job {job.name} cannot be deleted: it is not in a terminal state.")
        job.fields["HyperParameterTuningJobStatus"] = "Deleting"
        self.schedule_deletion(job, "DeleteHyperParameterTuningJob")
        return {}

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of running jobs."""
        names = [
            job.name
            for job in self
            if job.fields["HyperParameterTuningJobStatus"] not in (*FINAL_JOB_STATUSES, "Deleting")
        ]
        return {self.arn_type: names} if names else {}

    def restore(self, snapshot: Any) -> None:
        """Restore the jobs. Jobs that ran when the sandbox ended have failed, with their training jobs."""
        super().restore(snapshot)
        for job in self.resources.values():
            if job.fields["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
                job.fields |= {
                    "HyperParameterTuningJobStatus": "Failed",
                    "FailureReason": _SANDBOX_ENDED,
                    "HyperParameterTuningEndTime": now(),
                    "LastModifiedTime": now(),
                }
                for summary in job.private["summaries"]:
                    if summary["TrainingJobStatus"] not in FINAL_JOB_STATUSES:
                        summary |= {
                            "TrainingJobStatus": "Failed",
                            "ObjectiveStatus": "Failed",
                            "FailureReason": _SANDBOX_ENDED,
                        }
                jobs, objectives = (job.fields[f"{kind}StatusCounters"] for kind in ("TrainingJob", "Objective"))
                jobs |= {"InProgress": 0, "RetryableError": jobs["RetryableError"] + jobs["InProgress"]}
                objectives |= {"Pending": 0, "Failed": objectives["Failed"] + objectives["Pending"]}

    def close(self) -> None:
        """End all tuning jobs as failed. Their training jobs end by themselves."""
        for run in list(self._runs.values()):
            run.close()

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error in SageMaker's words."""
        return ResourceNotFoundError(f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")


def _build_description(request: Fields) -> Fields:
    """Return the request as a description. SageMaker adds the objective to the static hyperparameters."""
    described = {member: value for member, value in request.items() if member != "Tags"}
    definition_list = [
        dict(definition.structure)
        | {"StaticHyperParameters": definition.static | {"_tuning_objective_metric": definition.metric}}
        for definition in parse_definitions(request)
    ]
    if "TrainingJobDefinition" in request:
        return described | {"TrainingJobDefinition": definition_list[0]}
    return described | {"TrainingJobDefinitions": definition_list}
