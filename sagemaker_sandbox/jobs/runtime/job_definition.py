"""Interface between `job.ContainerJob` and the job kinds: training, processing and transform."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from sagemaker_sandbox.jobs.runtime.container import Container, assign_host_addresses
from sagemaker_sandbox.jobs.runtime.job_endings import Ending
from sagemaker_sandbox.jobs.runtime.job_log import JobLog
from sagemaker_sandbox.jobs.runtime.s3 import S3

#: Longest FailureReason in the API.
REASON_CHARACTERS = 1024


@dataclass(frozen=True)
class JobLimits:
    """Limits of a job, in seconds."""

    runtime: float = math.inf  #: with instances
    wait: float = math.inf  #: from the start, including the wait for capacity
    pending: float = 0.0  #: wait for capacity, after which the job fails
    retries: int = 0  #: attempts after internal errors


@dataclass(frozen=True)
class JobContext:
    """Resources of a job: its folder, S3 and log.

    `access` holds variables with the credentials of the role for the AWS clients of a container.
    """

    folder: Path
    s3: S3
    log: JobLog
    is_mounted: bool
    access: Mapping[str, str] = field(default_factory=dict)

    def create_containers(self, count: int) -> list[Container]:
        """Return a container for each of `count` instances. Raises UserError if they cannot connect."""
        hosts = assign_host_addresses(count)
        return [Container(self.folder / name, mounted=self.is_mounted, host=name, hosts=hosts) for name in hosts]


class JobUnit(Protocol):
    """Part of a job that runs on one instance. Only the thread of the job calls it, in this order."""

    uploads: int  #: number of files uploaded during the run
    pids: Sequence[int]  #: processes of the program, without children

    def prepare(self) -> None:
        """Prepare the instance, including inputs from S3. Raises UserError for missing or broken data."""

    def start(self, wake: Callable[[], None]) -> None:
        """Start. `wake` must be called at the end."""

    def poll(self) -> int | None:
        """Return the return code, 0 for success; None while the unit runs."""

    def sync(self) -> None:
        """Upload results that are due during the run."""

    def terminate(self) -> None:
        """Request an end."""

    def close(self) -> int:
        """End the unit if it still runs, and return its return code."""

    def describe_failure(self, return_code: int, log: JobLog) -> str:
        """Return the FailureReason of a failed unit, with the message of SageMaker."""


@dataclass(frozen=True)
class JobOutput:
    """Output of a job: the address of its artifacts, and the exit message of its container."""

    artifacts: str | None = None
    exit_message: str | None = None


U = TypeVar("U", bound=JobUnit)


class JobDefinition(Protocol[U]):
    """Parsed request of one job. U is the type of its instances."""

    noun: ClassVar[str]
    log_group: ClassVar[str]
    name: str
    is_spot: bool
    limits: JobLimits
    metrics: Sequence[Mapping[str, str]]  #: MetricDefinitions
    host_count: int

    def check(self) -> None:
        """Raise UserError for requests that only real SageMaker can run."""

    def create_units(self, context: JobContext) -> Sequence[U]:
        """Return new instances. Raises UserError."""

    def upload(self, context: JobContext, units: Sequence[U], ending: Ending) -> JobOutput:
        """Upload the results of the job, depending on its ending."""
