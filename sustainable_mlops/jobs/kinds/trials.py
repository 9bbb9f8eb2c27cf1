"""The training jobs of a tuning: what is known of each, which is best, what was saved by stopping some early."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sustainable_mlops.aws import Client
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.kinds.training import TRAINING
from sustainable_mlops.jobs.record import RunRecord, Trial

_CHILDREN = "list_training_jobs_for_hyper_parameter_tuning_job"
_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


def of(record: RunRecord, sagemaker: Client) -> list[Trial]:
    """Those of a tuning as they are now, in the order in which they were launched."""
    known = {trial.job_name: trial for trial in record.trials if trial.ended}
    return [
        _trial(summary, known.get(summary["TrainingJobName"]), sagemaker)
        for page in sagemaker.get_paginator(_CHILDREN).paginate(
            HyperParameterTuningJobName=record.job_name, SortBy="CreationTime", SortOrder="Ascending"
        )
        for summary in page["TrainingJobSummaries"]
    ]


def reason(description: Mapping[str, Any]) -> str | None:
    """SageMaker's, which sends people to the training jobs, and what the last of these says."""
    told: str | None = description.get("FailureReason")
    last = next((trial for trial in reversed(description["Trials"]) if trial.failure_reason), None)
    return told if told is None or last is None else f"{told} {last.job_name}: {last.failure_reason}"


def best(description: Mapping[str, Any], sagemaker: Client) -> Mapping[str, Any] | None:
    """The description of the best training job that has left a model; one that was stopped may have none."""
    # With identical data the parents' jobs count as well.
    told = description.get("OverallBestTrainingJob") or description.get("BestTrainingJob") or {}
    names = [told["TrainingJobName"]] if _OBJECTIVE in told else []
    objective = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    completed = [one for one in description["Trials"] if one.status == "Completed" and one.objective is not None]
    completed.sort(key=lambda trial: trial.objective, reverse=objective["Type"] == "Maximize")
    for name in (*names, *(trial.job_name for trial in completed)):
        job: Mapping[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if TRAINING.found(job)["model"]:
            return job
    return None


def _trial(summary: Mapping[str, Any], known: Trial | None, sagemaker: Client) -> Trial:
    """What is known of a training job; of one that was seen ended, only its objective may be new."""
    objective = summary.get(_OBJECTIVE)
    if known is not None:
        return known.model_copy(update={"objective": objective["Value"]}) if objective else known
    description = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
    found = TRAINING.found(description)
    return Trial(
        job_name=summary["TrainingJobName"],
        status=summary["TrainingJobStatus"],
        failure_reason=summary.get("FailureReason"),
        hyperparameters=dict(summary["TunedHyperParameters"]),
        objective=None if objective is None else objective["Value"],
        working_since=found["working_since"],
        training_seconds=description.get("TrainingTimeInSeconds"),
        billable_seconds=description.get("BillableTimeInSeconds"),
        interruptions=found["interruptions"],
    )


def saved(trials: Sequence[Trial]) -> Iterator[tuple[str, Figure]]:
    """Had the jobs that were stopped gone on, each would have taken as long as those that were not: assumed."""
    whole = [trial.training_seconds for trial in trials if trial.status == "Completed" and trial.training_seconds]
    stopped = [trial.training_seconds or 0 for trial in trials if trial.status == "Stopped"]
    if whole and stopped:
        low, central, high = (
            sum(max(0.0, length - taken) for taken in stopped)
            for length in (min(whole), sum(whole) / len(whole), max(whole))
        )
        yield (
            "early_stopping_saved_seconds",
            Figure(
                value=float(central),
                low=float(low),
                high=float(high),
                unit="s",
                basis="estimated",
                source=f"{len(stopped)} stopped jobs, had each taken as long as the {len(whole)} that were not",
            ),
        )
