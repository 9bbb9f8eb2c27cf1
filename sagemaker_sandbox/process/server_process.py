"""The process of a sandbox's server, seen from outside: its state, and its end with everything that it started."""

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    import psutil

#: Time for a server to end its jobs and to write its state, in seconds.
STOP_SECONDS = 60.0
#: Time for the kernel to end killed processes, in seconds.
_KILL_SECONDS = 20.0
#: Tolerance for the start time of a process, in seconds. The start time is the boot time plus ticks, and a clock
#: correction moves the boot time by about a second. After a sleep of the computer the difference is larger; then the
#: command line identifies the process.
_START_TOLERANCE_SECONDS = 2.0
_SERVER_MODULE = "sagemaker_sandbox.server.server"


@dataclass(frozen=True)
class ServerProcess:
    """A process ID and its start time (seconds since the epoch). The ID alone may be reused."""

    pid: int
    start_time: float

    @classmethod
    def from_pid(cls, pid: int) -> Self:
        """Return the process that has this ID now."""
        import psutil

        return cls(pid, psutil.Process(pid).create_time())

    @property
    def is_alive(self) -> bool:
        """True until the process has ended, even if it is too busy to respond."""
        return self._find() is not None

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """End the process and everything that it started, and wait until none of them runs.

        Return whether the process ended by itself; after `seconds`, it is killed. Raises UserError if that fails.
        """
        import psutil

        server = self._find()
        if server is None:
            return True
        try:
            processes = _list_family(server)
            with suppress(psutil.NoSuchProcess):
                server.terminate()
                server.resume()  # a suspended process handles no signal before
            in_time = _wait_for_end([server], seconds)
            processes = [*_list_family(server), *processes]  # the server first, so that it starts no further process
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        except psutil.AccessDenied:
            raise UserError(f"sandbox: process {self.pid} belongs to another user; stop it as that user") from None
        if not _wait_for_end(processes, _KILL_SECONDS):
            raise UserError(f"sandbox: process {self.pid} or one of its children was killed and did not end; try again")
        return in_time

    def _find(self) -> "psutil.Process | None":
        import psutil

        try:
            process = psutil.Process(self.pid)
            is_same = (
                abs(process.create_time() - self.start_time) < _START_TOLERANCE_SECONDS
                or _SERVER_MODULE in process.cmdline()
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        return process if is_same and _is_running(process) else None


def _list_family(server: "psutil.Process") -> "list[psutil.Process]":
    """Return the server, its descendants, and all of their process groups.

    The process group finds orphans of a job, which have no living ancestor.
    """
    import psutil

    try:
        descendants = [server, *server.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    groups = {_get_group(process) for process in descendants} - {None, os.getpgrp()}
    orphans = [
        process for process in psutil.process_iter() if _get_group(process) in groups and process not in descendants
    ]
    return descendants + orphans


def _get_group(process: "psutil.Process") -> int | None:
    with suppress(OSError):
        return os.getpgid(process.pid)
    return None


def _wait_for_end(processes: "Collection[psutil.Process]", seconds: float) -> bool:
    """Return whether all processes end within `seconds`."""
    deadline = time.monotonic() + seconds
    while any(map(_is_running, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_running(process: "psutil.Process") -> bool:
    """Return whether a process runs. A zombie has ended, although its parent has not noticed."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
