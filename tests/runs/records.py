"""Records of runs as launches write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from sustainable_mlops.jobs.record import RunRecord


def make_estimate(value: float, unit: str, spread: float = 2.0) -> RunFigure:
    return RunFigure(
        value=value, low=value / spread, high=value * spread, unit=unit, basis="estimated", source="footprint model"
    )


def make_seconds(value: float) -> RunFigure:
    return RunFigure(value=value, unit="s", basis="measured", source="SageMaker")


def make_record(number: int = 1, **changes: Any) -> RunRecord:
    """Return a run with `number` times the usage of the first; each has another day and key."""
    return RunRecord(
        run_key=f"{number:02x}" * 32,
        workload="flight-delay",
        environment="dev",
        region="eu-north-1",
        job_name=f"flight-delay-{number:03}",
        status="Completed",
        launched_at=datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(days=number),
        spot=True,
        image="image",
        instance_type="ml.m5.large",
        instance_count=1,
        source="s3://bucket/source.tar.gz",
        source_digest="d" * 64,
        data={},
        hyperparameters={"num_round": number},
        metrics={"test:auc": 0.7 + number / 100, "train:auc": 0.9},
        figures={
            "training_seconds": make_seconds(100.0 * number),
            "co2e": make_estimate(0.001 * number, "kgCO2e"),
            "cost": make_estimate(0.01 * number, "USD", 1.1),
        },
        expected={
            "duration": make_estimate(200.0, "s", 4.0),
            "load": RunFigure(value=0.7, low=0.3, high=1, unit="of the CPUs", basis="assumed", source="assumption"),
            "energy": make_estimate(0.01, "kWh"),
        },
        measured=CounterReadings.from_values({"wall_seconds": 100.0, "cpu_utilization": 0.5}, 1),
    ).model_copy(update=changes)
