"""The workload's own tuning on three weeks of flights; `grid.py` is the whole comparison on all flights."""

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workloads.flight_delay.grid import GRID, MAX_DISTANCE, MAX_SHARE, WORKLOAD, summarize_tuning
from tests.workloads.flight_delay.sandbox_platform import launch_job, make_platform
from workloads.flight_delay import train

pytestmark = pytest.mark.slow

#: Grid without the weight: with so little data all weights are equally good.
SMALL_GRID = list(itertools.product(GRID["max_depth"], GRID["eta"], [30]))


def compute_auc(data: Path, folder: Path, max_depth: int, eta: float, min_child_weight: float) -> float:
    """Return the validation AUC of a training in this process."""
    job = yaml.safe_load((WORKLOAD / "job.yaml").read_text())
    values = job["hyperparameters"] | {"max_depth": max_depth, "eta": eta, "min_child_weight": min_child_weight}
    values |= {"train": data / "train", "validation": data / "validation", "model_dir": folder / "model"}
    values |= {"checkpoint_dir": folder / "checkpoints", "output_data_dir": folder}
    train.main([f"--{name}={value}" for name, value in values.items()])
    report: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return float(report["metrics"]["validation:auc"])


@pytest.mark.release
def test_a_search_with_a_quarter_of_the_trainings_finds_the_grids_best_auc(
    sandbox: Any, data: Path, tmp_path: Path
) -> None:
    best = max(compute_auc(data, tmp_path / str(number), *point) for number, point in enumerate(SMALL_GRID))

    parameter = make_platform(sandbox, "flights-tuned", data)
    tuning = yaml.safe_load((WORKLOAD / "tune.yaml").read_text())
    job = yaml.safe_load((WORKLOAD / "job.yaml").read_text())
    tuning["training"] = {**job, "platform": parameter}
    tuning["training"]["source"]["directory"] = os.path.relpath(WORKLOAD, tmp_path)
    # With four jobs the result depends on the seed. `grid.py` compares the searches on all flights.
    tuning |= {"seed": 3, "limits": {"max_jobs": int(len(SMALL_GRID) * MAX_SHARE), "max_runtime_minutes": 30}}
    file = tmp_path / "tune.yaml"
    file.write_text(yaml.safe_dump(tuning))
    record = launch_job(sandbox, "tune", file, tmp_path / "out")

    result = summarize_tuning(record)
    assert result["jobs"] == len(SMALL_GRID) * MAX_SHARE
    assert result["auc"] >= (1 - MAX_DISTANCE) * best
    assert record["model_package_group"] == "flights-tuned-flight-delay"
    assert record["metrics"]["validation:auc"] == pytest.approx(result["auc"])
    assert record["metrics"]["rounds_redone"] == 0
