"""Measurements of counters: in the record, in the comparison with estimates, and in the next estimate."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sustainable_mlops.aws import Clients
from sustainable_mlops.footprint import estimate_job, make_exact
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
#: Values of a script that kept 40 % of two CPUs busy for 600 s, as SageMaker reports them.
MEASURED_VALUES = {
    "wall_seconds": 600.0,
    "cpu_seconds": 480.0,
    "cpus": 2.0,
    "cpu_utilization": 0.4,
    "memory_peak_bytes": 3e8,
}


def make_metrics(values: dict[str, float]) -> list[dict[str, Any]]:
    return [{"MetricName": f"measured:{name}", "Value": value} for name, value in values.items()]


@pytest.fixture
def train_job(cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path) -> Trained:
    """Return a function that runs a job with these measured values and stores its record."""

    def train(values: dict[str, float], *, seconds: int = 600, **changes: Any) -> RunRecord:
        launch = prepare(TRAINING, write_job(**changes), now=next(moments))
        launch = launch.add_expected_figures(estimate_launch(launch, tmp_path).record_figures)
        record = start(launch)
        final_metrics = [{"MetricName": "validation:auc", "Value": 0.75}, *make_metrics(values)]
        cloud.sagemaker.complete(record.job_name, TrainingTimeInSeconds=seconds, FinalMetricDataList=final_metrics)
        record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
        write_record(record, tmp_path)
        return record

    return train


def next_estimate(write_job: WriteJob, folder: Path, **changes: Any) -> RunEstimate:
    return estimate_launch(prepare(TRAINING, write_job(**changes), force=True), folder)


def compare_by_quantity(record: RunRecord) -> dict[str, EstimateComparison]:
    return {comparison.quantity: comparison for comparison in record.comparisons}


def test_a_record_separates_measured_values_from_the_jobs_own_metrics(train_job: Trained) -> None:
    record = train_job(MEASURED_VALUES)
    assert record.metrics == {"validation:auc": 0.75}
    assert record.measured is not None
    assert record.measured.get_value("cpu_utilization") == 0.4
    assert "energy_gpu_joules" in record.measured.without
    assert parse_record(record.to_json(), "record") == record


def test_the_figures_of_a_run_use_its_measured_load(train_job: Trained) -> None:
    record = train_job(MEASURED_VALUES)
    by_hand = estimate_job("ml.m5.large", 1, 600, "eu-north-1", duty=make_exact(0.4), volume_gb=10).figures["energy"]
    unmeasured = train_job({}, hyperparameters={"num_round": 1}).figures["energy"]
    energy = record.figures["energy"]
    assert energy.value == pytest.approx(by_hand.central)
    assert compute_width(energy) < 0.7 * compute_width(unmeasured)


def compute_width(figure: RunFigure) -> float:
    return (figure.high or 0.0) - (figure.low or 0.0)


def test_impossible_values_of_counters_are_ignored_or_capped() -> None:
    assert CounterReadings.from_values({"cpu_utilization": float("inf"), "wall_seconds": -1.0, "other": 1.0}, 1) is None
    more_than_all = CounterReadings.from_values({"wall_seconds": 700.0, "cpu_utilization": 1.5}, 1)
    result = measure_load(more_than_all, 600.0, "ml.m5.large")
    assert result is not None
    assert (result.low, result.central, result.high) == (1, 1, 1)


def test_outside_the_script_only_the_bounds_of_the_load_are_known() -> None:
    half = CounterReadings.from_values({**MEASURED_VALUES, "wall_seconds": 300.0}, 1)
    result = measure_load(half, 600.0, "ml.m5.large")
    assert result is not None
    assert (result.low, result.central, result.high) == pytest.approx((0.2, 0.4, 0.7))
    gpu = CounterReadings.from_values({"wall_seconds": 600.0, "cpu_utilization": 0.1, "gpu_utilization": 0.6}, 1)
    busy = measure_load(gpu, 600.0, "ml.g5.xlarge")
    assert busy is not None
    assert (busy.low, busy.central, busy.high) == pytest.approx((0.1, 0.6, 0.6)), "power says less than utilization"
    assert measure_load(None, 600.0, "ml.m5.large") is None
    assert measure_load(CounterReadings.from_values(MEASURED_VALUES, 1), 600.0, "ml.g5.xlarge") is None, (
        "of its GPU nothing was measured"
    )
    assert measure_load(CounterReadings.from_values(MEASURED_VALUES, 1), 600.0, "ml.unknown.large") is None


def test_a_measured_run_narrows_the_next_estimate_most_of_all_for_the_same_run(
    train_job: Trained, write_job: WriteJob, tmp_path: Path
) -> None:
    assumed = next_estimate(write_job, tmp_path)
    assert (assumed.load.basis, assumed.load.low, assumed.load.value, assumed.load.high) == ("assumed", 0.3, 0.7, 1)
    record = train_job(MEASURED_VALUES)
    same = next_estimate(write_job, tmp_path)
    other = next_estimate(write_job, tmp_path, hyperparameters={"num_round": 1})
    for result, factor in ((same, 1.1), (other, 1.3)):
        assert (result.load.basis, result.load.grade) == ("estimated", "B")
        bounds = (result.load.low, result.load.value, result.load.high)
        assert bounds == pytest.approx((0.4 / factor, 0.4, 0.4 * factor))
        assert record.job_name in result.load.source

    def compute_width(result: RunEstimate) -> float:
        energy = result.figures["energy"]
        return (energy.high or 0) / (energy.low or 1)

    assert compute_width(same) < compute_width(other) < compute_width(assumed)


def test_a_run_without_measurements_does_not_narrow_the_load(
    train_job: Trained, write_job: WriteJob, tmp_path: Path
) -> None:
    train_job({})
    result = next_estimate(write_job, tmp_path)
    assert result.duration.basis == "estimated"
    assert result.load.basis == "assumed"


def test_only_measured_quantities_are_compared(train_job: Trained) -> None:
    record = train_job({**MEASURED_VALUES, "wall_seconds": 100.0, "cpu_seconds": 80.0}, seconds=100)
    result = compare_by_quantity(record)
    assert sorted(result) == ["duration", "load"], "there is no counter of energy"
    # 72 s (30 to 224) for a start and 240 rounds, and it took 100 s; 0.7 (0.3 to 1) of the CPUs, and it was 0.4.
    assert result["duration"].ratio == pytest.approx(0.724, rel=1e-3)
    assert result["load"].ratio == pytest.approx(0.7 / 0.4)
    assert all(comparison.is_inside for comparison in result.values())
    assert all(comparison.measured.basis == "measured" for comparison in result.values())
    text = record.model_dump(mode="json")["comparisons"]
    assert [(comparison["quantity"], comparison["is_inside"]) for comparison in text] == [
        ("duration", True),
        ("load", True),
    ]


def test_a_measurement_outside_the_interval_is_reported(train_job: Trained, tmp_path: Path) -> None:
    record = train_job({**MEASURED_VALUES, "cpu_utilization": 0.1}, seconds=20)
    assert [comparison.is_inside for comparison in record.comparisons] == [False, False]
    console = Console(width=400, record=True, file=(tmp_path / "told").open("w"))
    console.print(display.format_summary(record))
    text = console.export_text()
    assert "the interval does not contain the measurement, 0.10 of the CPUs" in text
    assert "the interval does not contain the measurement, 20 s" in text
    assert "300.0 MB (measured)" in text


def test_energy_is_compared_if_each_chip_has_a_counter(train_job: Trained) -> None:
    result = compare_by_quantity(train_job({**MEASURED_VALUES, "energy_cpu_joules": 36_000.0}))["energy"]
    assert result.measured.value == pytest.approx(0.01)
    assert result.measured.unit == "kWh"
    assert "fans" in result.not_counted
    gpu = {**MEASURED_VALUES, "gpu_utilization": 0.5, "energy_cpu_joules": 36_000.0}
    assert "energy" not in compare_by_quantity(train_job(gpu, hyperparameters={"num_round": 1}))
    both = compare_by_quantity(train_job({**gpu, "energy_gpu_joules": 72_000.0}, hyperparameters={"num_round": 2}))
    assert both["energy"].measured.value == pytest.approx(0.03)
    two = train_job({**MEASURED_VALUES, "energy_cpu_joules": 36_000.0}, compute={"instance_count": 2})
    assert "energy" not in compare_by_quantity(two), "the other instance has a counter of its own"


def test_a_run_that_did_not_complete_has_no_comparisons(train_job: Trained) -> None:
    record = train_job(MEASURED_VALUES)
    assert record.comparisons
    assert record.model_copy(update={"status": "Stopped"}).comparisons == []


def test_a_record_without_measurements_is_valid(train_job: Trained) -> None:
    record = train_job(MEASURED_VALUES)
    old = {
        key: value
        for key, value in record.model_dump(mode="json").items()
        if key not in ("expected", "measured", "comparisons", "kind", "outputs", "children")
    }
    parsed_record = parse_record(json.dumps(old), "old")
    assert (parsed_record.kind, parsed_record.expected, parsed_record.measured, parsed_record.comparisons) == (
        "training",
        {},
        None,
        [],
    )
