"""Keeps the time from being moved ahead of a queue that is being worked on, for as long as a minute takes here.

A model's answers take this machine's time, so that a minute that was waited for has seen as much of the queue as a
minute that has passed by itself.
"""

import threading
from contextlib import ExitStack

from sagemaker_sandbox.clock import Clock


class ClockHold:
    """One queue's. Any thread may take it, and take it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: ExitStack | None = None
        self._timer: threading.Timer | None = None
        self._spent = False
        self._closed = False
        #: How often it was taken: whoever lets it go says as of when there was nothing to do.
        self.take_count = 0

    def take(self) -> None:
        """There is something to do."""
        with self._lock:
            self.take_count += 1
            if self._held is not None or self._spent:
                return
            self._held = ExitStack()
            self._held.enter_context(self._clock.track_work())
            self._timer = threading.Timer(60 / self._clock.scale, self._spend)
            self._timer.daemon = True
            self._timer.start()

    def release(self, as_of: int) -> None:
        """There was nothing to do; what was taken since stays."""
        with self._lock:
            if self.take_count == as_of:
                self._end()

    def renew(self) -> None:
        """Another minute has begun."""
        with self._lock:
            self._spent = self._closed

    def close(self) -> None:
        """Never hold it again."""
        with self._lock:
            self._closed = self._spent = True
            self._end()

    def _spend(self) -> None:
        with self._lock:
            self._spent = self._closed or self._held is not None
            self._end()

    def _end(self) -> None:
        if self._held is not None and self._timer is not None:
            self._timer.cancel()
            self._held.close()
            self._held = self._timer = None
