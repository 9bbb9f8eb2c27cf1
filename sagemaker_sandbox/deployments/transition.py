"""What happens to an endpoint over time: moves, each in a thread of its own, and rests between them."""

import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

from sagemaker_sandbox.clock import TICK
from sagemaker_sandbox.parts.region import AccountRegion

Move = Callable[[], None]
#: How long instances are waited for that are to end.
_PATIENCE_SECONDS = 2.0


class Transition:
    """An agenda of the clock until it is over. Moves take this machine's time, rests that of the clock."""

    def __init__(self, region: AccountRegion, name: str) -> None:
        self.region = region
        self.name = name
        self.is_over = False
        self._moving = False
        self._due: datetime | None = None
        self._then: Move | None = None

    def begin(self, first: Move) -> None:
        """Make the first move, in the background."""
        self.region.context.deployments.add(self)
        self.run_move(first)

    def end(self) -> None:
        """Nothing comes any more."""
        self.is_over, self._due = True, None
        self.region.context.deployments.remove(self)

    def next(self, after: datetime) -> datetime | None:
        """When the rest is over."""
        if self.region.closing.is_set():
            self.end()
        due = self._due
        return None if due is None else max(due, after + TICK)

    def do(self, moment: datetime) -> None:
        """Go on where the rest is over."""
        if self._due is None or self._due > moment:
            return
        with self.region.lock:
            if self.is_resting and self._then is not None:
                self.run_move(self._then)

    @property
    def is_resting(self) -> bool:
        """Whether it waits for a time, so that another move may begin. Ask it with the Region's lock held."""
        return not (self._moving or self.is_over or self.region.closing.is_set())

    def run_move(self, work: Move) -> None:
        """Begin a move; the clock waits for it."""
        self._moving, self._due, self._then = True, None, None
        self.region.start_thread(f"endpoint {self.name}", lambda: self._run(work), blocks_clock=True)

    def _run(self, work: Move) -> None:
        try:
            work()
        except Exception as error:
            if self.region.closing.is_set():  # whatever it was about has been taken away
                return
            self.handle_error(error)

    def handle_error(self, error: Exception) -> None:
        """A move could not be made."""
        traceback.print_exception(error)
        self.end()

    def rest_then(self, seconds: float, then: Move) -> None:
        """Go on after so many seconds of the clock: the last that a move does."""
        if self.region.closing.is_set():
            return
        if not seconds:
            then()
            return
        with self.region.lock:
            self._then, self._due = then, self.region.clock.now() + timedelta(seconds=seconds)
            self._moving = False
        self.region.clock.wake()

    def run_draining(self, work: Move) -> None:
        """Do what waits for requests under way. Those may take an hour: neither a move nor the clock waits so long."""
        self.region.start_thread(f"endpoint {self.name}", work).join(_PATIENCE_SECONDS)

    def wait_transition_time(self, since: float) -> None:
        """Be under way for as long as a transition takes here, since a moment of the monotonic clock."""
        self.region.closing.wait(max(since + self.region.context.transition_seconds - time.monotonic(), 0))
