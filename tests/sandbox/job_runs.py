"""Jobs that run without a control plane, with moto's S3 in this process: fixtures and helpers."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import moto
import pytest

from sagemaker_sandbox.jobs.runtime import mounting
from sagemaker_sandbox.jobs.runtime.job import ContainerJob
from sagemaker_sandbox.jobs.runtime.job_endings import Timing
from sagemaker_sandbox.jobs.runtime.reporting import JobUpdate
from tests.sandbox.support import WAIT_SECONDS, wait_until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION: Final = "eu-north-1"
BUCKET = "flights"
QUICK = Timing(poll=0.05, stop_grace=1.0, interruption_grace=0.5, capacity_wait=0.1)
ROLE = "arn:aws:iam::123456789012:role/training"
IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"

#: Access of jobs to /opt/ml: by paths everywhere, and mounted if this computer allows it.
PATHS, MOUNTED = False, True
OPT_ML_MODES = [PATHS, MOUNTED] if mounting.can_mount_opt_ml() else [PATHS]


@pytest.fixture(scope="module")
def moto_client() -> "S3Client":
    """Return an S3 client. It is shared, because its creation takes longer than most jobs here."""
    with pytest.MonkeyPatch.context() as patch, moto.mock_aws():  # moto sets credentials
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        return boto3.client("s3", REGION)


@pytest.fixture
def store(moto_client: "S3Client") -> "Iterator[S3Client]":
    """Yield S3 with one bucket."""
    with moto.mock_aws():
        moto_client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield moto_client


class Job:
    """A run and its updates."""

    def __init__(self, run: ContainerJob, updates: list[JobUpdate], folder: Path) -> None:
        self.run = run
        self.updates = updates
        self.folder = folder

    def end(self) -> JobUpdate:
        assert self.run.join(WAIT_SECONDS), self.updates
        return self.updates[-1]

    def pid(self) -> int:
        """Return the process ID of the first instance, once it runs."""
        pid: int = wait_until(lambda: self.run.pids)[0]
        return pid

    @property
    def statuses(self) -> list[str]:
        """Secondary statuses without repetitions."""
        names = [update.secondary_status for update in self.updates]
        return [name for index, name in enumerate(names) if index == 0 or name != names[index - 1]]

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()


Run = Callable[..., Job]


def interrupt_after(checkpoints: int) -> Callable[[int], bool]:
    """Return an interruption of a spot job for the moment at which that many files are in S3."""
    thresholds = [checkpoints]
    return lambda uploaded: bool(thresholds) and uploaded >= thresholds[0] and bool(thresholds.pop())


@pytest.fixture
def run(store: "S3Client", tmp_path: Path) -> Iterator[Run]:
    """Yield a function that starts a job, which is closed after the test.

    By default, paths replace /opt/ml.
    """
    jobs: list[Job] = []

    def start(work: Any, *, timing: Timing = QUICK, mounted: bool = False, **options: Any) -> Job:
        updates: list[JobUpdate] = []
        folder = tmp_path / work.name
        job = Job(
            ContainerJob(work, folder, store, updates.append, timing=timing, mounted=mounted, **options),
            updates,
            folder,
        )
        jobs.append(job)
        job.run.start()
        return job

    yield start
    for job in jobs:
        job.run.close()


def put_objects(store: "S3Client", **objects: str | bytes) -> None:
    """Put objects by key, in which `__` stands for a slash."""
    for key, body in objects.items():
        content = body.encode() if isinstance(body, str) else body
        store.put_object(Bucket=BUCKET, Key=key.replace("__", "/"), Body=content)


def read_object(store: "S3Client", key: str) -> bytes:
    """Return the content of an object."""
    return store.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def list_keys(store: "S3Client", prefix: str) -> list[str]:
    """Return the keys under a prefix."""
    return [entry["Key"] for entry in store.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def read_archive(store: "S3Client", key: str) -> dict[str, str]:
    """Return the files of a tar.gz in S3 by name."""
    return extract_tar(read_object(store, key))


def extract_tar(content: bytes) -> dict[str, str]:
    """Return the files of a tar.gz by name."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return {member.name: file.read().decode() for member in members if (file := tar.extractfile(member))}
