"""What counters said: in the record, beside what was expected, and in the next estimate."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sustainable_mlops.aws import Clients
from sustainable_mlops.footprint import estimate_job, exact_quantity
from sustainable_mlops.jobs import display
from sustainable_mlops.jobs.estimate import RunEstimate, estimate_launch
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.launch import prepare, start
from sustainable_mlops.jobs.measurement.comparison import EstimateComparison
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from sustainable_mlops.jobs.measurement.load import measure_load
from sustainable_mlops.jobs.record import RunRecord, parse_record, write_record
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import WriteJob

Moments = Iterator[datetime]
Trained = Callable[..., RunRecord]
#: Of a script that kept 40 % of two CPUs busy for 600 s, as SageMaker hands it on.
COUNTED = {"wall_seconds": 600.0, "cpu_seconds": 480.0, "cpus": 2.0, "cpu_utilization": 0.4, "memory_peak_bytes": 3e8}


def metrics(values: dict[str, float]) -> list[dict[str, Any]]:
    return [{"MetricName": f"measured:{name}", "Value": value} for name, value in values.items()]


@pytest.fixture
def trained(cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path) -> Trained:
    """Runs a job whose container told these values, and keeps its record."""

    def train(counted: dict[str, float], *, seconds: int = 600, **changes: Any) -> RunRecord:
        launch = prepare(TRAINING, write_job(**changes), now=next(moments))
        launch = launch.with_expected_figures(estimate_launch(launch, tmp_path).record_figures)
        record = start(launch)
        told = [{"MetricName": "validation:auc", "Value": 0.75}, *metrics(counted)]
        cloud.sagemaker.complete(record.job_name, TrainingTimeInSeconds=seconds, FinalMetricDataList=told)
        record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
        write_record(record, tmp_path)
        return record

    return train


def next_estimate(write_job: WriteJob, folder: Path, **changes: Any) -> RunEstimate:
    return estimate_launch(prepare(TRAINING, write_job(**changes), force=True), folder)


def comparisons(record: RunRecord) -> dict[str, EstimateComparison]:
    return {one.quantity: one for one in record.comparisons}


def test_a_record_keeps_what_counters_said_apart_from_the_jobs_own_metrics(trained: Trained) -> None:
    record = trained(COUNTED)
    assert record.metrics == {"validation:auc": 0.75}
    assert record.measured is not None
    assert record.measured.value("cpu_utilization") == 0.4
    assert "energy_gpu_joules" in record.measured.without
    assert parse_record(record.to_json(), "record") == record


def test_the_figures_of_a_run_rest_on_its_own_load(trained: Trained) -> None:
    record = trained(COUNTED)
    by_hand = estimate_job("ml.m5.large", 1, 600, "eu-north-1", duty=exact_quantity(0.4), volume_gb=10).figures[
        "energy"
    ]
    unmeasured = trained({}, hyperparameters={"num_round": 1}).figures["energy"]
    energy = record.figures["energy"]
    assert energy.value == pytest.approx(by_hand.central)
    assert _width(energy) < 0.7 * _width(unmeasured)


def _width(figure: RunFigure) -> float:
    return (figure.high or 0.0) - (figure.low or 0.0)


def test_a_number_that_no_counter_says_is_none() -> None:
    assert CounterReadings.from_values({"cpu_utilization": float("inf"), "wall_seconds": -1.0, "other": 1.0}, 1) is None
    more_than_all = CounterReadings.from_values({"wall_seconds": 700.0, "cpu_utilization": 1.5}, 1)
    found = measure_load(more_than_all, 600.0, "ml.m5.large")
    assert found is not None
    assert (found.low, found.central, found.high) == (1, 1, 1)


def test_of_the_time_around_the_script_the_bounds_alone_are_known() -> None:
    half = CounterReadings.from_values({**COUNTED, "wall_seconds": 300.0}, 1)
    found = measure_load(half, 600.0, "ml.m5.large")
    assert found is not None
    assert (found.low, found.central, found.high) == pytest.approx((0.2, 0.4, 0.7))
    gpu = CounterReadings.from_values({"wall_seconds": 600.0, "cpu_utilization": 0.1, "gpu_utilization": 0.6}, 1)
    busy = measure_load(gpu, 600.0, "ml.g5.xlarge")
    assert busy is not None
    assert (busy.low, busy.central, busy.high) == pytest.approx((0.1, 0.6, 0.6)), "power says less than utilization"
    assert measure_load(None, 600.0, "ml.m5.large") is None
    assert measure_load(CounterReadings.from_values(COUNTED, 1), 600.0, "ml.g5.xlarge") is None, (
        "of its GPU nothing was measured"
    )
    assert measure_load(CounterReadings.from_values(COUNTED, 1), 600.0, "ml.unknown.large") is None


def test_a_measured_run_narrows_the_next_estimate_and_the_very_same_run_more(
    trained: Trained, write_job: WriteJob, tmp_path: Path
) -> None:
    assumed = next_estimate(write_job, tmp_path)
    assert (assumed.load.basis, assumed.load.low, assumed.load.value, assumed.load.high) == ("assumed", 0.3, 0.7, 1)
    record = trained(COUNTED)
    same = next_estimate(write_job, tmp_path)
    other = next_estimate(write_job, tmp_path, hyperparameters={"num_round": 1})
    for found, factor in ((same, 1.1), (other, 1.3)):
        assert (found.load.basis, found.load.grade) == ("estimated", "B")
        ends = (found.load.low, found.load.value, found.load.high)
        assert ends == pytest.approx((0.4 / factor, 0.4, 0.4 * factor))
        assert record.job_name in found.load.source

    def width(found: RunEstimate) -> float:
        energy = found.figures["energy"]
        return (energy.high or 0) / (energy.low or 1)

    assert width(same) < width(other) < width(assumed)


def test_a_run_that_measured_nothing_narrows_no_load(trained: Trained, write_job: WriteJob, tmp_path: Path) -> None:
    trained({})
    found = next_estimate(write_job, tmp_path)
    assert found.duration.basis == "estimated"
    assert found.load.basis == "assumed"


def test_an_estimate_is_compared_with_what_has_a_counter_alone(trained: Trained) -> None:
    record = trained(COUNTED)
    found = comparisons(record)
    assert sorted(found) == ["duration", "load"], "there is no counter of energy"
    # 25 % (5 to 100 %) of half an hour, and it took ten minutes; 0.7 (0.3 to 1) of the CPUs, and it was 0.4.
    assert found["duration"].ratio == pytest.approx(450 / 600)
    assert found["load"].ratio == pytest.approx(0.7 / 0.4)
    assert all(one.is_inside for one in found.values())
    assert all(one.measured.basis == "measured" for one in found.values())
    told = record.model_dump(mode="json")["comparisons"]
    assert [(one["quantity"], one["is_inside"]) for one in told] == [("duration", True), ("load", True)]


def test_a_counter_outside_the_interval_is_told(trained: Trained, tmp_path: Path) -> None:
    record = trained({**COUNTED, "cpu_utilization": 0.1}, seconds=20)
    assert [one.is_inside for one in record.comparisons] == [False, False]
    console = Console(width=400, record=True, file=(tmp_path / "told").open("w"))
    console.print(display.format_summary(record))
    told = console.export_text()
    assert "the interval does not contain the measurement, 0.10 of the CPUs" in told
    assert "the interval does not contain the measurement, 20 s" in told
    assert "300.0 MB (measured)" in told


def test_energy_is_compared_where_each_chip_has_a_counter_and_what_they_lack_is_said(trained: Trained) -> None:
    found = comparisons(trained({**COUNTED, "energy_cpu_joules": 36_000.0}))["energy"]
    assert found.measured.value == pytest.approx(0.01)
    assert found.measured.unit == "kWh"
    assert "fans" in found.not_counted
    gpu = {**COUNTED, "gpu_utilization": 0.5, "energy_cpu_joules": 36_000.0}
    assert "energy" not in comparisons(trained(gpu, hyperparameters={"num_round": 1}))
    both = comparisons(trained({**gpu, "energy_gpu_joules": 72_000.0}, hyperparameters={"num_round": 2}))
    assert both["energy"].measured.value == pytest.approx(0.03)
    two = trained({**COUNTED, "energy_cpu_joules": 36_000.0}, compute={"instance_count": 2})
    assert "energy" not in comparisons(two), "the other instance has a counter of its own"


def test_of_a_run_that_did_not_complete_nothing_is_compared(trained: Trained) -> None:
    record = trained(COUNTED)
    assert record.comparisons
    assert record.model_copy(update={"status": "Stopped"}).comparisons == []


def test_a_record_from_before_there_were_counters_is_read(trained: Trained) -> None:
    record = trained(COUNTED)
    old = {
        key: value
        for key, value in record.model_dump(mode="json").items()
        if key not in ("expected", "measured", "comparisons", "kind", "outputs", "children")
    }
    read = parse_record(json.dumps(old), "old")
    assert (read.kind, read.expected, read.measured, read.comparisons) == ("training", {}, None, [])
