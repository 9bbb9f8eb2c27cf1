"""A job file and its platform: S3 and SSM of moto, and a fake SageMaker."""

import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from sustainable_mlops import aws
from sustainable_mlops.aws import Clients
from tests.jobs.bench import Bench, make_bench
from tests.jobs.support import (
    JOB,
    PARAMETER,
    PLATFORM,
    PROCESSING_JOB,
    REGION,
    TRANSFORM_JOB,
    InMemorySageMaker,
    WriteJob,
    merge_changes,
)


@pytest.fixture
def write_job(tmp_path: Path) -> WriteJob:
    """Return a function that writes job.yaml and its source; arguments are changes to the job."""
    return _make_writer(tmp_path / "job.yaml", JOB)


@pytest.fixture
def write_processing(tmp_path: Path) -> WriteJob:
    """Return the same function for a processing job."""
    return _make_writer(tmp_path / "prepare.yaml", PROCESSING_JOB)


@pytest.fixture
def write_transform(tmp_path: Path) -> WriteJob:
    """Return the same function for a batch transform."""
    return _make_writer(tmp_path / "predict.yaml", TRANSFORM_JOB)


def _make_writer(path: Path, job: dict[str, Any]) -> WriteJob:
    def write(**changes: Any) -> Path:
        for script in ("train.py", "prepare.py"):
            path.with_name(script).write_text(f"print('{script}')\n")
        path.write_text(yaml.safe_dump(merge_changes(job, changes)))
        return path

    return write


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Return one session for all tests, so that boto3 loads the service models once."""
    return boto3.Session(aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - not a secret


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, session: boto3.Session) -> Iterator[Clients]:
    """Yield clients of the job file's platform, with the training data in place."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "REGION": REGION}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        s3 = boto3.client("s3", region_name=REGION)
        for bucket in ("acme-dev-data", "acme-dev-artifacts"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        s3.put_object(Bucket="acme-dev-data", Key="flight_delay/train/part-0.parquet", Body=b"flights")
        s3.put_object(Bucket="acme-dev-data", Key="airports.csv", Body=b"EWR")
        boto3.client("ssm", region_name=REGION).put_parameter(Name=PARAMETER, Value=json.dumps(PLATFORM), Type="String")
        clients = Clients(s3=s3, sagemaker=InMemorySageMaker(s3))
        monkeypatch.setattr(aws, "connect_clients", lambda region: clients if region == REGION else None)
        yield clients


@pytest.fixture
def moments() -> Iterator[datetime]:
    """Yield times one second apart, so that each job has its own name."""
    return (datetime(2026, 11, 24, 12, 0, second, tzinfo=UTC) for second in itertools.count())


@pytest.fixture
def bench(sandbox: Any, root: Path, tmp_path: Path) -> Iterator[Bench]:
    """Yield a bench with a new platform; stop its jobs after the test."""
    new_bench, sagemaker = make_bench(sandbox, root, tmp_path), sandbox.client("sagemaker")
    yield new_bench
    sandbox.clear_faults()
    for job in sagemaker.list_training_jobs(NameContains=new_bench.name, StatusEquals="InProgress")[
        "TrainingJobSummaries"
    ]:
        with suppress(sagemaker.exceptions.ClientError):  # it has just ended
            sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])
