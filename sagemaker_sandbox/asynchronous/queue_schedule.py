"""Asynchronous endpoints on the agenda of the clock: their queues are measured at each full minute, and requests that
have waited for too long expire."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from sagemaker_sandbox.clock import TICK, Clock


class RegionQueues(Protocol):
    """Those of one Region of one account."""

    @property
    def has_endpoints(self) -> bool:
        """Whether there is an asynchronous endpoint."""

    @property
    def next_expiry(self) -> datetime | None:
        """When the first request will have waited for too long."""

    def publish_metrics(self, moment: datetime) -> None:
        """Tell CloudWatch what there is in each."""

    def expire_requests(self, moment: datetime) -> None:
        """End the requests that have waited for too long by then; returns at once."""


class QueueSchedule:
    """Of all accounts and Regions."""

    def __init__(self, clock: Clock, queues: Callable[[], Iterable[RegionQueues]]) -> None:
        self._queues = queues
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """The next full minute, or an expiry before it; nothing without asynchronous endpoints."""
        there = [queues for queues in self._queues() if queues.has_endpoints]
        if not there:
            return None
        expiries = (max(expiry, after + TICK) for one in there if (expiry := one.next_expiry) is not None)
        return min([after.replace(second=0, microsecond=0) + timedelta(minutes=1), *expiries])

    def do(self, moment: datetime) -> None:
        """What is due."""
        for queues in self._queues():
            queues.expire_requests(moment)
            if not (moment.second or moment.microsecond):
                queues.publish_metrics(moment)
