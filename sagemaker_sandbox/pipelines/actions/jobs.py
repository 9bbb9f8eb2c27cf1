"""Steps that run a job: Processing, Training, Tuning, Transform."""

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.pipelines.actions.action import StepContext, StepProgress, call, to_json
from sagemaker_sandbox.pipelines.definition import StepDefinition
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.retries import classify_failure
from sagemaker_sandbox.pipelines.services import ExecutionServices, Fields
from sagemaker_sandbox.pipelines.steps import JOBS


class JobAction:
    """A job of one of the four kinds."""

    def __init__(self, services: ExecutionServices, kind: str, execution: PipelineExecution) -> None:
        self._services, self._kind, self._job, self._execution = services, kind, JOBS[kind], execution

    def start(self, context: StepContext) -> StepProgress:
        """Create the job, with the experiment of the execution."""
        request = context.arguments | {self._job.name: context.job}
        if self._job.has_experiment and self._execution.experiment:
            request["ExperimentConfig"] = self._execution.experiment | request.get("ExperimentConfig", {})
        response = call(self._services, self._job.create, request)
        return StepProgress("Executing", {self._job.metadata: {"Arn": response[f"{self._job.noun}Arn"]}})

    def check(self, step: StepDefinition, record: StepRecord) -> StepProgress | None:
        """Describe the job."""
        response = call(self._services, f"Describe{self._job.noun}", {self._job.name: record.job})
        status = response[f"{self._job.noun}Status"]
        if status == "Completed":
            return StepProgress("Succeeded", record.metadata, to_json(self._add_training_jobs(response, record)))
        if status == "Stopped":
            return StepProgress("Stopped", record.metadata)
        if status != "Failed":
            return None
        reason = response.get("FailureReason", "")
        exception = classify_failure(step.type, reason)
        return StepProgress("Failed", record.metadata, reason=f"ClientError: {reason}", exception=exception)

    def _add_training_jobs(self, response: Fields, record: StepRecord) -> Fields:
        """Return the response with the training jobs of a tuning job, the best one first."""
        if self._kind != "Tuning":
            return response
        request = {
            self._job.name: record.job,
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": _find_sort_order(response),
        }
        return response | call(self._services, "ListTrainingJobsForHyperParameterTuningJob", request)

    def stop(self, record: StepRecord) -> bool:
        """Stop the job."""
        try:
            self._services.call(f"Stop{self._job.noun}", {self._job.name: record.job})
        except ApiError:
            return True  # the job has ended
        return True


def _find_sort_order(tuning_job: Fields) -> str:
    objective = tuning_job.get("HyperParameterTuningJobConfig", {}).get("HyperParameterTuningJobObjective", {})
    return "Ascending" if objective.get("Type") == "Minimize" else "Descending"
