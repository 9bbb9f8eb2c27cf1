"""The training jobs of a tuning: their state, the best one, and the savings of early stopping."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sustainable_mlops.aws import Client
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds.training import TRAINING
from sustainable_mlops.jobs.record import RunRecord, TuningTrial

_CHILDREN = "list_training_jobs_for_hyper_parameter_tuning_job"
_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


def list_trials(record: RunRecord, sagemaker: Client) -> list[TuningTrial]:
    """Return the training jobs of a tuning in their current state, in launch order."""
    known = {trial.job_name: trial for trial in record.trials if trial.is_ended}
    return [
        _make_trial(summary, known.get(summary["TrainingJobName"]), sagemaker)
        for page in sagemaker.get_paginator(_CHILDREN).paginate(
            HyperParameterTuningJobName=record.job_name, SortBy="CreationTime", SortOrder="Ascending"
        )
        for summary in page["TrainingJobSummaries"]
    ]


def explain_failure(description: Mapping[str, Any]) -> str | None:
    """Return SageMaker's reason for a failed tuning, with the reason of its last failed training job."""
    reason: str | None = description.get("FailureReason")
    last = next((trial for trial in reversed(description["Trials"]) if trial.failure_reason), None)
    return reason if reason is None or last is None else f"{reason} {last.job_name}: {last.failure_reason}"


def find_best_job(description: Mapping[str, Any], sagemaker: Client) -> Mapping[str, Any] | None:
    """Return the description of the best training job with a model; a stopped job may have none."""
    # With identical data, jobs of the parents count too.
    best_summary = description.get("OverallBestTrainingJob") or description.get("BestTrainingJob") or {}
    names = [best_summary["TrainingJobName"]] if _OBJECTIVE in best_summary else []
    objective = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    completed = [
        trial for trial in description["Trials"] if trial.status == "Completed" and trial.objective is not None
    ]
    completed.sort(key=lambda trial: trial.objective, reverse=objective["Type"] == "Maximize")
    for name in (*names, *(trial.job_name for trial in completed)):
        job: Mapping[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if TRAINING.read_record_fields(job)["model"]:
            return job
    return None


def _make_trial(summary: Mapping[str, Any], known: TuningTrial | None, sagemaker: Client) -> TuningTrial:
    """Return the state of a training job; of an ended job, only the objective can change."""
    objective = summary.get(_OBJECTIVE)
    if known is not None:
        return known.model_copy(update={"objective": objective["Value"]}) if objective else known
    description = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
    fields = TRAINING.read_record_fields(description)
    return TuningTrial(
        job_name=summary["TrainingJobName"],
        status=summary["TrainingJobStatus"],
        failure_reason=summary.get("FailureReason"),
        hyperparameters=dict(summary["TunedHyperParameters"]),
        objective=None if objective is None else objective["Value"],
        working_since=fields["working_since"],
        training_seconds=description.get("TrainingTimeInSeconds"),
        billable_seconds=description.get("BillableTimeInSeconds"),
        interruptions=fields["interruptions"],
    )


def estimate_savings(trials: Sequence[TuningTrial]) -> Iterator[tuple[str, RunFigure]]:
    """Estimate the seconds saved by early stopping, as if each stopped job took as long as the completed jobs."""
    completed = [trial.training_seconds for trial in trials if trial.status == "Completed" and trial.training_seconds]
    stopped = [trial.training_seconds or 0 for trial in trials if trial.status == "Stopped"]
    if completed and stopped:
        low, central, high = (
            sum(max(0.0, length - seconds) for seconds in stopped)
            for length in (min(completed), sum(completed) / len(completed), max(completed))
        )
        yield (
            "early_stopping_saved_seconds",
            RunFigure(
                value=float(central),
                low=float(low),
                high=float(high),
                unit="s",
                basis="estimated",
                source=f"{len(stopped)} stopped jobs, if each had taken as long as the {len(completed)} completed jobs",
            ),
        )
