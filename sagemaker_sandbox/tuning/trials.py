"""The training jobs of one tuning job, and how they are counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagemaker_sandbox.tuning.definitions import Definition
from sagemaker_sandbox.tuning.search import Suggestion

_OVER = ("Completed", "Failed", "Stopped")


@dataclass
class Trial:
    """One training job: `job` is what DescribeTrainingJob answered last, `values` the objective, one an epoch."""

    name: str
    definition: Definition
    suggestion: Suggestion
    created: datetime
    arn: str = ""
    job: Mapping[str, Any] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    #: StopTrainingJob was called.
    stopping: bool = False

    @property
    def status(self) -> str:
        """TrainingJobStatus."""
        return str(self.job.get("TrainingJobStatus", "InProgress"))

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.status in _OVER

    @property
    def objective(self) -> float | None:
        """The final objective, the last that was emitted; None of a job that runs, failed or emitted none."""
        return self.values[-1] if self.status in ("Completed", "Stopped") and self.values else None

    @property
    def objective_status(self) -> str:
        """ObjectiveStatus."""
        if not self.over:
            return "Pending"
        return "Failed" if self.objective is None else "Succeeded"

    @property
    def counter(self) -> str:
        """The member of TrainingJobStatusCounters under which the job counts."""
        if self.status == "Failed":
            retryable = str(self.job.get("FailureReason", "")).startswith("InternalServerError")
            return "RetryableError" if retryable else "NonRetryableError"
        return self.status if self.over else "InProgress"

    def summary(self) -> dict[str, Any]:
        """HyperParameterTrainingJobSummary."""
        found: dict[str, Any] = {
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "CreationTime": self.job.get("CreationTime", self.created),
            "TrainingJobStatus": self.status,
            "TunedHyperParameters": dict(self.suggestion.hyperparameters),
            "ObjectiveStatus": self.objective_status,
        }
        members = ("TrainingStartTime", "TrainingEndTime", "FailureReason")
        found |= {member: self.job[member] for member in members if self.job.get(member) is not None}
        if self.definition.name is not None:
            found["TrainingJobDefinitionName"] = self.definition.name
        if self.objective is not None:
            found["FinalHyperParameterTuningJobObjectiveMetric"] = {
                "Type": "Maximize" if self.definition.maximize else "Minimize",
                "MetricName": self.definition.metric,
                "Value": self.objective,
            }
        return found


def counters(trials: Iterable[Trial]) -> dict[str, dict[str, int]]:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    trials = list(trials)
    jobs, objectives = Counter(trial.counter for trial in trials), Counter(trial.objective_status for trial in trials)
    kinds = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {
        "TrainingJobStatusCounters": {kind: jobs[kind] for kind in kinds},
        "ObjectiveStatusCounters": {kind: objectives[kind] for kind in ("Succeeded", "Pending", "Failed")},
    }


def objective(summary: Mapping[str, Any]) -> float | None:
    """The final objective of a summary; None where it has none."""
    found = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return None if found is None else float(found["Value"])


def best(summaries: Iterable[Mapping[str, Any]], *, maximize: bool) -> Mapping[str, Any] | None:
    """The summary with the best final objective, the earliest of equals; None where there is none."""
    judged = [(value, summary) for summary in summaries if (value := objective(summary)) is not None]
    if not judged:
        return None
    chosen = max if maximize else min
    return chosen(judged, key=lambda pair: pair[0])[1]
