"""Measured jobs on the sandbox: their records, and the next estimates."""

import json
from typing import Any

import pytest

from tests.jobs.bench import Bench
from tests.jobs.support import PROCESSING_JOB, merge_changes

pytestmark = pytest.mark.slow

#: Script that keeps one processor busy for a second and holds 150 MB; another size is another run of the workload.
BUSY = """
import argparse, os, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("--size")
parser.parse_known_args()
held = bytearray(150_000_000)
while time.process_time() < 1: pass
folder = pathlib.Path(os.environ.get("SM_MODEL_DIR") or os.environ["OUTPUT_DIR"] + "/train")
(folder / "result").write_text("done")
"""


def check_measured(record: dict[str, Any]) -> None:
    measured = {name: figure["value"] for name, figure in record["measured"]["figures"].items()}
    assert 1 <= measured["cpu_seconds"] < 5
    assert 150e6 <= measured["memory_peak_bytes"] < 400e6
    assert measured["cpu_utilization"] == pytest.approx(
        min(1, measured["cpu_seconds"] / measured["wall_seconds"] / measured["cpus"]), rel=1e-3
    )
    assert not [name for name in record["metrics"] if "measured" in name]
    assert "energy_gpu_joules" in record["measured"]["without"]


def test_a_training_is_measured_and_its_next_estimate_uses_the_measurement(bench: Bench) -> None:
    (bench.folder / "train.py").write_text(BUSY)
    bench.write(hyperparameters={"rounds": ..., "size": 1}, metrics={"resumed_from": ..., "round": ...})
    first = bench.train()
    record = first["record"]
    check_measured(record)
    assert first["estimate"]["load"]["basis"] == "assumed"
    assert record["expected"]["load"] == first["estimate"]["load"]
    comparisons = {comparison["quantity"]: comparison for comparison in record["comparisons"]}
    assert sorted(comparisons) == ["duration", "load"]
    load = record["measured"]["figures"]["cpu_utilization"]["value"]
    assert comparisons["load"]["is_inside"] == (0.3 <= load <= 1)

    bench.write(hyperparameters={"rounds": ..., "size": 2}, metrics={"resumed_from": ..., "round": ...})
    second = bench.train("--dry-run")
    expected = second["estimate"]["load"]
    assert (expected["basis"], expected["class"]) == ("estimated", "B")
    assert record["job_name"] in expected["source"]

    listed_runs = json.loads(bench.run("runs", "--json").stdout)
    assert [run["job_name"] for run in listed_runs] == [record["job_name"]]
    stored = bench.run("runs", "--platform", f"/{bench.name}/platform", "--json")
    assert json.loads(stored.stdout) == listed_runs
    coverage = json.loads(bench.run("runs", "--coverage", "--json").stdout)
    assert {row["estimate"]: (row["counters"], row["without_counter"]) for row in coverage["rows"]} == {
        "duration": (1, 0),
        "load": (1, 0),
        "energy": (0, 1),
    }


def test_a_processing_job_is_measured_by_its_exit_message(bench: Bench) -> None:
    (bench.folder / "prepare.py").write_text(BUSY)
    removed_outputs = {name: ... for name in PROCESSING_JOB["outputs"] if name != "train"}
    bench.put("airports.csv", b"airports")
    bench.write_file("process.yaml", merge_changes(PROCESSING_JOB, {"outputs": removed_outputs}))
    record = bench.launch("process", "process.yaml")["record"]
    assert (record["status"], record["failure_reason"]) == ("Completed", None)
    check_measured(record)
