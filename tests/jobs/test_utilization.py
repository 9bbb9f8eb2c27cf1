"""The utilization floor of a job: idle jobs are stopped while a client follows them."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs import launch, utilization
from sustainable_mlops.jobs.kinds import PROCESSING, TRAINING
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.specs.common import UtilizationFloor
from sustainable_mlops.jobs.utilization import UtilizationWatch
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.bench import Bench
from tests.jobs.support import PROCESSING_JOB, WriteJob, merge_changes

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)


class RecordedCloudWatch:
    """A fake CloudWatch: utilization by instance, one value per minute, the last one now."""

    def __init__(self, **instances: list[float]) -> None:
        self.instances = instances
        self.requests: list[dict[str, Any]] = []

    def get_metric_statistics(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        values = self.instances[request["Dimensions"][0]["Value"].rpartition("/")[2].replace("-", "_")]
        points = [
            {"Timestamp": NOW - timedelta(minutes=age), "Average": value} for age, value in enumerate(values[::-1])
        ]
        return {"Datapoints": [point for point in points if point["Timestamp"] >= request["StartTime"]]}


def make_watch(
    cloudwatch: RecordedCloudWatch, instance_type: str = "ml.m5.large", count: int = 1, **floor: Any
) -> UtilizationWatch:
    utilization_floor = UtilizationFloor(**{"cpu_percent": 10.0, "minutes": 3, **floor})
    return UtilizationWatch(utilization_floor, instance_type, count, "/aws/sagemaker/TrainingJobs", cloudwatch)


def test_a_job_is_idle_once_all_its_last_minutes_were_below_the_floor() -> None:
    # Two vCPUs: 19 of CloudWatch's 200 are 9.5 %.
    assert make_watch(RecordedCloudWatch(algo_1=[150, 19, 1, 2])).find_idle_reason("job", SINCE, NOW) == (
        "CPU utilization was at most 9.5 % for 3 min, below limits.utilization_floor (10 %)"
    )
    assert make_watch(RecordedCloudWatch(algo_1=[19, 1, 21])).find_idle_reason("job", SINCE, NOW) is None


def test_unknown_utilization_stops_no_job() -> None:
    assert make_watch(RecordedCloudWatch(algo_1=[1, 1])).find_idle_reason("job", SINCE, NOW) is None
    assert make_watch(RecordedCloudWatch(algo_1=[])).find_idle_reason("job", SINCE, NOW) is None


def test_the_time_before_the_script_ran_does_not_count() -> None:
    idle = make_watch(RecordedCloudWatch(algo_1=[1, 1, 1]))
    assert idle.find_idle_reason("job", NOW - timedelta(minutes=1), NOW) is None


def test_one_busy_instance_keeps_the_job_running() -> None:
    assert (
        make_watch(RecordedCloudWatch(algo_1=[1, 1, 1], algo_2=[90, 90, 90]), count=2).find_idle_reason(
            "job", SINCE, NOW
        )
        is None
    )
    assert (
        make_watch(RecordedCloudWatch(algo_1=[1, 1, 1], algo_2=[2, 2, 2]), count=2).find_idle_reason("job", SINCE, NOW)
        is not None
    )


def test_cloudwatch_is_read_once_per_period() -> None:
    cloudwatch = RecordedCloudWatch(algo_1=[1])
    looking = make_watch(cloudwatch)
    for seconds in range(0, 180, 15):
        looking.find_idle_reason("job", SINCE, NOW + timedelta(seconds=seconds))
    assert len(cloudwatch.requests) == 3


def test_gpu_utilization_is_divided_by_the_number_of_gpus() -> None:
    cloudwatch = RecordedCloudWatch(algo_1=[39, 39, 39])
    reason = make_watch(cloudwatch, "ml.g4dn.12xlarge", cpu_percent=None, gpu_percent=10.0).find_idle_reason(
        "job", SINCE, NOW
    )
    assert reason is not None
    assert "GPU utilization was at most 9.8 %" in reason
    assert cloudwatch.requests[0]["MetricName"] == "GPUUtilization"


@pytest.mark.parametrize(
    ("floor", "message"),
    [
        ({"gpu_percent": 5, "minutes": 5}, "limits.utilization_floor.gpu_percent: ml.m5.large has no GPU; set cpu_p"),
        ({"minutes": 5}, "limits.utilization_floor: set either cpu_percent or gpu_percent"),
        ({"cpu_percent": 5, "gpu_percent": 5, "minutes": 5}, "set either cpu_percent or gpu_percent"),
        ({"cpu_percent": 5}, "limits.utilization_floor.minutes: is missing"),
        ({"cpu_percent": 101, "minutes": 5}, "cpu_percent: must be less than or equal to 100"),
    ],
)
def test_an_invalid_floor_is_rejected(write_job: WriteJob, floor: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        launch.prepare(TRAINING, write_job(limits={"utilization_floor": floor}))
    assert message in str(error.value)


def test_a_processing_job_can_have_a_floor_from_its_start(cloud: Any, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "prepare.py").write_text("")
    path = tmp_path / "process.yaml"
    inputs = {"airports": ..., "flights": {"sharding": "replicated"}}
    document = merge_changes(
        PROCESSING_JOB, {"inputs": inputs, "limits": {"utilization_floor": {"cpu_percent": 5, "minutes": 5}}}
    )
    path.write_text(yaml.safe_dump(document))
    prepared = launch.prepare(PROCESSING, path)
    assert prepared.floor == UtilizationFloor(cpu_percent=5, minutes=5)
    description = {"ProcessingJobStatus": "InProgress", "ProcessingStartTime": NOW}
    record = prepared.record.model_copy(update={"status": "InProgress", **PROCESSING.read_record_fields(description)})
    assert PROCESSING.list_running_jobs(record) == {record.job_name: NOW}
    assert (
        PROCESSING.list_running_jobs(
            record.model_copy(update=PROCESSING.read_record_fields({**description, "ProcessingEndTime": NOW}))
        )
        == {}
    )


BUSY = "import time\nend = time.monotonic() + 8\nwhile time.monotonic() < end: pass"
IDLE = "import time\ntime.sleep(600)"


@pytest.mark.slow
def test_an_idle_script_is_stopped_and_a_busy_one_is_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bench.sandbox.environment.items():
        monkeypatch.setenv(name, value)
    # The sandbox reads a job less often the longer the job runs.
    monkeypatch.setattr(utilization, "_MAX_DELAY_MINUTES", 120)
    cloudwatch = bench.sandbox.client("cloudwatch")

    def run_script(script: str) -> RunRecord:
        (bench.folder / "train.py").write_text(script)
        bench.write(hyperparameters={"rounds": ...}, metrics={"round": ..., "resumed_from": ...})
        prepared = launch.prepare(TRAINING, bench.folder / "job.yaml")
        record, sagemaker = launch.start(prepared), prepared.clients.sagemaker
        # Two percent of two vCPUs: the busy job shares this computer with other tests, and measuring needs CPU too.
        floor = UtilizationFloor(cpu_percent=2, minutes=3)
        watching = UtilizationWatch(floor, "ml.m5.large", 1, "/aws/sagemaker/TrainingJobs", cloudwatch, period=1)
        return wait_for_job(record, sagemaker, lambda _: None, lambda _: time.sleep(0.2), watch=watching)

    idle = run_script(IDLE)
    assert idle.status == "Stopped"
    assert re.match(r"CPU utilization was at most [0-2]\.\d % for 3 min, below", idle.stopped[idle.job_name])
    busy = run_script(BUSY)
    assert (busy.status, busy.stopped) == ("Completed", {})


@pytest.mark.slow
def test_a_launch_without_waiting_reports_that_the_floor_needs_a_follower(bench: Bench) -> None:
    (bench.folder / "train.py").write_text("")
    bench.write(limits={"utilization_floor": {"cpu_percent": 5, "minutes": 5}})
    launched = bench.run("train", "job.yaml", "--no-wait")
    assert "limits.utilization_floor needs a client that follows the job; run the same command without" in (
        launched.stderr
    )
