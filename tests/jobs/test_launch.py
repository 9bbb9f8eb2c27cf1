"""Launching: what is decided, what is uploaded, what is recorded."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ConnectionClosedError

from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import estimate_job
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.launch import JobLaunch, prepare, start, store
from sustainable_mlops.jobs.record import RunRecord, parse_record, write_record
from sustainable_mlops.jobs.source import name_archive_folder
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import WriteJob, keys

Moments = Iterator[datetime]


def ended(launch: JobLaunch, record: RunRecord, status: str = "Completed") -> RunRecord:
    """The record after SageMaker has ended its job, followed and stored as the command does."""
    sagemaker = launch.clients.sagemaker
    if status == "Completed":
        sagemaker.complete(record.job_name)
    else:
        sagemaker.jobs[record.job_name] |= {"TrainingJobStatus": status, "FailureReason": "AlgorithmError: no"}
    record = wait_for_job(record, sagemaker, show=lambda _: None)
    store(record, launch)
    return record


def train(path: Path, moments: Moments, status: str = "Completed", *, force: bool = False) -> RunRecord:
    launch = prepare(TRAINING, path, force=force, now=next(moments))
    return ended(launch, start(launch), status)


def test_preparing_uploads_and_launches_nothing(cloud: Clients, write_job: WriteJob) -> None:
    launch = prepare(TRAINING, write_job())
    assert (launch.decision, launch.uploads_source) == ("start", True)
    assert keys(cloud) == []
    assert cloud.sagemaker.jobs == {}


def test_a_launch_uploads_the_source_and_records_the_run(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    launch = prepare(TRAINING, write_job(), now=next(moments))
    record = start(launch)
    assert record.job_name == f"flight-delay-20261124-120000-{record.run_key[:6]}"
    assert list(cloud.sagemaker.jobs) == [record.job_name]
    assert keys(cloud) == [
        f"runs/flight-delay/{record.run_key}/record.json",
        f"source/flight-delay/{name_archive_folder(record.source_digest or '')}/source.tar.gz",
    ]
    assert not launch.uploads_source
    sent = cloud.sagemaker.jobs[record.job_name]["request"]
    assert sent["CheckpointConfig"]["S3Uri"] == f"s3://acme-dev-artifacts/checkpoints/flight-delay/{record.run_key}/"


def test_a_run_that_is_done_is_reported_and_not_run_again(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    record = train(write_job(), moments)
    again = prepare(
        TRAINING, write_job(tags={"cost_centre": "42"}, limits={"max_runtime_minutes": 60}), now=next(moments)
    )
    assert again.decision == "done"
    assert start(again).job_name == record.job_name
    assert start(again).metrics == {"validation:auc": 0.75}
    assert len(cloud.sagemaker.jobs) == 1


@pytest.mark.usefixtures("cloud")
def test_what_gathers_beside_the_code_makes_no_other_run(write_job: WriteJob, moments: Moments) -> None:
    source = {"include": ["**/*"]}
    first = train(write_job(source=source), moments)
    job = write_job(source=source, limits={"max_runtime_minutes": 40})
    for name in ("train.log", "flights.csv", "job-wide.yaml"):
        (job.parent / name).write_text("of today")
    again = prepare(TRAINING, job)
    assert (again.decision, again.record.run_key) == ("done", first.run_key)
    (job.parent / "features.py").write_text("WIDE = True")
    assert prepare(TRAINING, job).record.run_key != first.run_key


def test_a_run_whose_model_is_gone_is_run_again(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    record = train(write_job(), moments)
    assert record.model is not None
    bucket, key = S3Uri.parse(record.model)
    cloud.s3.delete_object(Bucket=bucket, Key=key)
    assert prepare(TRAINING, write_job(), now=next(moments)).decision == "start"


def test_a_run_in_progress_is_followed_instead_of_launched_twice(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    again = prepare(TRAINING, write_job(), now=next(moments))
    assert again.decision == "attach"
    assert start(again).job_name == record.job_name
    assert len(cloud.sagemaker.jobs) == 1


def test_a_run_that_ended_while_nobody_followed_is_done(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    cloud.sagemaker.complete(record.job_name)
    again = prepare(TRAINING, write_job(), now=next(moments))
    assert (again.decision, start(again).status) == ("done", "Completed")


@pytest.mark.parametrize("end", ["Failed", "Stopped", "vanished"])
def test_a_run_that_did_not_finish_goes_on_from_its_checkpoints(
    cloud: Clients, write_job: WriteJob, moments: Moments, end: str
) -> None:
    launch = prepare(TRAINING, write_job(), now=next(moments))
    record = start(launch)
    if end == "vanished":
        store(record, launch)
        cloud.sagemaker.jobs.clear()
    else:
        ended(launch, record, end)
    assert record.checkpoints is not None
    bucket, prefix = S3Uri.parse(record.checkpoints)
    cloud.s3.put_object(Bucket=bucket, Key=f"{prefix}round-40.ubj", Body=b"model")

    again = prepare(TRAINING, write_job(), now=next(moments))
    assert (again.decision, again.record.checkpoints) == ("resume", record.checkpoints)
    assert start(again).job_name != record.job_name


@pytest.mark.usefixtures("cloud")
def test_force_trains_from_nothing_and_is_then_the_run_that_counts(write_job: WriteJob, moments: Moments) -> None:
    first = train(write_job(), moments)
    forced = train(write_job(), moments, "Failed", force=True)
    assert forced.run_key == first.run_key
    assert forced.checkpoints == f"{first.checkpoints}"[:-1] + "-20261124-120001/"
    resumed = prepare(TRAINING, write_job(), now=next(moments))
    assert resumed.record.checkpoints == forced.checkpoints


def test_two_launches_of_one_run_at_the_same_moment_make_one_job(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    one, other = prepare(TRAINING, write_job(), now=next(moments)), prepare(TRAINING, write_job(), now=next(moments))
    start(one)
    with pytest.raises(UserError, match="another launch of the same run has just started"):
        start(other)
    assert len(cloud.sagemaker.jobs) == 1


def test_a_launch_that_broke_off_is_taken_up_and_starts_nothing_if_it_lives_after_all(
    cloud: Clients, write_job: WriteJob, moments: Moments, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = prepare(TRAINING, write_job(), now=next(moments))
    with monkeypatch.context() as patched:
        patched.setattr(cloud.sagemaker, "create_training_job", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            start(one)
    other = prepare(TRAINING, write_job(), now=next(moments))
    assert (other.decision, other.record.job_name) == ("start", one.record.job_name)
    arn = start(other).job_arn
    assert TRAINING.create(one.request, cloud.sagemaker) == arn
    assert prepare(TRAINING, write_job(), now=next(moments)).decision == "attach"
    assert len(cloud.sagemaker.jobs) == 1


def test_a_job_whose_launch_was_not_answered_is_followed(
    cloud: Clients, write_job: WriteJob, moments: Moments, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, lost = cloud.sagemaker.create_training_job, ConnectionClosedError(endpoint_url="https://sagemaker")

    def unanswered(**request: Any) -> None:
        create(**request)
        raise lost

    launch = prepare(TRAINING, write_job(), now=next(moments))
    with monkeypatch.context() as patched:
        patched.setattr(cloud.sagemaker, "create_training_job", unanswered)
        with pytest.raises(UserError, match="CreateTrainingJob: Connection was closed"):
            start(launch)
    again = prepare(TRAINING, write_job(), now=next(moments))
    assert (again.decision, start(again).job_name) == ("attach", launch.record.job_name)
    assert len(cloud.sagemaker.jobs) == 1


def test_a_launch_that_sagemaker_refuses_is_told_and_may_be_tried_again(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    cloud.sagemaker.refusal = "The account-level service limit 'ml.m5.large for spot training' is 0 Instances."
    with pytest.raises(UserError, match=r"^CreateTrainingJob: .*service limit 'ml.m5.large for spot training'"):
        start(prepare(TRAINING, write_job(), now=next(moments)))
    cloud.sagemaker.refusal = None
    again = prepare(TRAINING, write_job(), now=next(moments))
    assert again.decision == "start"
    assert start(again).status == "InProgress"


@pytest.mark.usefixtures("cloud")
def test_who_followed_an_earlier_job_hides_no_later_one(write_job: WriteJob, moments: Moments) -> None:
    first = prepare(TRAINING, write_job(), now=next(moments))
    record = start(first)
    second = start(prepare(TRAINING, write_job(), force=True, now=next(moments)))
    ended(first, record, "Failed")
    again = prepare(TRAINING, write_job(), now=next(moments))
    assert (again.decision, again.record.job_name) == ("attach", second.job_name)


def test_a_forced_launch_that_sagemaker_refuses_leaves_a_run_done_that_was(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    done = train(write_job(), moments)
    cloud.sagemaker.refusal = "The account-level service limit 'ml.m5.large for spot training' is 0 Instances."
    with pytest.raises(UserError, match="service limit"):
        start(prepare(TRAINING, write_job(), force=True, now=next(moments)))
    again = prepare(TRAINING, write_job(), now=next(moments))
    assert (again.decision, again.record.job_name) == ("done", done.job_name)


def test_the_record_tells_what_was_measured(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    launch = prepare(TRAINING, write_job(compute={"instance_count": 2}), now=next(moments))
    record = start(launch)
    statuses = ("Training", "Interrupted", "Training", "Interrupted", "Training")
    interrupted = [{"Status": status, "StartTime": record.launched_at} for status in statuses]
    cloud.sagemaker.complete(record.job_name, SecondaryStatusTransitions=interrupted)
    record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)

    measured = {name: (f.value, f.basis) for name, f in record.figures.items() if f.basis == "measured"}
    assert measured == {
        "training_seconds": (600, "measured"),
        "billable_seconds": (150, "measured"),
        "instance_seconds": (300, "measured"),
        "spot_saving_fraction": (0.75, "measured"),
    }
    assert (record.interruptions, record.metrics) == (2, {"validation:auc": 0.75})
    path = write_record(record, tmp_path / "out")
    assert path == tmp_path / "out" / "runs" / f"{record.job_name}.json"
    assert parse_record(path.read_bytes(), "record") == record


def test_the_record_estimates_energy_carbon_and_cost_from_the_measured_times(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    compute = {"instance_type": "ml.m5.xlarge", "instance_count": 2, "volume_gb": 500}
    launch = prepare(TRAINING, write_job(compute=compute), now=next(moments))
    record = start(launch)
    cloud.sagemaker.complete(record.job_name)
    figures = wait_for_job(record, cloud.sagemaker, show=lambda _: None).figures
    expected = estimate_job(
        "ml.m5.xlarge", 2, 600, record.region, spot=True, billable_seconds=150, volume_gb=500
    ).figures
    units = {"energy": "kWh", "co2e_operational": "kgCO2e", "co2e_embodied": "kgCO2e", "cost": "USD"}
    for (name, unit), metric in zip(units.items(), ("energy", "operational", "embodied", "cost"), strict=True):
        figure = figures[name]
        assert (figure.value, figure.unit, figure.basis) == (expected[metric].central, unit, "estimated")
        assert figure.low is not None
        assert figure.high is not None
        assert 0 < figure.low <= figure.value <= figure.high
    # Two instances for ten minutes at some tens of watts each: a few watt-hours.
    assert 0.001 < figures["energy"].value < 0.05


def test_a_metric_that_is_not_a_number_survives_the_record(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    nan = [{"MetricName": "auc", "Value": float("nan")}]
    cloud.sagemaker.complete(record.job_name, FinalMetricDataList=nan)
    record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
    assert str(parse_record(record.to_json(), "record").metrics["auc"]) == "nan"


def test_waiting_shows_each_state_and_looks_less_and_less_often(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    shown: list[str] = []
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 40:
            cloud.sagemaker.complete(record.job_name)

    assert wait_for_job(record, cloud.sagemaker, lambda r: shown.append(r.status), sleep).status == "Completed"
    assert shown == ["InProgress"] * 40 + ["Completed"]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"platform": "/sustainable-mlops/prod/platform"},
            "the SSM parameter /sustainable-mlops/prod/platform does not exist in eu-north-1",
        ),
        (
            {"data": {"train": "flight_delay/tran/"}},
            "data.train: no object under s3://acme-dev-data/flight_delay/tran/",
        ),
        ({"source": {"include": ["train.py", "gone.py"]}}, "source.include: no file in"),
        ({"compute": {"instance_type": "ml.c7g.xlarge"}}, "compute.instance_type: ml.c7g.xlarge cannot train"),
    ],
)
def test_what_is_missing_is_named_with_the_file_before_anything_is_uploaded(
    cloud: Clients, write_job: WriteJob, changes: dict[str, Any], message: str
) -> None:
    path = write_job(**changes)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}: .*{re.escape(message)}"):
        prepare(TRAINING, path)
    assert keys(cloud) == []


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_code_that_needs_the_internet_is_refused_in_an_isolated_container(write_job: WriteJob, name: str) -> None:
    path = write_job(source={"include": ["*"]})
    path.with_name(name).write_text("lightgbm\n")
    with pytest.raises(
        UserError, match=f"network.isolation: the container cannot reach the internet to install {name}"
    ):
        prepare(TRAINING, path)
    assert prepare(TRAINING, write_job(source={"include": ["*"]}, network={"isolation": False})).decision == "start"


def test_a_broken_record_in_s3_is_named(cloud: Clients, write_job: WriteJob) -> None:
    address = f"runs/flight-delay/{prepare(TRAINING, write_job()).record.run_key}/record.json"
    cloud.s3.put_object(Bucket="acme-dev-artifacts", Key=address, Body=b'{"version": 1')
    with pytest.raises(UserError, match=f"s3://acme-dev-artifacts/{address}: not valid JSON"):
        prepare(TRAINING, write_job())
