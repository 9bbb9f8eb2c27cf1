"""Reservations: capacity of one instance for one request, until the request has ended."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.endpoints.hosting.pool import PoolMember
from sagemaker_sandbox.endpoints.hosting.variant import HostedVariant
from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError


class ResponseStream(Iterator[bytes]):
    """Parts of a streaming response. `on_end` is called with the final status in every case."""

    def __init__(self, parts: Iterator[bytes], on_end: Callable[[int], None]) -> None:
        self._parts = parts
        self._on_end = on_end

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            self._on_end(200)
            raise
        except ModelError as error:
            self._on_end(error.original_status)
            raise

    def close(self) -> None:
        """End the stream early."""
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()
        self._on_end(200)

    __del__ = close


class Reservation:
    """Capacity for one request at one instance of a variant."""

    def __init__(self, fleet: EndpointFleet, variant: HostedVariant, member: PoolMember) -> None:
        self.fleet = fleet
        self.variant = variant.name
        self.member = member
        self._variant = variant
        self._start = time.monotonic()
        self._is_released = False

    def invoke(self, invocation: Invocation) -> InvocationResponse:
        """Send the request and return its response. Raises the errors of the instance.

        The reservation ends with the response. If the response streams, it ends with the last part.
        """
        concurrent_requests = self.member.active_requests
        try:
            response = self._variant.invoke(self.member, invocation, self._start)
        except BaseException:
            self.release()
            raise
        if isinstance(response.body, bytes):
            self.release()
            return response
        stream_start = time.monotonic()

        def on_end(status: int) -> None:
            if not self._is_released:
                now = time.monotonic()
                timings = replace(response.timings, model=response.timings.model + now - stream_start)
                self._variant.record_request(
                    self.member, invocation, concurrent_requests, status, now - self._start, timings
                )
            self.release()

        return replace(response, body=ResponseStream(response.body, on_end))

    def reserve_same_instance(self) -> "Reservation | None":
        """Reserve the same instance again; return None if it is no longer in service."""
        return Reservation(self.fleet, self._variant, self.member) if self._variant.reserve_at(self.member) else None

    def release(self) -> None:
        """End the reservation."""
        if not self._is_released:
            self._is_released = True
            self._variant.pool.release(self.member)
