"""One ML compute instance of a job: its disk, the process that runs on it, folders that it keeps in step with S3.

A spot interruption takes an instance away with everything on it; the job goes on with a new one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagemaker_sandbox.runtime.container import Container
from sagemaker_sandbox.runtime.job_log import JobLog
from sagemaker_sandbox.runtime.process import Process
from sagemaker_sandbox.runtime.syncing import FolderSync


@dataclass(frozen=True)
class ContainerProgram:
    """What runs in a container: a command, where it starts, its environment, and the folders to keep in step."""

    command: Sequence[str]
    workdir: Path
    environment: Mapping[str, str]
    syncs: Sequence[FolderSync] = ()


class JobHost(Protocol):
    """What a job says of one of its instances."""

    container: Container

    def program(self) -> ContainerProgram:
        """Fill the container's fresh disk and say what to run there; raises UserError."""

    def failure_reason(self, return_code: int, errors: str) -> str:
        """FailureReason of a program that failed, whose last lines on stderr were `errors`."""


class JobInstance:
    """An instance (a `work.Unit`)."""

    def __init__(self, host: JobHost, log: JobLog) -> None:
        self.container = host.container
        self._host = host
        self._log = log
        self._program: ContainerProgram | None = None
        self._process: Process | None = None

    @property
    def pids(self) -> Sequence[int]:
        """The process that runs."""
        return (self._process.pid,) if self._process is not None else ()

    @property
    def uploads(self) -> int:
        """Files that this instance has uploaded while it ran."""
        return sum(sync.uploads for sync in self._program.syncs) if self._program is not None else 0

    def prepare(self) -> None:
        """A fresh disk with what the job needs. Raises UserError for what is missing or broken."""
        self.container.reset()
        self._program = self._host.program()

    def start(self, wake: Callable[[], None]) -> None:
        """Start the process; its lines go to the log under this host's name."""
        assert self._program is not None

        def write(line: str, is_error: bool) -> None:
            self._log.write(line, is_error, host=self.container.name)

        program = self._program
        self._process = Process(self.container, program.command, program.workdir, program.environment, write, wake)

    def poll(self) -> int | None:
        """The return code (negative: killed by that signal); None while it runs."""
        return self._process.poll() if self._process is not None else None

    def sync(self) -> None:
        """Upload files that are complete."""
        if self._program is not None and self._process is not None:
            for sync in self._program.syncs:
                sync.upload(self._process.list_open_files)

    def terminate(self) -> None:
        """SIGTERM."""
        if self._process is not None:
            self._process.terminate()

    def close(self) -> int:
        """Kill what still runs. Of a process that ended by itself, what it had not yet uploaded follows."""
        process, self._process = self._process, None
        if process is None or self._program is None:
            return 0
        return_code = process.close()
        if return_code >= 0:  # a killed process may have been writing: nothing more of it
            for sync in self._program.syncs:
                sync.upload(lambda: ())
        return return_code

    def failure_reason(self, return_code: int, log: JobLog) -> str:
        """The host's words."""
        return self._host.failure_reason(return_code, log.last_errors(600, host=self.container.name))
