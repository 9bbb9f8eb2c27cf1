"""Scheduled tasks of asynchronous endpoints: queue metrics at each full minute, and expiry of old requests."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from sagemaker_sandbox.base.clock import TICK, Clock


class RegionQueues(Protocol):
    """Queues of one Region of one account."""

    @property
    def has_endpoints(self) -> bool:
        """True if an asynchronous endpoint exists."""

    @property
    def next_expiry(self) -> datetime | None:
        """Time at which the next waiting request expires."""

    def publish_metrics(self, moment: datetime) -> None:
        """Publish the metrics of each queue."""

    def expire_requests(self, moment: datetime) -> None:
        """End the requests that have expired by this moment; return immediately."""


class QueueSchedule:
    """Scheduled task for the queues of all accounts and Regions."""

    def __init__(self, clock: Clock, list_queues: Callable[[], Iterable[RegionQueues]]) -> None:
        self._list_queues = list_queues
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the next full minute or an earlier expiry; None without asynchronous endpoints."""
        in_use = [queues for queues in self._list_queues() if queues.has_endpoints]
        if not in_use:
            return None
        expiries = (max(expiry, after + TICK) for queues in in_use if (expiry := queues.next_expiry) is not None)
        return min([after.replace(second=0, microsecond=0) + timedelta(minutes=1), *expiries])

    def run_due(self, moment: datetime) -> None:
        """Expire requests, and publish metrics at full minutes."""
        for queues in self._list_queues():
            queues.expire_requests(moment)
            if not (moment.second or moment.microsecond):
                queues.publish_metrics(moment)
