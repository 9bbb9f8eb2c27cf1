"""Steps that run a job: Processing, Training, Tuning, Transform."""

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.pipelines.actions.action import Begun, Progress, call, plain
from sagemaker_sandbox.pipelines.definition import Step
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord
from sagemaker_sandbox.pipelines.outside import Fields, Outside
from sagemaker_sandbox.pipelines.retrying import exception_of_failure
from sagemaker_sandbox.pipelines.steps import JOBS


class Job:
    """Processing, Training, Tuning, Transform."""

    def __init__(self, outside: Outside, kind: str, execution: Execution) -> None:
        self._outside, self._kind, self._job, self._execution = outside, kind, JOBS[kind], execution

    def begin(self, begun: Begun) -> Progress:
        """Create the job, as one of the execution's experiment if there is one."""
        request = begun.arguments | {self._job.name: begun.job}
        if self._job.has_experiment and self._execution.experiment:
            request["ExperimentConfig"] = self._execution.experiment | request.get("ExperimentConfig", {})
        answer = call(self._outside, self._job.create, request)
        return Progress("Executing", {self._job.metadata: {"Arn": answer[f"{self._job.noun}Arn"]}})

    def look(self, step: Step, record: StepRecord) -> Progress | None:
        """Describe the job."""
        answer = call(self._outside, f"Describe{self._job.noun}", {self._job.name: record.job})
        status = answer[f"{self._job.noun}Status"]
        if status == "Completed":
            return Progress("Succeeded", record.metadata, plain(self._with_jobs(answer, record)))
        if status == "Stopped":
            return Progress("Stopped", record.metadata)
        if status != "Failed":
            return None
        reason = answer.get("FailureReason", "")
        exception = exception_of_failure(step.type, reason)
        return Progress("Failed", record.metadata, reason=f"ClientError: {reason}", exception=exception)

    def _with_jobs(self, answer: Fields, record: StepRecord) -> Fields:
        """A tuning step tells its training jobs too, the best first."""
        if self._kind != "Tuning":
            return answer
        request = {
            self._job.name: record.job,
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": _best_first(answer),
        }
        return answer | call(self._outside, "ListTrainingJobsForHyperParameterTuningJob", request)

    def stop(self, record: StepRecord) -> bool:
        """Stop the job."""
        try:
            self._outside.call(f"Stop{self._job.noun}", {self._job.name: record.job})
        except ApiError:
            return True  # It is over, or as good as.
        return True


def _best_first(tuning_job: Fields) -> str:
    objective = tuning_job.get("HyperParameterTuningJobConfig", {}).get("HyperParameterTuningJobObjective", {})
    return "Ascending" if objective.get("Type") == "Minimize" else "Descending"
