"""A sandbox's server seen from outside: whether its process lives, and how it ends with all that it started."""

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    import psutil

#: How long a server may take to end its jobs and to write its state, in seconds.
END_SECONDS = 60.0
#: How long the kernel may take to end what was killed, in seconds.
_KILL_SECONDS = 20.0
#: A start is the time of boot plus ticks; a corrected clock moves the time of boot by a second or so, and one of a
#: machine that slept by more: then the command tells.
_SAME_SECONDS = 2.0
_SERVER = "sagemaker_sandbox.server"


@dataclass(frozen=True)
class ServerProcess:
    """A process by its number and its start (seconds since the epoch): a number alone may be used again."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has this number now."""
        import psutil

        return cls(pid, psutil.Process(pid).create_time())

    @property
    def lives(self) -> bool:
        """Whether it has not ended yet; it may have no time to answer."""
        return self._find() is not None

    def end(self, seconds: float = END_SECONDS) -> bool:
        """End it and all that it started: when this returns, none of them runs. Whether it ended by itself.

        It is asked first, and killed after `seconds`. Raises UserError where that cannot be done.
        """
        import psutil

        server = self._find()
        if server is None:
            return True
        try:
            family = _family(server)
            with suppress(psutil.NoSuchProcess):
                server.terminate()
                server.resume()  # one that is suspended hears nothing before
            in_time = _gone([server], seconds)
            family = [*_family(server), *family]  # the server first, so that it starts no more
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        except psutil.AccessDenied:
            raise UserError(f"sandbox: process {self.pid} is another user's; stop it as that user") from None
        if not _gone(family, _KILL_SECONDS):
            raise UserError(
                f"sandbox: process {self.pid} or one that it started was killed and does not end; try again"
            )
        return in_time

    def _find(self) -> "psutil.Process | None":
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_SECONDS or _SERVER in process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        return process if same and _lives(process) else None


def _family(server: "psutil.Process") -> "list[psutil.Process]":
    """The server, its descendants and all of their process groups: a job's orphan is nobody's descendant."""
    import psutil

    try:
        descendants = [server, *server.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    groups = {_group(process) for process in descendants} - {None, os.getpgrp()}
    orphans = [process for process in psutil.process_iter() if _group(process) in groups and process not in descendants]
    return descendants + orphans


def _group(process: "psutil.Process") -> int | None:
    with suppress(OSError):
        return os.getpgid(process.pid)
    return None


def _gone(processes: "Collection[psutil.Process]", seconds: float) -> bool:
    """Wait until none of them lives; False if that takes longer."""
    deadline = time.monotonic() + seconds
    while any(map(_lives, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lives(process: "psutil.Process") -> bool:
    """A zombie has ended, though its parent has not noticed."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
