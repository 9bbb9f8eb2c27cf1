"""Queue of one endpoint: waiting and active requests. Every use requires the lock of the Region."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sagemaker_sandbox.endpoints.asynchronous.request import AsyncRequest


class Queue:
    """Queue in first-in, first-out order."""

    def __init__(self, requests: list[AsyncRequest] | None = None) -> None:
        self.waiting: deque[AsyncRequest] = deque(requests or ())
        self.active: list[AsyncRequest] = []

    def __iter__(self) -> Iterator[AsyncRequest]:
        yield from self.active
        yield from self.waiting

    def __len__(self) -> int:
        return len(self.active) + len(self.waiting)

    def take_next(self) -> AsyncRequest | None:
        """Activate and return the next request; None if none waits."""
        if not self.waiting:
            return None
        request = self.waiting.popleft()
        self.active.append(request)
        return request

    def requeue(self, request: AsyncRequest) -> None:
        """Return an active request to the head of the queue."""
        self.active.remove(request)
        self.waiting.appendleft(request)

    def remove(self, request: AsyncRequest) -> None:
        """Remove an active request whose outcome was delivered."""
        self.active.remove(request)

    def take_expired(self, moment: datetime) -> list[AsyncRequest]:
        """Activate and return the requests that have expired, so that their outcome is delivered."""
        expired = [request for request in self.waiting if request.expires <= moment]
        for request in expired:
            self.waiting.remove(request)
            self.active.append(request)
        return expired

    @property
    def oldest(self) -> datetime | None:
        """Time at which the oldest request was received."""
        return min((request.received for request in self), default=None)

    @property
    def next_expiry(self) -> datetime | None:
        """Time at which the next waiting request expires."""
        return min((request.expires for request in self.waiting), default=None)

    def to_data(self) -> list[Any]:
        """Return all requests as plain data, in order."""
        return [request.to_data() for request in self]
