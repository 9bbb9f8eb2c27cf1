"""ML compute instances of a job: disk, process, and folders synchronized with S3.

A spot interruption removes an instance with all its data. The job continues on a new one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagemaker_sandbox.jobs.runtime.container import Container
from sagemaker_sandbox.jobs.runtime.job_log import JobLog
from sagemaker_sandbox.jobs.runtime.process import Process
from sagemaker_sandbox.jobs.runtime.syncing import FolderSync


@dataclass(frozen=True)
class ContainerProgram:
    """Program of a container: command, working directory, environment and synchronized folders."""

    command: Sequence[str]
    workdir: Path
    environment: Mapping[str, str]
    syncs: Sequence[FolderSync] = ()


class JobHost(Protocol):
    """Job-specific part of an instance."""

    container: Container

    def build_program(self) -> ContainerProgram:
        """Fill the empty disk of the container and return the program to run. Raises UserError."""

    def describe_failure(self, return_code: int, errors: str) -> str:
        """Return the FailureReason of a failed program. `errors` are its last lines on stderr."""


class JobInstance:
    """One instance of a job (a `job_definition.JobUnit`)."""

    def __init__(self, host: JobHost, log: JobLog) -> None:
        self.container = host.container
        self._host = host
        self._log = log
        self._program: ContainerProgram | None = None
        self._process: Process | None = None

    @property
    def pids(self) -> Sequence[int]:
        """Process ID of the program."""
        return (self._process.pid,) if self._process is not None else ()

    @property
    def uploads(self) -> int:
        """Number of files that this instance uploaded during its run."""
        return sum(sync.uploads for sync in self._program.syncs) if self._program is not None else 0

    def prepare(self) -> None:
        """Prepare an empty disk with the data of the job. Raises UserError for missing or broken data."""
        self.container.reset()
        self._program = self._host.build_program()

    def start(self, wake: Callable[[], None]) -> None:
        """Start the process. Its lines go to the log under the name of this host."""
        assert self._program is not None

        def write(line: str, is_error: bool) -> None:
            self._log.write(line, is_error, host=self.container.name)

        program = self._program
        self._process = Process(self.container, program.command, program.workdir, program.environment, write, wake)

    def poll(self) -> int | None:
        """Return the return code (negative: killed by that signal), or None while the process runs."""
        return self._process.poll() if self._process is not None else None

    def sync(self) -> None:
        """Upload the files that are complete."""
        if self._program is not None and self._process is not None:
            for sync in self._program.syncs:
                sync.upload(self._process.list_open_files)

    def terminate(self) -> None:
        """Send SIGTERM."""
        if self._process is not None:
            self._process.terminate()

    def close(self) -> int:
        """Kill the process if it still runs. If it ended by itself, upload its remaining files."""
        process, self._process = self._process, None
        if process is None or self._program is None:
            return 0
        return_code = process.close()
        if return_code >= 0:  # a killed process may have left incomplete files: upload none
            for sync in self._program.syncs:
                sync.upload(lambda: ())
        return return_code

    def describe_failure(self, return_code: int, log: JobLog) -> str:
        """Return the FailureReason of the host."""
        return self._host.describe_failure(return_code, log.get_last_errors(600, host=self.container.name))
