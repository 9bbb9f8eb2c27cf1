"""What a kind of job (training, processing, transform) tells `job.ContainerJob`, which runs it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from sagemaker_sandbox.runtime.container import Container, assign_host_addresses
from sagemaker_sandbox.runtime.endings import Ending
from sagemaker_sandbox.runtime.job_log import JobLog
from sagemaker_sandbox.runtime.s3 import S3

#: FailureReason's longest text in the API.
REASON_CHARACTERS = 1024


@dataclass(frozen=True)
class JobLimits:
    """What ends a job that does not end by itself, in seconds."""

    runtime: float = math.inf  #: with instances
    wait: float = math.inf  #: from the start, waiting for capacity included
    pending: float = 0.0  #: waiting for capacity, after which the job fails
    retries: int = 0  #: attempts after internal errors


@dataclass(frozen=True)
class JobContext:
    """What a job works with: a folder of its own, S3, its log.

    `access` are variables that lead a container's AWS clients to its role's credentials.
    """

    folder: Path
    s3: S3
    log: JobLog
    mounted: bool
    access: Mapping[str, str] = field(default_factory=dict)

    def create_containers(self, count: int) -> list[Container]:
        """A container on each of so many instances; raises UserError where they cannot find each other."""
        hosts = assign_host_addresses(count)
        return [Container(self.folder / name, mounted=self.mounted, host=name, hosts=hosts) for name in hosts]


class JobUnit(Protocol):
    """One instance's share of a job. The job's thread alone calls it, in this order."""

    uploads: int  #: files uploaded while it ran
    pids: Sequence[int]  #: processes of what runs, not their children

    def prepare(self) -> None:
        """Get ready, inputs from S3 included; raises UserError for what is missing or broken."""

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; `wake` is to be called when it has ended."""

    def poll(self) -> int | None:
        """The return code, 0 for success; None while it runs."""

    def sync(self) -> None:
        """Upload what is to be uploaded while it runs."""

    def terminate(self) -> None:
        """Ask it to end."""

    def close(self) -> int:
        """End it now, if it has not; its return code."""

    def failure_reason(self, return_code: int, log: JobLog) -> str:
        """FailureReason where it has failed, in SageMaker's words."""


@dataclass(frozen=True)
class JobOutput:
    """What a job left behind: the address of its artifacts, and what its container said at the end."""

    artifacts: str | None = None
    exit_message: str | None = None


U = TypeVar("U", bound=JobUnit)


class JobDefinition(Protocol[U]):
    """One job's request, understood. U is what its instances are."""

    noun: ClassVar[str]
    log_group: ClassVar[str]
    name: str
    spot: bool
    limits: JobLimits
    metrics: Sequence[Mapping[str, str]]  #: MetricDefinitions
    host_count: int

    def check(self) -> None:
        """Raise UserError for what only real SageMaker can run."""

    def create_units(self, setting: JobContext) -> Sequence[U]:
        """A fresh instance, or several; raises UserError."""

    def upload(self, setting: JobContext, units: Sequence[U], ending: Ending) -> JobOutput:
        """Upload what the job is to leave behind, as its ending allows."""
