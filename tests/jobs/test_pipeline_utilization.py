"""A step of a pipeline that leaves its machines idle is stopped by whoever follows the execution."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import aws
from sustainable_mlops.jobs.pipelines.execution import follow_execution
from sustainable_mlops.jobs.pipelines.launch import read_utilization_floors
from sustainable_mlops.jobs.pipelines.record import PipelineRecord
from sustainable_mlops.jobs.specs.common import UtilizationFloor
from sustainable_mlops.terraform import ROOT

BEGUN = datetime.now(UTC) - timedelta(hours=1)
JOB = "pipelines-abc-Train-def"


class CloudWatch:
    """The load of all instances, in CloudWatch's percent, the same every minute."""

    def __init__(self, load: float) -> None:
        self._load = load

    def get_metric_statistics(self, **_request: Any) -> dict[str, Any]:
        minutes = [datetime.now(UTC) - timedelta(minutes=age) for age in range(10)]
        return {"Datapoints": [{"Timestamp": minute, "Average": self._load} for minute in minutes]}


class SageMaker:
    """An execution with one training, which lasts until it is stopped or has been looked at three times."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.looks = 0

    @property
    def over(self) -> bool:
        return bool(self.stopped) or self.looks > 3

    def describe_pipeline_execution(self, **_request: Any) -> dict[str, Any]:
        self.looks += 1
        status = "Executing" if not self.over else "Failed" if self.stopped else "Succeeded"
        return {"PipelineExecutionStatus": status, "CreationTime": BEGUN, "LastModifiedTime": BEGUN}

    def get_paginator(self, _operation: str) -> "SageMaker":
        return self

    def paginate(self, **_request: Any) -> list[dict[str, Any]]:
        metadata = {"TrainingJob": {"Arn": f"arn:aws:sagemaker:eu-north-1:123456789012:training-job/{JOB}"}}
        status = "Executing" if not self.over else "Failed" if self.stopped else "Succeeded"
        return [{"PipelineExecutionSteps": [{"StepName": "Train", "StepStatus": status, "Metadata": metadata}]}]

    def describe_training_job(self, **_request: Any) -> dict[str, Any]:
        return {
            "TrainingJobName": JOB,
            "TrainingJobStatus": "InProgress" if not self.over else "Stopped" if self.stopped else "Completed",
            "SecondaryStatus": "Training",
            "SecondaryStatusTransitions": [{"Status": "Training", "StartTime": BEGUN, "StatusMessage": ""}],
            "CreationTime": BEGUN,
            "TrainingStartTime": BEGUN,
            "ResourceConfig": {"InstanceType": "ml.m7i.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "EnableManagedSpotTraining": False,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }

    def stop_training_job(self, TrainingJobName: str) -> None:  # noqa: N803 the name of boto3's argument
        self.stopped.append(TrainingJobName)


@pytest.mark.parametrize("floor", ["Train", "Evaluate", None])
@pytest.mark.parametrize("load", [1.0, 150.0])
def test_an_idle_step_is_stopped_and_no_other(load: float, floor: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "make_client", lambda *_: CloudWatch(load))
    sagemaker: Any = SageMaker()
    record = PipelineRecord(
        workload="flight-delay",
        environment="dev",
        region="eu-north-1",
        pipeline="smlops-dev-flight-delay",
        execution_arn="arn:aws:sagemaker:eu-north-1:123456789012:pipeline/smlops-dev-flight-delay/execution/abc",
        status="Executing",
        launched_at=BEGUN,
    )
    given = {floor: UtilizationFloor(cpu_percent=5, minutes=5)} if floor else {}
    (step,) = follow_execution(record, sagemaker, lambda _: None, lambda _: None, floors=given).steps
    idle = load == 1.0 and floor == "Train"
    assert sagemaker.stopped == ([JOB] if idle else [])
    assert step.reason == (
        "CPU utilization was at most 0.5 % for 5 min, below limits.utilization_floor (5 %)" if idle else None
    )


def test_the_floors_are_those_of_the_steps_job_files() -> None:
    found = read_utilization_floors(Path(ROOT, "workloads", "flight_delay", "pipeline.yaml"))
    assert {name: (floor.processor, floor.minutes) for name, floor in found.items()} == {"Train": ("cpu", 10)}
