"""moto's state seen at rest: requests pass together, and whoever writes the state down is alone for a moment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Nobody may pass twice at once, or `alone` would wait for one who waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._wanted_alone = False
        #: How often anyone has passed; equal numbers mean that nothing has changed.
        self.passed = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be inside together with others; waits while someone is alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted_alone)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self.passed += 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, seconds: float) -> Iterator[bool]:
        """Be inside without others; False, and not alone, where they do not leave within `seconds`."""
        with self._changed:
            self._wanted_alone = True
            empty = self._changed.wait_for(lambda: self._inside == 0, seconds)
            if not empty:
                self._let_others_in()
        try:
            yield empty
        finally:
            with self._changed:
                self._let_others_in()

    def _let_others_in(self) -> None:
        self._wanted_alone = False
        self._changed.notify_all()
