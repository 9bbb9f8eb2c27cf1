"""checkov processes that run while plans are reviewed, two in parallel.

One process uses about 300 MB, and its imports take seconds.
"""

from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.review.checkov import Checkov, CheckovResult

_MAX_PARALLEL = 2


class CheckovPool:
    """A pool of checkov processes; the end of the `with` block stops all of them.

    Raises UserError if checkov is missing.
    """

    def __init__(self, plans: int) -> None:
        """Start processes for `plans` plans."""
        self._is_stopped = False
        self._lock = Lock()
        self._idle_processes = [Checkov() for _ in range(min(plans, _MAX_PARALLEL))]
        self._processes = list(self._idle_processes)
        self._pool = ThreadPoolExecutor(_MAX_PARALLEL)

    def submit(self, plan: bytes, name: str = "") -> Future[CheckovResult]:
        """Start the checks of a plan in UTF-8. `name` identifies the plan in error messages."""
        return self._pool.submit(self._run_check, plan, name)

    def _run_check(self, plan: bytes, name: str) -> CheckovResult:
        with self._lock:
            if self._is_stopped:
                raise CancelledError
            if not self._idle_processes:
                self._idle_processes = [Checkov()]
                self._processes += self._idle_processes
            checkov = self._idle_processes.pop()
        try:
            return checkov.check(plan)
        except UserError as error:
            raise UserError(f"{name}: {error}" if name else str(error)) from None

    def __enter__(self) -> "CheckovPool":
        """Return the pool."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop all processes."""
        with self._lock:
            self._is_stopped = True
            for checkov in self._processes:
                checkov.stop()
        self._pool.shutdown(cancel_futures=True)
