"""Gate that gives a consistent view of moto's state.

Requests pass together. Saving the state waits until no request is inside, and keeps others out meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RequestGate:
    """A lock with shared and exclusive access. A thread must not enter twice: exclusive access would wait forever."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside_count = 0
        self._is_exclusive = False
        #: Number of completed passes. Equal numbers mean that nothing has changed.
        self.pass_count = 0

    @contextmanager
    def enter_shared(self) -> Iterator[None]:
        """Enter together with others. Wait while another thread has exclusive access."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_exclusive)
            self._inside_count += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside_count -= 1
                self.pass_count += 1
                self._changed.notify_all()

    @contextmanager
    def enter_exclusive(self, seconds: float) -> Iterator[bool]:
        """Enter alone and yield True. Yield False if the others do not leave within `seconds`."""
        with self._changed:
            self._is_exclusive = True
            is_empty = self._changed.wait_for(lambda: self._inside_count == 0, seconds)
            if not is_empty:
                self._allow_shared()
        try:
            yield is_empty
        finally:
            with self._changed:
                self._allow_shared()

    def _allow_shared(self) -> None:
        self._is_exclusive = False
        self._changed.notify_all()
