"""The one lock of SageMaker's resources: of all accounts and Regions, as one may look into what another shares."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Lock:
    """Reentrant, and never held for long: nobody asks another service or the disk with it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        #: How often anyone has had it; equal numbers mean that nothing has changed.
        self.held = 0

    def __enter__(self) -> Self:
        self._lock.acquire()
        self.held += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    @contextmanager
    def quietly(self, seconds: float) -> Iterator[None]:
        """Hold it only to look, so that nobody takes it for a change. Raises TimeoutError."""
        if not self._lock.acquire(timeout=seconds):
            raise TimeoutError("SageMaker's resources have been held for too long")
        try:
            yield
        finally:
            self._lock.release()
