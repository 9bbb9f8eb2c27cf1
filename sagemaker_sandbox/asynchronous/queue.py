"""The requests of one endpoint that wait, and those under way. Use it with the Region's lock held."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sagemaker_sandbox.asynchronous.request import AsyncRequest


class Queue:
    """First in, first out."""

    def __init__(self, requests: list[AsyncRequest] | None = None) -> None:
        self.waiting: deque[AsyncRequest] = deque(requests or ())
        self.active: list[AsyncRequest] = []

    def __iter__(self) -> Iterator[AsyncRequest]:
        yield from self.active
        yield from self.waiting

    def __len__(self) -> int:
        return len(self.active) + len(self.waiting)

    def take_next(self) -> AsyncRequest | None:
        """The next request, which is under way from now on; None where none waits."""
        if not self.waiting:
            return None
        request = self.waiting.popleft()
        self.active.append(request)
        return request

    def requeue(self, request: AsyncRequest) -> None:
        """It waits again, before all others."""
        self.active.remove(request)
        self.waiting.appendleft(request)

    def remove(self, request: AsyncRequest) -> None:
        """It has been told how it ended."""
        self.active.remove(request)

    def take_expired(self, moment: datetime) -> list[AsyncRequest]:
        """Those that have waited for too long by then, under way to be told so."""
        expired = [request for request in self.waiting if request.expires <= moment]
        for request in expired:
            self.waiting.remove(request)
            self.active.append(request)
        return expired

    @property
    def oldest(self) -> datetime | None:
        """When the oldest request was received."""
        return min((request.received for request in self), default=None)

    @property
    def next_expiry(self) -> datetime | None:
        """When the first of those that wait will have waited for too long."""
        return min((request.expires for request in self.waiting), default=None)

    def to_data(self) -> list[Any]:
        """All requests as plain data, those first that come first."""
        return [request.to_data() for request in self]
