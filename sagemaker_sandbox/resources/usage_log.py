"""Log of the instances that ran in one Region of one account; their emissions are computed from it."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple

#: Purpose of an instance. The energy depends on it: see `carbon/emissions.py`.
InstancePurpose = Literal["job", "endpoint", "other"]


class InstancePeriod(NamedTuple):
    """Period from `start` to `end` in which instances of one type ran."""

    instance_type: str
    count: int  # type: ignore[assignment]  # not the method of a tuple
    start: datetime
    end: datetime
    purpose: InstancePurpose = "other"
    #: Storage attached to each instance, in GB.
    volume_gb: float = 0.0

    def clip(self, start: datetime, end: datetime) -> "InstancePeriod | None":
        """Return the part between two moments, or None if there is none."""
        first, last = max(self.start, start), min(self.end, end)
        return self._replace(start=first, end=last) if first < last else None

    @property
    def hours(self) -> float:
        """Hours that each instance ran."""
        return (self.end - self.start).total_seconds() / 3600


class UsageLog:
    """Periods that have ended, and periods of running instances. `now` returns the time of the sandbox."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._ended: list[InstancePeriod] = []
        self._running: dict[object, tuple[str, datetime]] = {}

    def add(self, period: InstancePeriod) -> None:
        """Add a period that has ended."""
        with self._lock:
            self._ended.append(period)

    def start(self, key: object, instance_type: str) -> None:
        """Start the period of one instance of an endpoint. `key` identifies the instance."""
        with self._lock:
            self._running[key] = (instance_type, self._now())

    def end(self, key: object) -> None:
        """End the period of an instance, if it has started."""
        with self._lock:
            if (running := self._running.pop(key, None)) is not None:
                self._ended.append(InstancePeriod(running[0], 1, running[1], self._now(), "endpoint"))

    def list_periods(self) -> list[InstancePeriod]:
        """Return all periods. The period of a running instance ends now."""
        with self._lock:
            moment = self._now()
            running = [InstancePeriod(name, 1, start, moment, "endpoint") for name, start in self._running.values()]
            return [*self._ended, *running]

    def snapshot(self) -> list[tuple[Any, ...]]:
        """Return plain data for `restore`."""
        return [tuple(period) for period in self.list_periods()]

    def restore(self, snapshot: list[tuple[Any, ...]]) -> None:
        """Restore the periods. No instance of the snapshot still runs."""
        with self._lock:
            self._ended, self._running = [InstancePeriod(*period) for period in snapshot], {}
