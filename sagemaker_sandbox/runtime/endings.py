"""Why a job's containers end, who asked for it, and how long the machinery around them waits."""

import enum
import threading
from dataclasses import dataclass


class Cause(enum.IntEnum):
    """Why the work of a job's instances ended. A higher one wins over a lower one that was asked for before."""

    EXIT = 0
    INTERRUPTION = 1
    MAX_RUNTIME = 2
    MAX_WAIT = 3
    STOP = 4
    CLOSE = 5


@dataclass(frozen=True)
class Ending:
    """How the instances' work ended: why, and of a container that failed by itself FailureReason."""

    cause: Cause
    failure_reason: str | None = None

    @property
    def failed(self) -> bool:
        """Whether a container failed by itself."""
        return self.failure_reason is not None

    @property
    def completed(self) -> bool:
        """Whether all containers ended well by themselves."""
        return self.cause is Cause.EXIT and not self.failed


@dataclass(frozen=True)
class Timing:
    """Waiting times of the machinery around a container, in seconds."""

    poll: float = 0.5  #: between two looks at files, limits and logs
    stop_grace: float = 120.0  #: between SIGTERM and SIGKILL when a job is stopped (StopTrainingJob)
    interruption_grace: float = 2.0  #: the same for a spot interruption; the sandbox's choice, EC2 gives two minutes
    capacity_wait: float = 1.0  #: between two tries to get instances; the sandbox's choice


class EndRequests:
    """What other threads ask of a job. The job's own thread obeys, so that it alone touches the processes."""

    def __init__(self) -> None:
        self.strongest_cause = Cause.EXIT  #: EXIT: nothing was asked, let the containers end by themselves
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def request_end(self, cause: Cause) -> None:
        """Ask for an end; a stronger one that was asked for already stays."""
        with self._lock:
            self.strongest_cause = max(self.strongest_cause, cause)
        self.wake()

    def wake(self) -> None:
        """End the job thread's `wait`."""
        self._wake.set()

    def wait(self, seconds: float) -> None:
        """Sleep, at most so long."""
        self._wake.wait(seconds)
        self._wake.clear()
