"""End of a job: its cause, stop requests from other threads, and waiting times."""

import enum
import threading
from dataclasses import dataclass


class Cause(enum.IntEnum):
    """Cause for which the work of a job ended. A higher cause replaces a lower one."""

    EXIT = 0
    INTERRUPTION = 1
    MAX_RUNTIME = 2
    MAX_WAIT = 3
    STOP = 4
    CLOSE = 5


@dataclass(frozen=True)
class Ending:
    """End of the work of the instances: the cause, and the FailureReason of a container that failed by itself."""

    cause: Cause
    failure_reason: str | None = None

    @property
    def is_failed(self) -> bool:
        """True if a container failed by itself."""
        return self.failure_reason is not None

    @property
    def is_completed(self) -> bool:
        """True if all containers succeeded by themselves."""
        return self.cause is Cause.EXIT and not self.is_failed


@dataclass(frozen=True)
class Timing:
    """Waiting times around a container, in seconds."""

    poll: float = 0.5  #: between two checks of files, limits and logs
    stop_grace: float = 120.0  #: between SIGTERM and SIGKILL when a job is stopped (StopTrainingJob)
    interruption_grace: float = 2.0  #: the same for a spot interruption; EC2 gives two minutes
    capacity_wait: float = 1.0  #: between two attempts to get instances


class EndRequests:
    """Requests of other threads to end a job. The thread of the job serves them, so only it handles the processes."""

    def __init__(self) -> None:
        self.strongest_cause = Cause.EXIT  #: EXIT: no request; the containers end by themselves
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def request_end(self, cause: Cause) -> None:
        """Request an end. A stronger earlier request remains."""
        with self._lock:
            self.strongest_cause = max(self.strongest_cause, cause)
        self.wake()

    def wake(self) -> None:
        """End `wait` in the thread of the job."""
        self._wake.set()

    def wait(self, seconds: float) -> None:
        """Sleep for at most `seconds`."""
        self._wake.wait(seconds)
        self._wake.clear()
