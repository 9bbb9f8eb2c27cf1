"""The estimate of a launch: duration, footprint, their sources, and alternatives."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs import display
from sustainable_mlops.jobs.estimate import RunEstimate, estimate_launch
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.launch import prepare, start, store
from sustainable_mlops.jobs.record import RunRecord, TuningTrial, make_record_folder, write_record
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import WriteJob

Moments = Iterator[datetime]
ON_DEMAND: dict[str, Any] = {"compute": {"spot": False}}
PYTORCH = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-training:2.3-gpu-py311"


def estimate_file(path: Path, folder: Path, *, force: bool = False) -> RunEstimate:
    return estimate_launch(prepare(TRAINING, path, force=force), folder)


def train_job(path: Path, cloud: Clients, moments: Moments, seconds: int = 600) -> RunRecord:
    """Return the record of a run whose training took `seconds`."""
    launch = prepare(TRAINING, path, now=next(moments))
    record = start(launch)
    cloud.sagemaker.complete(record.job_name, TrainingTimeInSeconds=seconds)
    record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
    store(record, launch)
    return record


@pytest.mark.usefixtures("cloud")
def test_without_earlier_runs_the_duration_follows_from_data_and_rounds(write_job: WriteJob, tmp_path: Path) -> None:
    result = estimate_file(write_job(compute={"spot": False, "instance_count": 2}), tmp_path)
    duration = result.duration
    # A start of 70 s (30 to 200), and 240 rounds of 0.01 s (0.0005 to 0.1) over 7 bytes.
    seconds = (duration.low, duration.value, duration.high)
    assert seconds == pytest.approx((30.12, 72.4, 224), rel=1e-4)
    assert (duration.unit, duration.basis, duration.grade) == ("s", "assumed", "C")
    assert "240 rounds on 2 vCPUs" in duration.source

    # ml.m5.large at a CPU load of 0.7: 2 of the 96 vCPUs of two 240 W CPUs, 8 GB, and 10 GB of SSD kept twice.
    watts = 10 * (0.553 + 0.4 * (0.905 - 0.553) + 0.1) + 8 * (0.11 + 0.4 * (0.17 - 0.11)) + 0.01 * 1.2 * 2
    embodied = (600 + 2 * 50) * 2 / 96 + 8 * 1.388 + 0.01 * 50 * 2
    hours = 2 * duration.value / 3600
    by_hand = {
        "energy": watts * hours * 1.1 / 1000,
        "co2e_embodied": embodied * hours / 52560,
        "cost": hours * 0.115 * 1.062,
    }
    by_hand["co2e_operational"] = by_hand["energy"] * 21 / 1000
    by_hand["co2e"] = by_hand["co2e_operational"] + by_hand["co2e_embodied"]
    for name, value in by_hand.items():
        figure = result.figures[name]
        assert figure.value == pytest.approx(value, rel=1e-9), name
        assert figure.low is not None
        assert figure.high is not None
        # The duration alone moves them by 2.4 and by 3.
        assert figure.low < value / 2.4 < 3 * value < figure.high
        assert (figure.basis, figure.grade, figure.driver) == ("estimated", "C", "the duration")


def test_the_duration_of_earlier_runs_is_used_and_named(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    names = []
    for rounds, seconds in ((1, 100), (2, 300), (3, 200), (4, 400)):
        record = train_job(write_job(hyperparameters={"num_round": rounds}), cloud, moments, seconds)
        write_record(record, tmp_path)
        names.append(record.job_name)
    result = estimate_file(write_job(hyperparameters={"num_round": 8}), tmp_path).duration
    # The newest three took 300, 200 and 400 s for 2, 3 and 4 rounds. A line through 300 s at 3 rounds, with a factor of
    # 2, gives the estimate.
    assert (result.low, result.value, result.high) == pytest.approx((275, 550, 1100))
    assert (result.basis, result.grade) == ("estimated", "B")
    assert [name in result.source for name in names] == [False, True, True, True]
    assert "by a line through the jobs" in result.source

    # The same run is a better source: 200 s, within a factor of 1.2.
    same_run = estimate_file(write_job(hyperparameters={"num_round": 3}), tmp_path, force=True).duration
    assert same_run.low == pytest.approx(200 / 1.2)
    assert (same_run.value, same_run.high) == (200, 240)
    assert names[2] in same_run.source
    assert names[1] not in same_run.source

    path = write_job(hyperparameters={"num_round": 8}, limits={"max_runtime_minutes": 4})
    capped = estimate_file(path, tmp_path).duration
    assert (capped.low, capped.value, capped.high) == (240, 240, 240)
    assert "longer than the runtime limit of 4 min" in capped.source


def test_a_record_that_is_only_in_s3_counts(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    record = train_job(write_job(), cloud, moments, 200)
    assert record.job_name in estimate_file(write_job(), tmp_path, force=True).duration.source


@pytest.mark.parametrize(
    "other",
    [
        {"status": "Failed"},
        {"resumed": True},
        {"workload": "another"},
        {"instance_type": "ml.m5.xlarge"},
        {"instance_count": 2},
        {"job_arn": "arn:aws:sagemaker:eu-north-1:999999999999:training-job/x"},
        {"figures": {}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_only_whole_runs_of_the_workload_on_the_same_instances_count(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path, other: dict[str, Any]
) -> None:
    record = train_job(write_job(hyperparameters={"num_round": 1}), cloud, moments)
    write_record(record, tmp_path)
    assert estimate_file(write_job(), tmp_path).duration.basis == "estimated"
    write_record(record.model_copy(update=other), tmp_path)
    (tmp_path / "runs" / "broken.json").write_text("{")
    assert estimate_file(write_job(), tmp_path).duration.basis == "assumed"


def test_jobs_of_a_tuning_that_were_stopped_early_do_not_count(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    record = train_job(write_job(hyperparameters={"num_round": 1}), cloud, moments, 1000)
    times = (("Completed", 300), ("Completed", 500), ("Stopped", 200))
    trials = [
        TuningTrial(job_name=f"t-{seconds}", status=status, hyperparameters={}, training_seconds=seconds)
        for status, seconds in times
    ]
    names = [trial.job_name for trial in trials]
    write_record(record.model_copy(update={"kind": "tuning", "trials": trials, "children": names}), tmp_path)
    assert estimate_file(write_job(hyperparameters={"num_round": 1, "eta": 0.5}), tmp_path).duration.value == 400


def test_a_resumed_run_has_no_lower_bound_and_does_not_count_for_others(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    launch = prepare(TRAINING, write_job(), now=next(moments))
    record = start(launch)
    cloud.sagemaker.jobs[record.job_name] |= {"TrainingJobStatus": "Stopped"}
    cloud.s3.put_object(
        Bucket="acme-dev-artifacts", Key=f"checkpoints/flight-delay/{record.run_key}/1.ubj", Body=b"model"
    )
    duration = estimate_file(write_job(), tmp_path).duration
    assert (duration.low, duration.high) == pytest.approx((0, 224), rel=1e-4)
    assert "the checkpoints save a part of the whole run" in duration.source

    write_record(train_job(write_job(), cloud, moments, 5), tmp_path)
    assert estimate_file(write_job(hyperparameters={"num_round": 1}), tmp_path).duration.basis == "assumed"


def test_a_done_run_is_estimated_as_with_force(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    write_record(train_job(write_job(), cloud, moments, 700), tmp_path)
    path = write_job(**ON_DEMAND)
    launch = prepare(TRAINING, path)
    assert not launch.starts_job
    result = estimate_launch(launch, tmp_path)
    assert result == estimate_file(path, tmp_path, force=True)
    assert result.duration.value == 700
    assert result.cheapest is not None, "which is spot"
    assert "spot" in result.cheapest.title
    console = Console(width=120, record=True, file=(tmp_path / "told").open("w"))
    console.print(display.format_plan(launch, result), crop=False)
    text = console.export_text()
    assert "launches nothing (--force runs it again)" in text
    assert "expected with --force" in text


@pytest.mark.usefixtures("cloud")
def test_spot_is_the_cheapest_alternative_of_a_job_on_demand_and_not_the_cleanest(
    write_job: WriteJob, tmp_path: Path
) -> None:
    result = estimate_file(write_job(**ON_DEMAND), tmp_path)
    assert result.cleanest is None  # Stockholm's grid is the cleanest there is
    assert result.cheapest is not None
    assert result.cheapest.title == "managed spot (compute.spot: true)"
    assert "checkpoints" in result.cheapest.drawbacks
    # 60 % off, and 5 % of the work done over again.
    assert result.cheapest.usd == pytest.approx(result.figures["cost"].value * (1 - 0.4 * 1.05))
    assert result.cheapest.kg == pytest.approx(-0.05 * result.figures["co2e"].value)
    spot = estimate_file(write_job(), tmp_path)
    assert (spot.cleanest, spot.cheapest, spot.others) == (None, None, [])


@pytest.mark.usefixtures("cloud")
def test_trainium_is_proposed_only_for_frameworks_that_train_on_it(write_job: WriteJob, tmp_path: Path) -> None:
    gpu = {"instance_type": "ml.g5.xlarge"}
    result = estimate_file(write_job(compute=gpu, image=PYTORCH), tmp_path)
    assert result.cleanest is not None
    assert result.cleanest.title == "ml.trn1.2xlarge instead of ml.g5.xlarge"
    assert "must train with Neuron" in result.cleanest.drawbacks
    assert result.cheapest is None  # it costs more
    assert estimate_file(write_job(compute=gpu), tmp_path).cleanest is None  # XGBoost


@pytest.mark.usefixtures("cloud")
def test_unknown_figures_are_listed_and_not_counted(write_job: WriteJob, tmp_path: Path) -> None:
    warm = estimate_file(write_job(compute={"spot": False, "keep_alive_minutes": 10}), tmp_path)
    assert "warm pool: up to 10 min, idle and billed, unless another job uses it" in warm.unknown
    assert any(text.startswith("cost of volumes: ") for text in warm.unknown)


@pytest.mark.usefixtures("cloud")
def test_the_plan_shows_the_figures_of_the_json(write_job: WriteJob, tmp_path: Path) -> None:
    launch = prepare(TRAINING, write_job(**ON_DEMAND))
    result = estimate_launch(launch, tmp_path)
    console = Console(width=120, record=True, file=(tmp_path / "told").open("w"))
    console.print(display.format_plan(launch, result), crop=False)
    text = console.export_text()
    co2e = result.model_dump(mode="json")["figures"]["co2e"]
    assert (format_number(co2e["value"]), co2e["unit"], co2e["class"]) == ("0.000014", "kgCO2e", "C")
    assert co2e["driver"] == "the duration"
    assert "14 mgCO2e (5.8 to 50), estimated, class C: driven by the duration" in text
    assert "0.0025 USD (0.0010 to 0.0076)" in text
    assert "0.20 Wh (0.069 to 0.66)" in text
    assert "72 s (30 to 220), assumed: from a start of 70 s, 7 bytes of data, 240 rounds on 2 vCPUs" in text
    assert "cleanest     none found" in text
    assert "cheapest     managed spot (compute.spot: true) adds 0.72 mgCO2e" in text


def test_a_folder_that_cannot_hold_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--out: .*file/runs cannot be created: Not a directory; pass another folder"):
        make_record_folder(tmp_path / "file")
