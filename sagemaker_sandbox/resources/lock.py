"""The lock of SageMaker's resources.

All accounts and Regions share it, because accounts can read each other's shared resources.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Lock:
    """A reentrant lock. Threads hold it briefly, and never during a request to another service or the disk."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        #: Number of acquisitions. Equal numbers mean that nothing has changed.
        self.acquire_count = 0

    def __enter__(self) -> Self:
        self._lock.acquire()
        self.acquire_count += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    @contextmanager
    def hold_unchanged(self, seconds: float) -> Iterator[None]:
        """Hold the lock for reading, without counting an acquisition. Raises TimeoutError after `seconds`."""
        if not self._lock.acquire(timeout=seconds):
            raise TimeoutError("SageMaker's resources were locked for too long")
        try:
            yield
        finally:
            self._lock.release()
