"""Block of the sandbox clock while a queue has work, for at most one minute of sandbox time.

Models take real time to respond. With the block, a minute that a test skips processes as much of the queue as a minute
that elapses.
"""

import threading
from contextlib import ExitStack

from sagemaker_sandbox.base.clock import Clock


class ClockHold:
    """Block of the clock by one queue. Any thread can request it, also repeatedly."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._clock_guard: ExitStack | None = None
        self._timer: threading.Timer | None = None
        self._is_spent = False
        self._is_closed = False
        #: Number of requests. `release` compares it, so that later requests keep the block.
        self.hold_count = 0

    def hold(self) -> None:
        """Block the clock because there is work."""
        with self._lock:
            self.hold_count += 1
            if self._clock_guard is not None or self._is_spent:
                return
            self._clock_guard = ExitStack()
            self._clock_guard.enter_context(self._clock.track_work())
            self._timer = threading.Timer(60 / self._clock.scale, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def release(self, hold_count: int) -> None:
        """Release the clock, unless `hold` was called after `hold_count`."""
        with self._lock:
            if self.hold_count == hold_count:
                self._release_clock()

    def extend(self) -> None:
        """Allow another minute."""
        with self._lock:
            self._is_spent = self._is_closed

    def close(self) -> None:
        """Release the clock, and block it no more."""
        with self._lock:
            self._is_closed = self._is_spent = True
            self._release_clock()

    def _expire(self) -> None:
        with self._lock:
            self._is_spent = self._is_closed or self._clock_guard is not None
            self._release_clock()

    def _release_clock(self) -> None:
        if self._clock_guard is not None and self._timer is not None:
            self._timer.cancel()
            self._clock_guard.close()
            self._clock_guard = self._timer = None
