"""The floor under a job's utilisation: who is stopped, who is not, and that somebody must look."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs import launch, utilization
from sustainable_mlops.jobs.kinds import PROCESSING, TRAINING
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.specs.common import UtilizationFloor
from sustainable_mlops.jobs.utilization import UtilizationWatch
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.bench import Bench
from tests.jobs.support import PROCESSING_JOB, WriteJob, merged

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)


class CloudWatch:
    """Utilisation by instance, one value a minute, the last one now."""

    def __init__(self, **instances: list[float]) -> None:
        self.instances = instances
        self.asked: list[dict[str, Any]] = []

    def get_metric_statistics(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        values = self.instances[request["Dimensions"][0]["Value"].rpartition("/")[2].replace("-", "_")]
        points = [
            {"Timestamp": NOW - timedelta(minutes=age), "Average": value} for age, value in enumerate(values[::-1])
        ]
        return {"Datapoints": [point for point in points if point["Timestamp"] >= request["StartTime"]]}


def watch(cloudwatch: CloudWatch, instance_type: str = "ml.m5.large", count: int = 1, **floor: Any) -> UtilizationWatch:
    given = UtilizationFloor(**{"cpu_percent": 10.0, "minutes": 3, **floor})
    return UtilizationWatch(given, instance_type, count, "/aws/sagemaker/TrainingJobs", cloudwatch)


def test_a_job_is_idle_once_all_its_last_minutes_were_below_the_floor() -> None:
    # Two vCPUs: 19 of CloudWatch's 200 are 9.5 %.
    assert watch(CloudWatch(algo_1=[150, 19, 1, 2])).find_idle_reason("job", SINCE, NOW) == (
        "CPU utilization was at most 9.5 % for 3 min, below limits.utilization_floor (10 %)"
    )
    assert watch(CloudWatch(algo_1=[19, 1, 21])).find_idle_reason("job", SINCE, NOW) is None


def test_what_is_not_known_stops_nothing() -> None:
    assert watch(CloudWatch(algo_1=[1, 1])).find_idle_reason("job", SINCE, NOW) is None
    assert watch(CloudWatch(algo_1=[])).find_idle_reason("job", SINCE, NOW) is None


def test_the_time_before_the_script_ran_does_not_count() -> None:
    idle = watch(CloudWatch(algo_1=[1, 1, 1]))
    assert idle.find_idle_reason("job", NOW - timedelta(minutes=1), NOW) is None


def test_one_busy_instance_keeps_the_others() -> None:
    assert watch(CloudWatch(algo_1=[1, 1, 1], algo_2=[90, 90, 90]), count=2).find_idle_reason("job", SINCE, NOW) is None
    assert (
        watch(CloudWatch(algo_1=[1, 1, 1], algo_2=[2, 2, 2]), count=2).find_idle_reason("job", SINCE, NOW) is not None
    )


def test_cloudwatch_is_asked_as_often_as_it_has_news() -> None:
    cloudwatch = CloudWatch(algo_1=[1])
    looking = watch(cloudwatch)
    for seconds in range(0, 180, 15):
        looking.find_idle_reason("job", SINCE, NOW + timedelta(seconds=seconds))
    assert len(cloudwatch.asked) == 3


def test_gpus_are_counted_and_must_be_there() -> None:
    cloudwatch = CloudWatch(algo_1=[39, 39, 39])
    told = watch(cloudwatch, "ml.g4dn.12xlarge", cpu_percent=None, gpu_percent=10.0).find_idle_reason("job", SINCE, NOW)
    assert told is not None
    assert "GPU utilization was at most 9.8 %" in told
    assert cloudwatch.asked[0]["MetricName"] == "GPUUtilization"


@pytest.mark.parametrize(
    ("floor", "told"),
    [
        ({"gpu_percent": 5, "minutes": 5}, "limits.utilization_floor.gpu_percent: ml.m5.large has no GPU; give cpu_p"),
        ({"minutes": 5}, "limits.utilization_floor: give either cpu_percent or gpu_percent"),
        ({"cpu_percent": 5, "gpu_percent": 5, "minutes": 5}, "give either cpu_percent or gpu_percent"),
        ({"cpu_percent": 5}, "limits.utilization_floor.minutes: is missing"),
        ({"cpu_percent": 101, "minutes": 5}, "cpu_percent: must be less than or equal to 100"),
    ],
)
def test_a_floor_that_makes_no_sense_is_refused(write_job: WriteJob, floor: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as refused:
        launch.prepare(TRAINING, write_job(limits={"utilization_floor": floor}))
    assert told in str(refused.value)


def test_a_processing_job_may_have_a_floor_and_works_from_its_start(cloud: Any, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "prepare.py").write_text("")
    path = tmp_path / "process.yaml"
    inputs = {"airports": ..., "flights": {"sharding": "replicated"}}
    document = merged(
        PROCESSING_JOB, {"inputs": inputs, "limits": {"utilization_floor": {"cpu_percent": 5, "minutes": 5}}}
    )
    path.write_text(yaml.safe_dump(document))
    prepared = launch.prepare(PROCESSING, path)
    assert prepared.floor == UtilizationFloor(cpu_percent=5, minutes=5)
    told = {"ProcessingJobStatus": "InProgress", "ProcessingStartTime": NOW}
    record = prepared.record.model_copy(update={"status": "InProgress", **PROCESSING.read_record_fields(told)})
    assert PROCESSING.list_running_jobs(record) == {record.job_name: NOW}
    assert (
        PROCESSING.list_running_jobs(
            record.model_copy(update=PROCESSING.read_record_fields({**told, "ProcessingEndTime": NOW}))
        )
        == {}
    )


BUSY = "import time\nend = time.monotonic() + 8\nwhile time.monotonic() < end: pass"
IDLE = "import time\ntime.sleep(600)"


@pytest.mark.slow
def test_an_idle_script_is_stopped_and_a_busy_one_is_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bench.sandbox.environment.items():
        monkeypatch.setenv(name, value)
    # The sandbox looks at a job the less often the longer that takes it.
    monkeypatch.setattr(utilization, "_MAX_DELAY_MINUTES", 120)
    cloudwatch = bench.sandbox.client("cloudwatch")

    def followed(script: str) -> RunRecord:
        (bench.folder / "train.py").write_text(script)
        bench.write(hyperparameters={"rounds": ...}, metrics={"round": ..., "resumed_from": ...})
        prepared = launch.prepare(TRAINING, bench.folder / "job.yaml")
        record, sagemaker = launch.start(prepared), prepared.clients.sagemaker
        # Two per cent of two vCPUs: the busy one shares this machine with the other tests, and measuring is work, too.
        floor = UtilizationFloor(cpu_percent=2, minutes=3)
        watching = UtilizationWatch(floor, "ml.m5.large", 1, "/aws/sagemaker/TrainingJobs", cloudwatch, period=1)
        return wait_for_job(record, sagemaker, lambda _: None, lambda _: time.sleep(0.2), watch=watching)

    idle = followed(IDLE)
    assert idle.status == "Stopped"
    assert re.match(r"CPU utilization was at most [0-2]\.\d % for 3 min, below", idle.stopped[idle.job_name])
    busy = followed(BUSY)
    assert (busy.status, busy.stopped) == ("Completed", {})


@pytest.mark.slow
def test_whoever_does_not_follow_is_told_that_nobody_watches(bench: Bench) -> None:
    (bench.folder / "train.py").write_text("")
    bench.write(limits={"utilization_floor": {"cpu_percent": 5, "minutes": 5}})
    launched = bench.run("train", "job.yaml", "--no-wait")
    assert "limits.utilization_floor: nobody watches a job that nobody follows; the same command without" in (
        launched.stderr
    )
