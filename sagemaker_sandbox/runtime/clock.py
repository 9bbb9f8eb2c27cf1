"""The times of a job that SageMaker reports and bills."""

import math
import time
from datetime import UTC, datetime

from sustainable_mlops.catalogue import tables


def _spot_share() -> float:
    """What managed spot costs, as a share of the price: the catalogue's central assumption of the discount."""
    return 1 - next(float(row["value"]) for row in tables.read_rows("assumptions") if row["key"] == "spot_discount")


class JobClock:
    """Times of a job in seconds, from the moment it is made.

    Billed is what an instance was held for, from its start (TrainingStartTime: before data and image are downloaded) to
    its end (TrainingEndTime: after artifacts are uploaded); pending and what lies between an interruption and the next
    instance is not. Managed spot is billed by its price: BillableTimeInSeconds is smaller than the time by the
    discount, so that `1 - BillableTimeInSeconds / TrainingTimeInSeconds` is what was saved.
    Source: DescribeTrainingJob in the SageMaker API reference.
    """

    def __init__(self, *, spot: bool = False) -> None:
        self._spot = spot
        self._created = time.monotonic()
        self.first_start: datetime | None = None  #: when the first instance was there
        self._first: float | None = None
        self._last = 0.0
        self._running_since: float | None = None
        self._past = 0.0

    def start(self) -> None:
        """The instances are there."""
        self._running_since = time.monotonic()
        if self._first is None:
            self._first, self.first_start = self._running_since, datetime.now(UTC)

    def stop(self) -> None:
        """The instances are gone; again is harmless."""
        if self._running_since is not None:
            self._last = time.monotonic()
            self._past += self._last - self._running_since
            self._running_since = None

    @property
    def elapsed_seconds(self) -> float:
        """Since the job was made."""
        return time.monotonic() - self._created

    @property
    def held_seconds(self) -> float:
        """With instances."""
        running = time.monotonic() - self._running_since if self._running_since is not None else 0.0
        return self._past + running

    @property
    def training_seconds(self) -> int | None:
        """TrainingTimeInSeconds, from the first instance's start to the last one's end; None if there never was one.

        Whole, and at least 1, as in the API.
        """
        return max(1, math.ceil(self._last - self._first)) if self._first is not None else None

    @property
    def billable_seconds(self) -> int | None:
        """BillableTimeInSeconds of each instance, in the same way."""
        if self._first is None:
            return None
        return max(1, math.ceil(self._past) if not self._spot else math.ceil(self._past * _spot_share()))
