"""Training jobs of one tuning job, and their counters."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagemaker_sandbox.jobs.tuning.definitions import Definition
from sagemaker_sandbox.jobs.tuning.search import Suggestion
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES


@dataclass
class Trial:
    """One training job. `job` is the last DescribeTrainingJob response, `values` the objective of each epoch."""

    name: str
    definition: Definition
    suggestion: Suggestion
    created: datetime
    arn: str = ""
    job: Mapping[str, Any] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    #: True after StopTrainingJob.
    is_stopping: bool = False

    @property
    def status(self) -> str:
        """TrainingJobStatus."""
        return str(self.job.get("TrainingJobStatus", "InProgress"))

    @property
    def is_over(self) -> bool:
        """True if the job has ended."""
        return self.status in FINAL_JOB_STATUSES

    @property
    def objective(self) -> float | None:
        """Final objective: the last value. None for a job that runs, failed or has no value."""
        return self.values[-1] if self.status in ("Completed", "Stopped") and self.values else None

    @property
    def objective_status(self) -> str:
        """ObjectiveStatus."""
        if not self.is_over:
            return "Pending"
        return "Failed" if self.objective is None else "Succeeded"

    @property
    def counter(self) -> str:
        """Member of TrainingJobStatusCounters that counts the job."""
        if self.status == "Failed":
            retryable = str(self.job.get("FailureReason", "")).startswith("InternalServerError")
            return "RetryableError" if retryable else "NonRetryableError"
        return self.status if self.is_over else "InProgress"

    def build_summary(self) -> dict[str, Any]:
        """Return HyperParameterTrainingJobSummary."""
        members: dict[str, Any] = {
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "CreationTime": self.job.get("CreationTime", self.created),
            "TrainingJobStatus": self.status,
            "TunedHyperParameters": dict(self.suggestion.hyperparameters),
            "ObjectiveStatus": self.objective_status,
        }
        optional = ("TrainingStartTime", "TrainingEndTime", "FailureReason")
        members |= {member: self.job[member] for member in optional if self.job.get(member) is not None}
        if self.definition.name is not None:
            members["TrainingJobDefinitionName"] = self.definition.name
        if self.objective is not None:
            members["FinalHyperParameterTuningJobObjectiveMetric"] = {
                "Type": "Maximize" if self.definition.maximize else "Minimize",
                "MetricName": self.definition.metric,
                "Value": self.objective,
            }
        return members


def count_trials(trials: Iterable[Trial]) -> dict[str, dict[str, int]]:
    """Return TrainingJobStatusCounters and ObjectiveStatusCounters."""
    trials = list(trials)
    jobs, objectives = Counter(trial.counter for trial in trials), Counter(trial.objective_status for trial in trials)
    kinds = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {
        "TrainingJobStatusCounters": {kind: jobs[kind] for kind in kinds},
        "ObjectiveStatusCounters": {kind: objectives[kind] for kind in ("Succeeded", "Pending", "Failed")},
    }


def find_objective(summary: Mapping[str, Any]) -> float | None:
    """Return the final objective of a summary, or None."""
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return None if metric is None else float(metric["Value"])


def find_best(summaries: Iterable[Mapping[str, Any]], *, maximize: bool) -> Mapping[str, Any] | None:
    """Return the summary with the best final objective, the first of equal ones, or None."""
    pairs = [(value, summary) for summary in summaries if (value := find_objective(summary)) is not None]
    if not pairs:
        return None
    choose = max if maximize else min
    return choose(pairs, key=lambda pair: pair[0])[1]
