"""Runs in MLflow: with a real server, with an unavailable server, and without the client."""

import importlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from sustainable_mlops.jobs.record import RunRecord, TuningTrial
from sustainable_mlops.jobs.tracking import track_run
from tests.sandbox.support import find_free_port


@pytest.fixture(autouse=True)
def _unset_tracking_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "120")  # long, because other tests use the computer


def make_record(**changes: Any) -> RunRecord:
    started_at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    co2e = RunFigure(
        value=0.1, low=0.05, high=0.3, unit="kgCO2e", basis="estimated", source="footprint model", grade="C"
    )
    return RunRecord(
        run_key="ab" * 32,
        workload="flight-delay",
        environment="dev",
        region="eu-north-1",
        job_name="flight-delay-1",
        status="Completed",
        launched_at=started_at,
        ended_at=started_at.replace(minute=10),
        spot=True,
        image="image",
        instance_type="ml.m5.large",
        instance_count=1,
        source="s3://bucket/source.tar.gz",
        data={},
        hyperparameters={"num_round": 240, "note": "x" * 7000},
        metrics={"validation:auc": 0.75, "loss @ 10 %": 0.5},
        figures={"co2e": co2e},
        measured=CounterReadings.from_values({"cpu_utilization": 0.8}, 1),
        tags={"team": "data <b>", "kosten/stelle=1": "42"},
    ).model_copy(update=changes)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a tracking server with a database and yield its address."""
    folder = tmp_path_factory.mktemp("mlflow")
    port = find_free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        )
    try:
        deadline = time.monotonic() + 900
        while not _is_reachable(f"{address}/health"):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _is_reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - an address of our own
            return True
    except (urllib.error.URLError, OSError):
        return False


def list_runs(server: str, experiment: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=server)
    experiment_entity = client.get_experiment_by_name(experiment)
    return list(client.search_runs([experiment_entity.experiment_id])) if experiment_entity else []


@pytest.mark.slow
def test_a_run_is_written_once_with_metrics_parameters_tags_and_footprint(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert track_run(make_record(status="InProgress", ended_at=None, metrics={}, figures={}), server) == []
    (before,) = list_runs(server, "flight-delay")
    assert before.info.status == "RUNNING"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)  # has priority over the platform's server
    for _ in range(2):
        assert track_run(make_record(), "http://127.0.0.1:9") == []
    (run,) = list_runs(server, "flight-delay")
    assert run.info.run_id == before.info.run_id
    assert (run.info.run_name, run.info.status) == ("flight-delay-1", "FINISHED")
    assert run.info.end_time - run.info.start_time == 600_000
    assert run.data.metrics == {
        "validation:auc": 0.75,
        "loss _ 10 _": 0.5,
        "footprint/co2e": 0.1,
        "footprint/co2e_low": 0.05,
        "footprint/co2e_high": 0.3,
        "measured/cpu_utilization": 0.8,
    }
    assert run.data.params == {"num_round": "240", "note": "x" * 6000}
    tags = run.data.tags
    assert tags["team"] == "data <b>"
    assert tags["kosten/stelle_1"] == "42"
    assert tags["smlops.unit.co2e"] == "kgCO2e"
    assert (tags["smlops.run_key"], tags["smlops.kind"], tags["mlflow.source.type"]) == ("ab" * 32, "training", "JOB")

    assert track_run(make_record(job_name="flight-delay-2", status="Stopped"), None) == []
    assert sorted(run.info.status for run in list_runs(server, "flight-delay")) == ["FINISHED", "KILLED"]


@pytest.mark.slow
def test_a_tuning_has_the_hyperparameters_of_its_best_job_and_a_nested_run_for_each(server: str) -> None:
    trials = [
        TuningTrial(
            job_name=f"search-{number}",
            status=status,
            hyperparameters={"max_depth": str(number)},
            objective=objective,
            training_seconds=60,
        )
        for number, status, objective in ((1, "Completed", 0.7), (2, "Completed", 0.8), (3, "Stopped", None))
    ]
    record = make_record(job_name="search", kind="tuning", workload="search", trials=trials, best="search-2")
    assert track_run(record.model_copy(update={"status": "InProgress", "best": "search-1"}), server) == []
    for _ in range(2):
        assert track_run(record, server) == []
    runs = {run.info.run_name: run for run in list_runs(server, "search")}
    assert sorted(runs) == ["search", "search-1", "search-2", "search-3"]
    parent = runs.pop("search")
    assert (parent.data.params["max_depth"], parent.data.params["num_round"]) == ("2", "240")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert {name: run.data.params["max_depth"] for name, run in runs.items()} == {
        f"search-{n}": str(n) for n in (1, 2, 3)
    }
    assert {name: run.data.metrics.get("objective") for name, run in runs.items()} == {
        "search-1": 0.7,
        "search-2": 0.8,
        "search-3": None,
    }
    assert [name for name, run in runs.items() if run.data.tags["smlops.best"] == "true"] == ["search-2"]
    assert {name: run.info.status for name, run in runs.items()} == {
        "search-1": "FINISHED",
        "search-2": "FINISHED",
        "search-3": "KILLED",
    }


@pytest.mark.slow
def test_an_unavailable_server_is_one_line_without_a_long_wait() -> None:
    importlib.import_module("mlflow")  # the import takes seconds and is not part of the measured time
    started_at = time.monotonic()
    (line,) = track_run(make_record(), "http://me:secret@127.0.0.1:9")
    assert time.monotonic() - started_at < 60, "the client alone would try for minutes"
    assert line.startswith("the run is not in MLflow at http://127.0.0.1:9: ")
    assert "\n" not in line
    assert "secret" not in line


@pytest.mark.slow  # imports mlflow
@pytest.mark.parametrize("address", ["nonsense://x", "arn:aws:sagemaker:eu-north-1:123456789012:mlflow-app/app-1"])
def test_an_invalid_address_is_one_line(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (line,) = track_run(make_record(), address)
    assert line.startswith(f"the run is not in MLflow at {address}: ")


def test_without_a_server_nothing_is_loaded() -> None:
    script = (
        "import sys; from sustainable_mlops.jobs.tracking import track_run; assert track_run(None, None) == []; "
        "assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_a_missing_client_is_reported_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    (line,) = track_run(make_record(), "http://127.0.0.1:9")
    assert "pip install 'sustainable-mlops[tracking]'" in line
