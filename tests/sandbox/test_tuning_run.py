"""A tuning job's thread against a stand-in for the control plane."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sagemaker_sandbox.jobs.tuning.run import TuningRun
from sagemaker_sandbox.jobs.tuning.tuner import Tuner
from tests.sandbox.support import WAIT_SECONDS, wait_until
from tests.sandbox.tuning import bowl, request


class ControlPlane:
    """Training jobs that only end when they are told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.values: dict[str, list[float]] = {}
        self.reports: list[dict[str, Any]] = []
        self.refuses: Exception | None = None
        self.run: TuningRun
        self.lock = threading.Lock()

    def start(self, job_request: dict[str, Any]) -> TuningRun:
        self.run = TuningRun(Tuner(job_request), self.call, self.report)
        self.run.start()
        return self.run

    def report(self, tuner: Tuner) -> None:
        self.reports.append(tuner.build_fields())

    def call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        name = request["TrainingJobName"]
        with self.lock:
            self.calls.append((operation, name))
            if operation == "CreateTrainingJob":
                if self.refuses:
                    raise self.refuses
                self.jobs[name] = {**request, "TrainingJobStatus": "InProgress"}
                self.values[name] = []
                return {"TrainingJobArn": f"arn:{name}"}
            if operation == "StopTrainingJob":
                self._end(name, "Stopped")
            return dict(self.jobs[name])

    def _end(self, name: str, status: str) -> None:
        self.jobs[name]["TrainingJobStatus"] = status
        self.run.notify(name, dict(self.jobs[name]), {"loss": list(self.values[name])})

    def emit(self, name: str, value: float) -> None:
        with self.lock:
            self.values[name].append(value)
            self.run.notify(name, dict(self.jobs[name]), {"loss": list(self.values[name])})

    def complete(self, name: str) -> None:
        with self.lock:
            self._end(name, "Completed")

    def running(self) -> list[str]:
        with self.lock:
            return [name for name, job in self.jobs.items() if job["TrainingJobStatus"] == "InProgress"]

    def finish_all(self) -> bool:
        """Complete the running jobs. Return whether the tuning job is over."""
        for name in self.running():
            self.emit(name, bowl(self.jobs[name]["HyperParameters"], 1))
            self.complete(name)
        return self.run.join(0)


@pytest.fixture
def plane() -> ControlPlane:
    return ControlPlane()


def test_every_job_is_created_and_reported(plane: ControlPlane) -> None:
    plane.start(request(jobs=6, parallel=2))
    wait_until(plane.finish_all)
    last = plane.reports[-1]
    assert last["HyperParameterTuningJobStatus"] == "Completed"
    assert last["TrainingJobStatusCounters"]["Completed"] == len(plane.jobs) == 6
    assert last["BestTrainingJob"]["TrainingJobArn"] == f"arn:{last['BestTrainingJob']['TrainingJobName']}"
    assert plane.reports[0]["HyperParameterTuningJobStatus"] == "InProgress"


def test_it_sends_no_request_while_its_jobs_run(plane: ControlPlane) -> None:
    run = plane.start(request(jobs=6, parallel=2))
    wait_until(lambda: len(plane.running()) == 2)
    run.notify("of-another-tuning-job", {}, {"loss": [1.0]})
    report_count = len(plane.reports)
    plane.emit(plane.running()[0], 1.0)
    wait_until(lambda: len(plane.reports) > report_count)
    run.close()
    assert [operation for operation, _ in plane.calls] == ["CreateTrainingJob"] * 2, "its news says all"


def test_a_training_job_that_is_deleted_as_soon_as_it_is_over_counts(plane: ControlPlane) -> None:
    run = plane.start(request(jobs=1, parallel=1))
    (name,) = wait_until(plane.running)
    plane.emit(name, 1.0)
    with plane.lock:
        plane._end(name, "Completed")
        del plane.jobs[name]
    assert run.join(WAIT_SECONDS)
    assert plane.reports[-1]["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 1.0


@pytest.mark.parametrize("end", [TuningRun.stop, TuningRun.close])
def test_it_can_be_stopped(plane: ControlPlane, end: Callable[[TuningRun], None]) -> None:
    run = plane.start(request(jobs=6, parallel=2))
    wait_until(lambda: len(plane.running()) == 2)
    end(run)
    assert run.join(WAIT_SECONDS)
    last = plane.reports[-1]
    stopped = end is TuningRun.stop
    assert last["HyperParameterTuningJobStatus"] == ("Stopped" if stopped else "Failed")
    assert ("sandbox was closed" in last.get("FailureReason", "")) is not stopped
    assert last["TrainingJobStatusCounters"]["Stopped" if stopped else "RetryableError"] == 2
    assert len(plane.running()) == (0 if stopped else 2)
    assert len(plane.jobs) == 2


def test_a_refused_training_job_fails_it_with_the_reason_and_stops_the_others(plane: ControlPlane) -> None:
    run = plane.start(request(jobs=6, parallel=2))
    wait_until(lambda: len(plane.running()) == 2)
    plane.refuses = ValueError("Could not assume role")
    plane.complete(plane.running()[0])
    assert run.join(WAIT_SECONDS)
    last = plane.reports[-1]
    assert (last["HyperParameterTuningJobStatus"], last["FailureReason"]) == ("Failed", "Could not assume role")
    assert last["TrainingJobStatusCounters"]["Stopped"] == 1
    assert plane.running() == []


def test_an_internal_error_fails_it_and_stops_its_jobs(plane: ControlPlane, capfd: pytest.CaptureFixture[str]) -> None:
    run = plane.start(request(jobs=6, parallel=2))
    wait_until(lambda: len(plane.running()) == 2)
    run.notify(plane.running()[0], {}, {"loss": ["no number"]})  # type: ignore[list-item]  # that is the error
    assert run.join(WAIT_SECONDS)
    assert plane.reports[-1]["HyperParameterTuningJobStatus"] == "Failed"
    assert plane.reports[-1]["FailureReason"].startswith("InternalServerError: TypeError")
    assert plane.running() == []
    assert "TypeError" in capfd.readouterr().err


def test_it_ends_after_its_maximum_runtime(plane: ControlPlane) -> None:
    Tuner(request()).launch()  # what searches is imported with the first
    limits = {"MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 1}
    run = plane.start(request(ResourceLimits=limits))
    assert run.join(WAIT_SECONDS)
    last = plane.reports[-1]
    assert last["HyperParameterTuningJobStatus"] == "Completed"
    assert last["TrainingJobStatusCounters"]["Stopped"] == len(plane.jobs) == 2
