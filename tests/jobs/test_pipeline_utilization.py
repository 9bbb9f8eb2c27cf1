"""Idle steps of a pipeline: the client that follows the execution stops them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import aws
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.pipelines.execution import follow_execution
from sustainable_mlops.jobs.pipelines.launch import read_utilization_floors
from sustainable_mlops.jobs.pipelines.record import PipelineRecord
from sustainable_mlops.jobs.specs.common import UtilizationFloor

STARTED_AT = datetime.now(UTC) - timedelta(hours=1)
JOB = "pipelines-abc-Train-def"


class ConstantCloudWatch:
    """A fake CloudWatch with the same load for all instances in every minute."""

    def __init__(self, load: float) -> None:
        self._load = load

    def get_metric_statistics(self, **_request: Any) -> dict[str, Any]:
        minutes = [datetime.now(UTC) - timedelta(minutes=age) for age in range(10)]
        return {"Datapoints": [{"Timestamp": minute, "Average": self._load} for minute in minutes]}


class FakeExecutionSageMaker:
    """A fake SageMaker: an execution with one training that ends when it is stopped, or after three reads."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.reads = 0

    @property
    def is_over(self) -> bool:
        return bool(self.stopped) or self.reads > 3

    def describe_pipeline_execution(self, **_request: Any) -> dict[str, Any]:
        self.reads += 1
        status = "Executing" if not self.is_over else "Failed" if self.stopped else "Succeeded"
        return {"PipelineExecutionStatus": status, "CreationTime": STARTED_AT, "LastModifiedTime": STARTED_AT}

    def get_paginator(self, _operation: str) -> "FakeExecutionSageMaker":
        return self

    def paginate(self, **_request: Any) -> list[dict[str, Any]]:
        metadata = {"TrainingJob": {"Arn": f"arn:aws:sagemaker:eu-north-1:123456789012:training-job/{JOB}"}}
        status = "Executing" if not self.is_over else "Failed" if self.stopped else "Succeeded"
        return [{"PipelineExecutionSteps": [{"StepName": "Train", "StepStatus": status, "Metadata": metadata}]}]

    def describe_training_job(self, **_request: Any) -> dict[str, Any]:
        return {
            "TrainingJobName": JOB,
            "TrainingJobStatus": "InProgress" if not self.is_over else "Stopped" if self.stopped else "Completed",
            "SecondaryStatus": "Training",
            "SecondaryStatusTransitions": [{"Status": "Training", "StartTime": STARTED_AT, "StatusMessage": ""}],
            "CreationTime": STARTED_AT,
            "TrainingStartTime": STARTED_AT,
            "ResourceConfig": {"InstanceType": "ml.m7i.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "EnableManagedSpotTraining": False,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }

    def stop_training_job(self, TrainingJobName: str) -> None:  # noqa: N803 the name of boto3's argument
        self.stopped.append(TrainingJobName)


@pytest.mark.parametrize("floor", ["Train", "Evaluate", None])
@pytest.mark.parametrize("load", [1.0, 150.0])
def test_only_an_idle_step_with_a_floor_is_stopped(
    load: float, floor: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "make_client", lambda *_: ConstantCloudWatch(load))
    sagemaker: Any = FakeExecutionSageMaker()
    record = PipelineRecord(
        workload="flight-delay",
        environment="dev",
        region="eu-north-1",
        pipeline="smlops-dev-flight-delay",
        execution_arn="arn:aws:sagemaker:eu-north-1:123456789012:pipeline/smlops-dev-flight-delay/execution/abc",
        status="Executing",
        launched_at=STARTED_AT,
    )
    floors = {floor: UtilizationFloor(cpu_percent=5, minutes=5)} if floor else {}
    (step,) = follow_execution(record, sagemaker, lambda _: None, lambda _: None, floors=floors).steps
    idle = load == 1.0 and floor == "Train"
    assert sagemaker.stopped == ([JOB] if idle else [])
    assert step.reason == (
        "CPU utilization was at most 0.5 % for 5 min, below limits.utilization_floor (5 %)" if idle else None
    )


def test_the_floors_come_from_the_job_files_of_the_steps() -> None:
    floors = read_utilization_floors(Path(ROOT, "workloads", "flight_delay", "pipeline.yaml"))
    assert {name: (floor.processor, floor.minutes) for name, floor in floors.items()} == {"Train": ("cpu", 10)}
