"""Hyperparameter tuning jobs: the API's side. `tuning` decides and drives; what changes lands here."""

from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.errors import ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.parts.listing import cut, documented_default, list_page
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, SageMakerResource, now
from sagemaker_sandbox.sagemaker import training_jobs
from sagemaker_sandbox.sagemaker.jobs import OVER
from sagemaker_sandbox.sagemaker.training_jobs import TrainingJobs
from sagemaker_sandbox.tuning.checks import check
from sagemaker_sandbox.tuning.definitions import definitions
from sagemaker_sandbox.tuning.run import TuningRun
from sagemaker_sandbox.tuning.tuner import Parent, Tuner

_ENDED = "InternalServerError: the sandbox ended while the job ran; start the job again"
_CHILDREN = "ListTrainingJobsForHyperParameterTuningJob"
_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"
_EVENT = (
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
    """A job's `private` holds its request and the summaries of its training jobs, for those that start from it."""

    arn_type = "hyper-parameter-tuning-job"
    noun = "hyperparameter tuning job"

    def __init__(self, region: AccountRegion, jobs: TrainingJobs) -> None:
        super().__init__(region)
        self._jobs = jobs
        self._runs: dict[str, TuningRun] = {}
        jobs.when_updated.append(self._tell)

    @emulated_operation
    def create_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Start a tuning job, which launches training jobs."""
        name = request["HyperParameterTuningJobName"]
        if self.find(name) is not None:
            raise ResourceInUseError(
                f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
            )
        parents = self._parents(request)
        check(request, parents)
        for definition in definitions(request):
            training_jobs.check(definition.request(name, {}, []))
        tuner = Tuner(request, parents)
        config = request["HyperParameterTuningJobConfig"]
        job = self.add(name, _described(request), request.get("Tags"))
        job.private = {"request": request, "summaries": []}
        job.fields |= {
            "HyperParameterTuningJobArn": job.arn,
            # As its summary has them.
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            **tuner.fields(),
        }
        run = TuningRun(
            tuner,
            lambda operation, asked: self._call(job, operation, asked),
            lambda changed: self._update(job, changed),
        )
        self._runs[name] = run
        self._publish(job)
        run.start()
        return {"HyperParameterTuningJobArn": job.arn}

    def _parents(self, request: Fields) -> list[Parent]:
        given = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
        jobs = [self.get(parent["HyperParameterTuningJobName"]) for parent in given]
        for job in jobs:
            if job.fields["HyperParameterTuningJobStatus"] not in OVER:
                raise ValidationError(f"The parent tuning job {job.name} is not in a terminal state.")
        return [Parent(job.private["request"], job.private["summaries"]) for job in jobs]

    def _call(self, job: SageMakerResource, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.region.call(operation, request)
        if operation == "CreateTrainingJob":
            with self.region.lock:
                self._jobs.get(request["TrainingJobName"]).fields["TuningJobArn"] = job.arn
        return answer

    def _tell(self, training_job: SageMakerResource) -> None:
        """A training job has changed; its name begins with that of the tuning job that launched it, if one did."""
        run = self._runs.get(training_job.name.rsplit("-", 2)[0])
        if run is not None:
            with self.region.lock:
                fields, values = dict(training_job.fields), training_job.private.get("history", {})
            run.notify(training_job.name, fields, values)

    def _update(self, job: SageMakerResource, tuner: Tuner) -> None:
        """What DescribeHyperParameterTuningJob answers from now on."""
        with self.region.lock:
            before = job.fields["HyperParameterTuningJobStatus"]
            job.fields |= tuner.fields() | {"LastModifiedTime": now()}
            if before == "Stopping" and not tuner.over:  # it was asked to stop after it told this
                job.fields["HyperParameterTuningJobStatus"] = before
            job.private["summaries"] = tuner.summaries()
            if tuner.over:
                self._runs.pop(job.name, None)
            if job.fields["HyperParameterTuningJobStatus"] != before:
                self._publish(job)

    def _publish(self, job: SageMakerResource) -> None:
        detail = {member: job.fields[member] for member in _EVENT if member in job.fields} | {"Tags": job.tags}
        self.region.publish("SageMaker HyperParameter Tuning Job State Change", detail, job.arn)

    @emulated_operation
    def describe_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """The job as it stands, its training jobs counted, the best of them, and what the search has come to."""
        return self.get(request["HyperParameterTuningJobName"]).fields

    @emulated_operation
    def list_hyper_parameter_tuning_jobs(self, request: Fields) -> Fields:
        """Summaries of tuning jobs."""
        return list_page(
            "ListHyperParameterTuningJobs",
            request,
            self,
            name="HyperParameterTuningJobName",
            status="HyperParameterTuningJobStatus",
        )

    @emulated_operation
    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Summaries of the training jobs of one tuning job; by objective only those that have one."""
        found = self.get(request["HyperParameterTuningJobName"]).private["summaries"]
        wanted = request.get("StatusEquals")
        found = [summary for summary in found if wanted in (None, summary["TrainingJobStatus"])]
        by, order = (request.get(member) or documented_default(_CHILDREN, member) for member in ("SortBy", "SortOrder"))
        if by == "FinalObjectiveMetricValue":
            found = [summary for summary in found if _OBJECTIVE in summary]
            found.sort(key=lambda summary: summary[_OBJECTIVE]["Value"], reverse=order == "Descending")
        else:
            member = "CreationTime" if by == "CreationTime" else f"TrainingJob{by}"
            found.sort(key=lambda summary: summary[member], reverse=order == "Descending")
        return cut(_CHILDREN, request, found)

    @emulated_operation
    def stop_hyper_parameter_tuning_job(self, request: Fields) -> Fields:
        """Its training jobs are stopped, then it is."""
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
        """Only once it is over; its training jobs stay."""
        job = self.get(request["HyperParameterTuningJobName"])
        if job.is_being_deleted:
            return {}
        if job.fields["HyperParameterTuningJobStatus"] not in OVER:
            raise ValidationError(f"The tuning job {job.name} cannot be deleted: it is not in a terminal state.")
        job.fields["HyperParameterTuningJobStatus"] = "Deleting"
        job.schedule_deletion(self.region.transition_seconds("DeleteHyperParameterTuningJob", job.name))
        return {}

    def list_remaining(self) -> dict[str, list[str]]:
        """Jobs in progress, as of training jobs."""
        names = [job.name for job in self if job.fields["HyperParameterTuningJobStatus"] not in (*OVER, "Deleting")]
        return {self.arn_type: names} if names else {}

    def restore(self, kept: Any) -> None:
        """Jobs that ran when the sandbox ended have failed, and their training jobs with them."""
        super().restore(kept)
        for job in self.resources.values():
            if job.fields["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
                job.fields |= {
                    "HyperParameterTuningJobStatus": "Failed",
                    "FailureReason": _ENDED,
                    "HyperParameterTuningEndTime": now(),
                    "LastModifiedTime": now(),
                }
                for summary in job.private["summaries"]:
                    if summary["TrainingJobStatus"] not in OVER:
                        summary |= {"TrainingJobStatus": "Failed", "ObjectiveStatus": "Failed", "FailureReason": _ENDED}
                jobs, objectives = (job.fields[f"{kind}StatusCounters"] for kind in ("TrainingJob", "Objective"))
                jobs |= {"InProgress": 0, "RetryableError": jobs["RetryableError"] + jobs["InProgress"]}
                objectives |= {"Pending": 0, "Failed": objectives["Failed"] + objectives["Pending"]}

    def close(self) -> None:
        """End all tuning jobs; they have failed, and their training jobs end by themselves."""
        for run in list(self._runs.values()):
            run.close()

    def not_found(self, name: str) -> Exception:
        """SageMaker's words."""
        return ResourceNotFoundError(f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")


def _described(request: Fields) -> Fields:
    """The request as Describe answers it: SageMaker adds the objective to the static hyperparameters."""
    described = {member: value for member, value in request.items() if member != "Tags"}
    given = [
        dict(definition.given)
        | {"StaticHyperParameters": definition.static | {"_tuning_objective_metric": definition.metric}}
        for definition in definitions(request)
    ]
    if "TrainingJobDefinition" in request:
        return described | {"TrainingJobDefinition": given[0]}
    return described | {"TrainingJobDefinitions": given}
