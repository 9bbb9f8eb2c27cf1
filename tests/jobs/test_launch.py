"""Launches: the decision, the uploads and the record."""

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
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import estimate_job
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.launch import JobLaunch, prepare, start, store
from sustainable_mlops.jobs.record import RunRecord, parse_record, write_record
from sustainable_mlops.jobs.source import name_archive_folder
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import WriteJob, list_keys

Moments = Iterator[datetime]


def end_job(launch: JobLaunch, record: RunRecord, status: str = "Completed") -> RunRecord:
    """End the job in the fake SageMaker, then follow and store it as the command does."""
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
    return end_job(launch, start(launch), status)


def test_prepare_uploads_and_launches_nothing(cloud: Clients, write_job: WriteJob) -> None:
    launch = prepare(TRAINING, write_job())
    assert (launch.decision, launch.uploads_source) == ("start", True)
    assert list_keys(cloud) == []
    assert cloud.sagemaker.jobs == {}


def test_a_launch_uploads_the_source_and_records_the_run(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    launch = prepare(TRAINING, write_job(), now=next(moments))
    record = start(launch)
    assert record.job_name == f"flight-delay-20261124-120000-{record.run_key[:6]}"
    assert list(cloud.sagemaker.jobs) == [record.job_name]
    assert list_keys(cloud) == [
        f"runs/flight-delay/{record.run_key}/record.json",
        f"source/flight-delay/{name_archive_folder(record.source_digest or '')}/source.tar.gz",
    ]
    assert not launch.uploads_source
    request = cloud.sagemaker.jobs[record.job_name]["request"]
    assert request["CheckpointConfig"]["S3Uri"] == f"s3://acme-dev-artifacts/checkpoints/flight-delay/{record.run_key}/"


def test_a_done_run_is_reported_and_not_repeated(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    record = train(write_job(), moments)
    next_launch = prepare(
        TRAINING, write_job(tags={"cost_centre": "42"}, limits={"max_runtime_minutes": 60}), now=next(moments)
    )
    assert next_launch.decision == "done"
    assert start(next_launch).job_name == record.job_name
    assert start(next_launch).metrics == {"validation:auc": 0.75}
    assert len(cloud.sagemaker.jobs) == 1


@pytest.mark.usefixtures("cloud")
def test_logs_data_and_job_files_beside_the_code_do_not_change_the_run(write_job: WriteJob, moments: Moments) -> None:
    source = {"include": ["**/*"]}
    first = train(write_job(source=source), moments)
    job = write_job(source=source, limits={"max_runtime_minutes": 40})
    for name in ("train.log", "flights.csv", "job-wide.yaml"):
        (job.parent / name).write_text("of today")
    next_launch = prepare(TRAINING, job)
    assert (next_launch.decision, next_launch.record.run_key) == ("done", first.run_key)
    (job.parent / "features.py").write_text("WIDE = True")
    assert prepare(TRAINING, job).record.run_key != first.run_key


def test_a_run_without_its_model_is_repeated(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    record = train(write_job(), moments)
    assert record.model is not None
    bucket, key = S3Uri.parse(record.model)
    cloud.s3.delete_object(Bucket=bucket, Key=key)
    assert prepare(TRAINING, write_job(), now=next(moments)).decision == "start"


def test_a_run_in_progress_is_followed_instead_of_launched_twice(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert next_launch.decision == "attach"
    assert start(next_launch).job_name == record.job_name
    assert len(cloud.sagemaker.jobs) == 1


def test_a_run_that_ended_without_a_follower_is_done(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    cloud.sagemaker.complete(record.job_name)
    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert (next_launch.decision, start(next_launch).status) == ("done", "Completed")


@pytest.mark.parametrize("end", ["Failed", "Stopped", "vanished"])
def test_an_unfinished_run_resumes_from_its_checkpoints(
    cloud: Clients, write_job: WriteJob, moments: Moments, end: str
) -> None:
    launch = prepare(TRAINING, write_job(), now=next(moments))
    record = start(launch)
    if end == "vanished":
        store(record, launch)
        cloud.sagemaker.jobs.clear()
    else:
        end_job(launch, record, end)
    assert record.checkpoints is not None
    bucket, prefix = S3Uri.parse(record.checkpoints)
    cloud.s3.put_object(Bucket=bucket, Key=f"{prefix}round-40.ubj", Body=b"model")

    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert (next_launch.decision, next_launch.record.checkpoints) == ("resume", record.checkpoints)
    assert start(next_launch).job_name != record.job_name


@pytest.mark.usefixtures("cloud")
def test_force_starts_over_and_its_checkpoints_are_used_next(write_job: WriteJob, moments: Moments) -> None:
    first = train(write_job(), moments)
    forced = train(write_job(), moments, "Failed", force=True)
    assert forced.run_key == first.run_key
    assert forced.checkpoints == f"{first.checkpoints}"[:-1] + "-20261124-120001/"
    resumed = prepare(TRAINING, write_job(), now=next(moments))
    assert resumed.record.checkpoints == forced.checkpoints


def test_two_simultaneous_launches_of_a_run_start_one_job(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    one, other = prepare(TRAINING, write_job(), now=next(moments)), prepare(TRAINING, write_job(), now=next(moments))
    start(one)
    with pytest.raises(UserError, match="another launch of the same run has just started"):
        start(other)
    assert len(cloud.sagemaker.jobs) == 1


def test_the_next_launch_reuses_the_name_of_a_failed_launch(
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


def test_a_job_is_followed_if_the_response_to_its_launch_was_lost(
    cloud: Clients, write_job: WriteJob, moments: Moments, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, lost = cloud.sagemaker.create_training_job, ConnectionClosedError(endpoint_url="https://sagemaker")

    def lose_response(**request: Any) -> None:
        create(**request)
        raise lost

    launch = prepare(TRAINING, write_job(), now=next(moments))
    with monkeypatch.context() as patched:
        patched.setattr(cloud.sagemaker, "create_training_job", lose_response)
        with pytest.raises(UserError, match="CreateTrainingJob: Connection was closed"):
            start(launch)
    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert (next_launch.decision, start(next_launch).job_name) == ("attach", launch.record.job_name)
    assert len(cloud.sagemaker.jobs) == 1


def test_a_rejected_launch_is_reported_and_can_be_repeated(
    cloud: Clients, write_job: WriteJob, moments: Moments
) -> None:
    cloud.sagemaker.refusal = "The account-level service limit 'ml.m5.large for spot training' is 0 Instances."
    with pytest.raises(UserError, match=r"^CreateTrainingJob: .*service limit 'ml.m5.large for spot training'"):
        start(prepare(TRAINING, write_job(), now=next(moments)))
    cloud.sagemaker.refusal = None
    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert next_launch.decision == "start"
    assert start(next_launch).status == "InProgress"


@pytest.mark.usefixtures("cloud")
def test_the_end_of_an_earlier_job_does_not_hide_a_later_job(write_job: WriteJob, moments: Moments) -> None:
    first = prepare(TRAINING, write_job(), now=next(moments))
    record = start(first)
    second = start(prepare(TRAINING, write_job(), force=True, now=next(moments)))
    end_job(first, record, "Failed")
    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert (next_launch.decision, next_launch.record.job_name) == ("attach", second.job_name)


def test_a_rejected_forced_launch_leaves_a_done_run_done(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    first = train(write_job(), moments)
    cloud.sagemaker.refusal = "The account-level service limit 'ml.m5.large for spot training' is 0 Instances."
    with pytest.raises(UserError, match="service limit"):
        start(prepare(TRAINING, write_job(), force=True, now=next(moments)))
    next_launch = prepare(TRAINING, write_job(), now=next(moments))
    assert (next_launch.decision, next_launch.record.job_name) == ("done", first.job_name)


def test_the_record_has_the_measured_figures(
    cloud: Clients, write_job: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    launch = prepare(TRAINING, write_job(compute={"instance_count": 2}), now=next(moments))
    record = start(launch)
    statuses = ("Training", "Interrupted", "Training", "Interrupted", "Training")
    transitions = [{"Status": status, "StartTime": record.launched_at} for status in statuses]
    cloud.sagemaker.complete(record.job_name, SecondaryStatusTransitions=transitions)
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


def test_waiting_shows_each_state_with_growing_pauses(cloud: Clients, write_job: WriteJob, moments: Moments) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    statuses: list[str] = []
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 40:
            cloud.sagemaker.complete(record.job_name)

    assert wait_for_job(record, cloud.sagemaker, lambda r: statuses.append(r.status), sleep).status == "Completed"
    assert statuses == ["InProgress"] * 40 + ["Completed"]
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
def test_a_missing_input_is_named_with_the_file_before_any_upload(
    cloud: Clients, write_job: WriteJob, changes: dict[str, Any], message: str
) -> None:
    path = write_job(**changes)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}: .*{re.escape(message)}"):
        prepare(TRAINING, path)
    assert list_keys(cloud) == []


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
