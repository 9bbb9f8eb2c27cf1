"""What a job's instances publish of themselves: `CPUUtilization`, once a minute.

Source: SageMaker AI job metrics, in the developer guide.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

#: Set to the seconds between two data points where a minute, AWS's pace, is too long to wait for.
VARIABLE = "SANDBOX_METRIC_SECONDS"

#: `put(instance, metric, value)` publishes a data point; the instance is `<job>/algo-1` and so on.
Put = Callable[[str, str, float], None]


class Utilization:
    """Of one job's instances, for as long as somebody looks."""

    def __init__(self, job_name: str, put: Put, seconds: float | None = None) -> None:
        self._job_name, self._put = job_name, put
        self._seconds = float(os.environ.get(VARIABLE, "60")) if seconds is None else seconds
        self._since = 0.0
        self._taken: list[float] = []

    def begin(self, pids: Sequence[int | None]) -> None:
        """The processes of a set of instances have started; in the order of their names."""
        self._since, self._taken = time.monotonic(), [_cpu_seconds(pid) for pid in pids]

    def look(self, pids: Sequence[int | None]) -> None:
        """Publish each instance's data point, if one is due.

        It is 100 for each processor that its processes kept busy since the last one. What an instance type's
        processors would have been is not known here: these are this machine's.
        """
        passed = time.monotonic() - self._since
        if passed < self._seconds:
            return
        before = self._taken
        self.begin(pids)
        for number, (pid, earlier, now) in enumerate(zip(pids, before, self._taken, strict=True), 1):
            if pid is not None:  # of what has ended nothing is known
                busy = max(0.0, 100 * (now - earlier) / passed)
                self._put(f"{self._job_name}/algo-{number}", "CPUUtilization", busy)


def _cpu_seconds(pid: int | None) -> float:
    """All that a process and its children, also those that have ended, have taken so far."""
    import psutil

    taken = 0.0
    with suppress(psutil.Error):
        root = psutil.Process(pid) if pid is not None else None
        for process in (root, *root.children(recursive=True)) if root is not None else ():
            with suppress(psutil.Error):
                taken += sum(process.cpu_times()[:4])  # user, system, and both of children that it has waited for
    return taken
