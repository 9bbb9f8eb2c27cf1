"""Dispatch of the requests of one queue to the instances of an endpoint, within their concurrency limit."""

import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Protocol

from sagemaker_sandbox.endpoints.asynchronous.clock_hold import ClockHold
from sagemaker_sandbox.endpoints.asynchronous.queue import Queue
from sagemaker_sandbox.endpoints.asynchronous.request import AsyncOutcome, AsyncRequest
from sagemaker_sandbox.endpoints.hosting.reservation import Reservation
from sagemaker_sandbox.resources.region import AccountRegion


class RequestProcessor(Protocol):
    """Processor of asynchronous requests."""

    def invoke_model(self, request: AsyncRequest, reservation: Reservation) -> AsyncOutcome:
        """Invoke the model and return the outcome."""

    def deliver_outcome(self, request: AsyncRequest) -> None:
        """Write and publish the outcome of a request."""


#: Context manager that reserves an instance, or yields None if none is free.
ReserveInstance = Callable[[], AbstractContextManager[Reservation | None]]


class Dispatcher:
    """Thread that dispatches the requests of one queue whenever it is notified."""

    def __init__(
        self,
        region: AccountRegion,
        name: str,
        queue: Queue,
        reserve_instance: ReserveInstance,
        processor: RequestProcessor,
    ) -> None:
        self._region = region
        self._name = name
        self._queue = queue
        self._reserve_instance = reserve_instance
        self._processor = processor
        self._clock_hold = ClockHold(region.clock)
        self._notification = threading.Event()
        self._closed = threading.Event()
        region.start_thread(f"queue of {name}", self._run)

    def notify(self) -> None:
        """Wake the dispatcher and return immediately."""
        self._clock_hold.hold()
        self._notification.set()

    def start_minute(self) -> None:
        """Start another minute of the clock hold."""
        self._clock_hold.extend()
        if len(self._queue):
            self.notify()

    def deliver(self, request: AsyncRequest) -> None:
        """Deliver the outcome of an active request and return immediately."""
        self._clock_hold.hold()
        self._start(request, partial(self._deliver, request))

    def close(self) -> None:
        """Stop dispatching.

        Requests that fail from now on, as the instances end, return to the queue. If the endpoint is deleted but the
        sandbox runs, all active requests return to the queue.
        """
        self._closed.set()
        self._notification.set()

    def _run(self) -> None:
        while self._notification.wait() and not self._closed.is_set():
            self._notification.clear()
            hold_count = self._clock_hold.hold_count
            try:
                while not self._closed.is_set() and self._dispatch_next():
                    pass
            except Exception:  # such as an instance that does not restart; the next notification tries again
                traceback.print_exc()
            if not self._queue.active:
                self._clock_hold.release(hold_count)
        self._clock_hold.close()

    def _dispatch_next(self) -> bool:
        """Dispatch one request; return False if no request waits or no instance is free."""
        if not self._queue.waiting:
            return False
        with ExitStack() as stack:
            reservation = stack.enter_context(self._reserve_instance())
            if reservation is None:
                return False
            with self._region.lock:
                request = self._queue.take_next()
            if request is None:
                return False
            self._start(request, partial(self._process, request, reservation, stack.pop_all()))
        return True

    def _start(self, request: AsyncRequest, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                self.notify()

        self._region.start_thread(f"asynchronous {request.inference_id}", run)

    def _process(self, request: AsyncRequest, reservation: Reservation, resources: ExitStack) -> None:
        with resources:
            outcome = self._invoke_model(request, reservation)
        with self._region.lock:
            if self._closed.is_set() and (outcome.failure or not self._region.closing.is_set()):
                self._queue.requeue(request)
                return
            request.outcome = outcome
        self._deliver(request)

    def _invoke_model(self, request: AsyncRequest, reservation: Reservation) -> AsyncOutcome:
        try:
            return self._processor.invoke_model(request, reservation)
        except Exception:  # the request needs an outcome in every case
            traceback.print_exc()
            return AsyncOutcome(reservation.variant, failure="InternalServerError: The request could not be processed.")

    def _deliver(self, request: AsyncRequest) -> None:
        try:
            self._processor.deliver_outcome(request)
        finally:
            with self._region.lock:
                self._queue.remove(request)
