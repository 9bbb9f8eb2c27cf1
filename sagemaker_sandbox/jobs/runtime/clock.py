"""Times of a job that SageMaker reports and bills."""

import math
import time
from datetime import UTC, datetime

from sustainable_mlops.catalogue import tables


def _get_spot_share() -> float:
    """Return the price of managed spot relative to on-demand, from the assumption in the catalogue."""
    return 1 - next(float(row["value"]) for row in tables.read_rows("assumptions") if row["key"] == "spot_discount")


class JobClock:
    """Times of a job in seconds, from the creation of the clock.

    The billed time of an instance runs from its start (TrainingStartTime: before data and image are downloaded) to its
    end (TrainingEndTime: after artifacts are uploaded). Pending time is not billed, nor is the time between an
    interruption and the next instance.

    Managed spot reduces BillableTimeInSeconds by the discount, so that `1 - BillableTimeInSeconds /
    TrainingTimeInSeconds` is the saving. Source: DescribeTrainingJob in the SageMaker API reference.
    """

    def __init__(self, *, spot: bool = False) -> None:
        self._spot = spot
        self._created = time.monotonic()
        self.first_start: datetime | None = None  #: start of the first instance
        self._first_started: float | None = None
        self._last_stopped = 0.0
        self._running_since: float | None = None
        self._completed_seconds = 0.0

    def start(self) -> None:
        """Record that the instances have started."""
        self._running_since = time.monotonic()
        if self._first_started is None:
            self._first_started, self.first_start = self._running_since, datetime.now(UTC)

    def stop(self) -> None:
        """Record that the instances have ended. A second call has no effect."""
        if self._running_since is not None:
            self._last_stopped = time.monotonic()
            self._completed_seconds += self._last_stopped - self._running_since
            self._running_since = None

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the job was created."""
        return time.monotonic() - self._created

    @property
    def held_seconds(self) -> float:
        """Seconds with instances."""
        running = time.monotonic() - self._running_since if self._running_since is not None else 0.0
        return self._completed_seconds + running

    @property
    def training_seconds(self) -> int | None:
        """TrainingTimeInSeconds: from the start of the first instance to the end of the last one.

        It is a whole number of at least 1, as in the API; None if no instance started.
        """
        return max(1, math.ceil(self._last_stopped - self._first_started)) if self._first_started is not None else None

    @property
    def billable_seconds(self) -> int | None:
        """BillableTimeInSeconds of each instance, rounded in the same way."""
        if self._first_started is None:
            return None
        return max(
            1,
            math.ceil(self._completed_seconds)
            if not self._spot
            else math.ceil(self._completed_seconds * _get_spot_share()),
        )
