"""Log of the machines that ran in one Region of one account, from which AWS would calculate their emissions."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple

#: The work of a machine. Its energy differs: see `carbon/emissions.py`.
MachineWork = Literal["job", "endpoint", "machine"]


class MachineUse(NamedTuple):
    """Instances of one type that ran from `start` to `end`."""

    instance_type: str
    count: int  # type: ignore[assignment]  # not the method of a tuple
    start: datetime
    end: datetime
    work: MachineWork = "machine"
    #: Storage attached to each instance, in GB.
    volume_gb: float = 0.0

    def clip(self, start: datetime, end: datetime) -> "MachineUse | None":
        """Return the part between two moments, or None if there is none."""
        first, last = max(self.start, start), min(self.end, end)
        return self._replace(start=first, end=last) if first < last else None

    @property
    def hours(self) -> float:
        """Hours that each instance ran."""
        return (self.end - self.start).total_seconds() / 3600


class UsageLog:
    """Uses of machines that have ended, and uses that still run. `now` returns the time of the sandbox."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._ended: list[MachineUse] = []
        self._running: dict[object, tuple[str, datetime]] = {}

    def add(self, use: MachineUse) -> None:
        """Add a use that has ended."""
        with self._lock:
            self._ended.append(use)

    def start(self, key: object, instance_type: str) -> None:
        """Begin the use of one instance of an endpoint. `key` identifies the instance."""
        with self._lock:
            self._running[key] = (instance_type, self._now())

    def end(self, key: object) -> None:
        """End the use of an instance, if it has begun."""
        with self._lock:
            if (running := self._running.pop(key, None)) is not None:
                self._ended.append(MachineUse(running[0], 1, running[1], self._now(), "endpoint"))

    def list_uses(self) -> list[MachineUse]:
        """Return all uses. A use that still runs ends at the present moment."""
        with self._lock:
            moment = self._now()
            running = [MachineUse(name, 1, start, moment, "endpoint") for name, start in self._running.values()]
            return [*self._ended, *running]

    def snapshot(self) -> list[tuple[Any, ...]]:
        """Return plain data for `restore`."""
        return [tuple(use) for use in self.list_uses()]

    def restore(self, snapshot: list[tuple[Any, ...]]) -> None:
        """Restore the uses. No machine of the snapshot still runs."""
        with self._lock:
            self._ended, self._running = [MachineUse(*use) for use in snapshot], {}
