"""What one instance keeps free for one request, until that is over."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.hosting.pool import PoolMember
from sagemaker_sandbox.hosting.variant import HostedVariant
from sagemaker_sandbox.runtime.container_invocation import ModelError


class ResponseStream(Iterator[bytes]):
    """The parts of an answer; `over` is called with the status in which it ended, however that was."""

    def __init__(self, parts: Iterator[bytes], over: Callable[[int], None]) -> None:
        self._parts = parts
        self._over = over

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            self._over(200)
            raise
        except ModelError as error:
            self._over(error.original_status)
            raise

    def close(self) -> None:
        """No more parts are wanted."""
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()
        self._over(200)

    __del__ = close


class Reservation:
    """At one instance of a variant of a fleet."""

    def __init__(self, fleet: EndpointFleet, variant: HostedVariant, member: PoolMember) -> None:
        self.fleet = fleet
        self.variant = variant.name
        self.member = member
        self._variant = variant
        self._began = time.monotonic()
        self._released = False

    def invoke(self, asked: Invocation) -> InvocationResponse:
        """Its answer, after which the place is free: once all its parts have come, where it streams. Raises as the
        instance does."""
        at_once = self.member.active_requests
        try:
            answer = self._variant.invoke(self.member, asked, self._began)
        except BaseException:
            self.release()
            raise
        if isinstance(answer.body, bytes):
            self.release()
            return answer
        first = time.monotonic()

        def over(status: int) -> None:
            if not self._released:
                now = time.monotonic()
                took = replace(answer.timings, model=answer.timings.model + now - first)
                self._variant.record_request(self.member, asked, at_once, status, now - self._began, took)
            self.release()

        return replace(answer, body=ResponseStream(answer.body, over))

    def reserve_same_instance(self) -> "Reservation | None":
        """Another at the same instance; None where that is not in service any more."""
        return Reservation(self.fleet, self._variant, self.member) if self._variant.reserve_at(self.member) else None

    def release(self) -> None:
        """The request is over."""
        if not self._released:
            self._released = True
            self._variant.pool.release(self.member)
