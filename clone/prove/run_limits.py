"""Limits of a run: end it on Ctrl-C, on a termination signal and at its caps of time and cost."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Interval between two checks of the caps, in seconds.
_INTERVAL = 1.0


class Interruption(BaseException):
    """Early end of a run. It is a BaseException, so that no `except Exception` of a library catches it."""

    def __init__(self, reason: str, exit_code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code


class RunLimits:
    """Handler of signals and caps. It raises Interruption once in the main thread; later signals only print a line.

    `check` raises it in the threads of the modules. `stop` is called once, to end their Terraform processes. Terraform
    writes its state when it is interrupted once, and may lose it when interrupted twice. So a second Ctrl-C has no
    effect.
    """

    def __init__(
        self,
        cap_minutes: float,
        cap_usd: float,
        spent: Callable[[], float],
        say: Callable[[str], None],
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._end = time.monotonic() + cap_minutes * 60
        self._cap_minutes, self._cap_usd = cap_minutes, cap_usd
        self._spent, self._say, self._stop = spent, say, stop
        self._armed = False
        self._interruption: Interruption | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Handle signals and check the caps until the block ends."""
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._handle_signal) for number in signals}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._handle_tick)
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def disarm(self) -> None:
        """Stop interrupting: cleanup has begun."""
        self._armed = False

    @property
    def is_interrupted(self) -> bool:
        """True once a signal or a cap has ended the run."""
        return self._interruption is not None

    def check(self) -> None:
        """Raise Interruption in the thread of a module if the run has been interrupted."""
        if self._interruption and threading.current_thread() is not threading.main_thread():
            raise Interruption(self._interruption.reason, self._interruption.exit_code)

    def _interrupt(self, reason: str, exit_code: int) -> None:
        self._armed = False
        self._interruption = Interruption(reason, exit_code)
        self._stop()
        raise self._interruption

    def _handle_tick(self, _number: int, _frame: FrameType | None) -> None:
        if not self._armed:
            return
        if time.monotonic() >= self._end:
            self._interrupt(f"the run reached the cap of {self._cap_minutes:g} minutes", 1)
        if self._spent() > self._cap_usd:
            self._interrupt(f"the run reached the cap of {self._cap_usd:g} USD", 1)

    def _handle_signal(self, number: int, _frame: FrameType | None) -> Any:
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        if self._armed:
            self._interrupt(name, 128 + number)
        self._say(f"{name}: cleanup is in progress; wait for it to finish, so that no resource is left")
