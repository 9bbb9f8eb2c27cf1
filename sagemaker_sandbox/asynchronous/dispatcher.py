"""Hands the requests of one queue to the endpoint's instances, as many at once as these may have."""

import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Protocol

from sagemaker_sandbox.asynchronous.clock_hold import ClockHold
from sagemaker_sandbox.asynchronous.queue import Queue
from sagemaker_sandbox.asynchronous.request import AsyncOutcome, AsyncRequest
from sagemaker_sandbox.hosting.reservation import Reservation
from sagemaker_sandbox.parts.region import AccountRegion


class RequestProcessor(Protocol):
    """What is done for a request."""

    def invoke_model(self, request: AsyncRequest, place: Reservation) -> AsyncOutcome:
        """Have the model answer it."""

    def deliver_outcome(self, request: AsyncRequest) -> None:
        """Write and tell its outcome."""


#: Takes a place for as long as it is entered; None where there is none.
ReserveInstance = Callable[[], AbstractContextManager[Reservation | None]]


class Dispatcher:
    """A thread that looks into the queue whenever it is told to."""

    def __init__(
        self, region: AccountRegion, name: str, queue: Queue, taken: ReserveInstance, work: RequestProcessor
    ) -> None:
        self._region = region
        self._name = name
        self._queue = queue
        self._taken = taken
        self._work = work
        self._hold = ClockHold(region.clock)
        self._news = threading.Event()
        self._closed = threading.Event()
        region.start_thread(f"queue of {name}", self._run)

    def notify(self) -> None:
        """There may be something to hand out; returns at once."""
        self._hold.take()
        self._news.set()

    def start_minute(self) -> None:
        """Another minute has begun."""
        self._hold.renew()
        if len(self._queue):
            self.notify()

    def deliver(self, request: AsyncRequest) -> None:
        """Tell the outcome of a request that is under way; returns at once."""
        self._hold.take()
        self._start(request, partial(self._tell, request))

    def close(self) -> None:
        """Hand out nothing any more. What fails from now on, as the instances end, waits again; where the endpoint is
        gone, and not the sandbox, so does all that is under way."""
        self._closed.set()
        self._news.set()

    def _run(self) -> None:
        while self._news.wait() and not self._closed.is_set():
            self._news.clear()
            as_of = self._hold.take_count
            try:
                while not self._closed.is_set() and self._hand_out():
                    pass
            except Exception:  # such as an instance that does not start again; there will be other news
                traceback.print_exc()
            if not self._queue.active:
                self._hold.release(as_of)
        self._hold.close()

    def _hand_out(self) -> bool:
        """Whether there was a request that waited, and an instance for it."""
        if not self._queue.waiting:
            return False
        with ExitStack() as stack:
            place = stack.enter_context(self._taken())
            if place is None:
                return False
            with self._region.lock:
                request = self._queue.take_next()
            if request is None:
                return False
            self._start(request, partial(self._answer, request, place, stack.pop_all()))
        return True

    def _start(self, request: AsyncRequest, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                self.notify()

        self._region.start_thread(f"asynchronous {request.inference_id}", run)

    def _answer(self, request: AsyncRequest, place: Reservation, held: ExitStack) -> None:
        with held:
            outcome = self._ask(request, place)
        with self._region.lock:
            if self._closed.is_set() and (outcome.failure or not self._region.closing.is_set()):
                self._queue.requeue(request)
                return
            request.outcome = outcome
        self._tell(request)

    def _ask(self, request: AsyncRequest, place: Reservation) -> AsyncOutcome:
        try:
            return self._work.invoke_model(request, place)
        except Exception:  # it must end, one way or the other
            traceback.print_exc()
            return AsyncOutcome(place.variant, failure="InternalServerError: The request could not be processed.")

    def _tell(self, request: AsyncRequest) -> None:
        try:
            self._work.deliver_outcome(request)
        finally:
            with self._region.lock:
                self._queue.remove(request)
