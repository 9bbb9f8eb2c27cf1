"""A tuning job, and a world in which its training jobs are a function."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sagemaker_sandbox.jobs.tuning.trials import Trial
from sagemaker_sandbox.jobs.tuning.tuner import ParentTuningJob, Tuner

#: Output of a training job after each epoch, by its hyperparameters and the epoch, which starts at 1.
Curve = Callable[[Mapping[str, str], int], float]

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_RATE = {"Name": "rate", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"}
_DEPTH = {"Name": "depth", "MinValue": "1", "MaxValue": "9", "ScalingType": "Linear"}


def request(strategy: str = "Random", jobs: int | None = 12, parallel: int = 1, **config: Any) -> dict[str, Any]:
    """Return a request for a tuning job that minimizes `loss` over a rate and a depth; `config` changes it."""
    limits = {"MaxParallelTrainingJobs": parallel} | ({} if jobs is None else {"MaxNumberOfTrainingJobs": jobs})
    return {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": limits,
            "ParameterRanges": {"ContinuousParameterRanges": [_RATE], "IntegerParameterRanges": [_DEPTH]},
            "RandomSeed": 7,
        }
        | config,
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"epochs": "9"},
            "AlgorithmSpecification": {
                "TrainingImage": "image",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
            },
            "RoleArn": "arn:aws:iam::123456789012:role/test",
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def bowl(hyperparameters: Mapping[str, str], epoch: int) -> float:
    """Return the loss: its minimum is at rate 0.1 and depth 4, and each epoch halves the rest."""
    rate, depth = float(hyperparameters["rate"]), int(hyperparameters["depth"])
    return math.log10(rate / 0.1) ** 2 + ((depth - 4) / 4) ** 2 + 0.5**epoch


class TuningSimulation:
    """Simulated training jobs. Each has `epochs` epochs of a minute, one for each tick."""

    def __init__(self, job_request: dict[str, Any], curve: Curve = bowl, *, epochs: int = 9, parents: Any = ()) -> None:
        self.now = BEGAN
        self.curve, self.epochs = curve, epochs
        self.tuner = Tuner(job_request, parents, now=lambda: self.now)
        self.created: list[dict[str, Any]] = []
        self.max_running = 0

    def tick(self) -> None:
        """Advance by one epoch: running jobs emit a value, and end if they were stopped or are complete."""
        for trial in self.tuner.select_jobs_to_stop():
            self.tell(trial, "Stopped", trial.values)
        while (launch := self.tuner.launch()) is not None:
            self.created.append(launch[1])
        running = [trial for trial in self.tuner.trials if not trial.is_over]
        self.max_running = max(self.max_running, len(running))
        self.now += timedelta(minutes=1)
        for trial in running:
            values = [*trial.values, self.curve(trial.suggestion.hyperparameters, len(trial.values) + 1)]
            self.tell(trial, "Completed" if len(values) == self.epochs else "InProgress", values)

    def tell(self, trial: Trial, status: str, values: list[float], **job: Any) -> None:
        self.tuner.observe(trial.name, {"TrainingJobStatus": status} | job, values)

    def run_to_end(self) -> Tuner:
        """Advance until the tuning job is over."""
        while not self.tuner.is_over:
            self.tick()
        return self.tuner

    def tried(self) -> list[Mapping[str, str]]:
        return [trial.suggestion.hyperparameters for trial in self.tuner.trials]

    def epochs_of(self, status: str) -> list[int]:
        return [len(trial.values) for trial in self.tuner.trials if trial.status == status]


def parent(job_request: dict[str, Any], curve: Curve = bowl) -> ParentTuningJob:
    return ParentTuningJob(job_request, TuningSimulation(job_request, curve).run_to_end().build_summaries())
