"""Transitions of an endpoint: moves, each in its own thread, and waits between them."""

import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.resources.region import AccountRegion

Move = Callable[[], None]
#: Longest wait for instances that end.
_DRAIN_WAIT_SECONDS = 2.0


class Transition:
    """Scheduled task of the clock until it is over. Moves take real time, waits take sandbox time."""

    def __init__(self, region: AccountRegion, name: str) -> None:
        self.region = region
        self.name = name
        self.is_over = False
        self._is_moving = False
        self._due: datetime | None = None
        self._next_move: Move | None = None

    def begin(self, first: Move) -> None:
        """Run the first move in the background."""
        self.region.context.deployments.add(self)
        self.run_move(first)

    def end(self) -> None:
        """End the transition."""
        self.is_over, self._due = True, None
        self.region.context.deployments.remove(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the time of the next move."""
        if self.region.closing.is_set():
            self.end()
        due = self._due
        return None if due is None else max(due, after + TICK)

    def run_due(self, moment: datetime) -> None:
        """Run the next move if its time has come."""
        if self._due is None or self._due > moment:
            return
        with self.region.lock:
            if self.is_waiting and self._next_move is not None:
                self.run_move(self._next_move)

    @property
    def is_waiting(self) -> bool:
        """True if the transition waits, so that a move can start. Requires the lock of the Region."""
        return not (self._is_moving or self.is_over or self.region.closing.is_set())

    def run_move(self, work: Move) -> None:
        """Start a move. The clock does not advance meanwhile."""
        self._is_moving, self._due, self._next_move = True, None, None
        self.region.start_thread(f"endpoint {self.name}", lambda: self._run(work), blocks_clock=True)

    def _run(self, work: Move) -> None:
        try:
            work()
        except Exception as error:
            if self.region.closing.is_set():  # the resources of the move are already closed
                return
            self.handle_error(error)

    def handle_error(self, error: Exception) -> None:
        """Handle an error of a move."""
        traceback.print_exception(error)
        self.end()

    def schedule_move(self, next_move: Move, after_seconds: float) -> None:
        """Run the next move after these seconds of sandbox time. Must be the last call of a move."""
        if self.region.closing.is_set():
            return
        if not after_seconds:
            next_move()
            return
        with self.region.lock:
            self._next_move, self._due = next_move, self.region.clock.now() + timedelta(seconds=after_seconds)
            self._is_moving = False
        self.region.clock.wake()

    def run_draining(self, work: Move) -> None:
        """Run work that waits for active requests.

        Active requests may take an hour. Neither the move nor the clock waits that long.
        """
        self.region.start_thread(f"endpoint {self.name}", work).join(_DRAIN_WAIT_SECONDS)

    def wait_transition_time(self, since: float) -> None:
        """Wait until the configured transition time has passed since `since` (monotonic clock)."""
        self.region.closing.wait(max(since + self.region.context.transition_seconds - time.monotonic(), 0))
