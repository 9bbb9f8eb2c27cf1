"""The sandbox's time: this machine's or a faster one, as far ahead as it was moved; and what is to be done at times.

Whoever has something to do at a time is an `Agenda` of the one clock. A thread does what falls due; `advance` moves the
time ahead and does on the way what falls due, each at its own moment and in order, so that tests wait for nothing.
"""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

#: Between two moments that the clock tells apart.
TICK = timedelta(microseconds=1)
#: It looks at least so often, as this machine's own clock may be set.
_LONGEST = timedelta(minutes=1)


class Agenda(Protocol):
    """What is to be done, and when. Both are asked by one thread at a time, and hold no lock meanwhile."""

    def next(self, after: datetime) -> datetime | None:
        """The first moment later than `after` at which something is due."""

    def do(self, moment: datetime) -> None:
        """Do what is due at that moment."""


class Agendas:
    """Agendas that come and go, which the clock asks as one: in one place of its order."""

    def __init__(self) -> None:
        self._kept: tuple[Agenda, ...] = ()

    def add(self, agenda: Agenda) -> None:
        """Ask this one, too."""
        self._kept = (*self._kept, agenda)

    def drop(self, agenda: Agenda) -> None:
        """Ask it no more."""
        self._kept = tuple(one for one in self._kept if one is not agenda)

    def next(self, after: datetime) -> datetime | None:
        """When the first is due."""
        return min((moment for one in self._kept if (moment := one.next(after)) is not None), default=None)

    def do(self, moment: datetime) -> None:
        """Have each do what is due."""
        for one in self._kept:
            one.do(moment)


class Clock:
    """Moments are aware. What falls due while no sandbox runs is not made up for.

    `scale` is how many seconds pass here in one of this machine's.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._began = datetime.now(UTC)
        self._moved = timedelta()
        self._at_work = 0
        self._answering: set[object] = set()
        self._agendas: list[Agenda] = []
        self._done = datetime.now(UTC)
        self._turn = threading.RLock()
        self._woken = threading.Condition()
        self._news = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        """The present moment."""
        return self._began + (datetime.now(UTC) - self._began) * self.scale + self._moved

    @property
    def ahead(self) -> timedelta:
        """How far the time is ahead of this machine's."""
        return self.now() - datetime.now(UTC)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Meanwhile `advance` moves nothing: what is being made takes this machine's time, and is to be there then."""
        with self._woken:
            self._at_work += 1
        try:
            yield
        finally:
            with self._woken:
                self._at_work -= 1
                self._woken.notify_all()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """As `working`, for what others ask for again and again: `advance` waits for none that begins after it."""
        this = object()
        with self._woken:
            self._answering.add(this)
        try:
            yield
        finally:
            with self._woken:
                self._answering.remove(this)
                self._woken.notify_all()

    def keep(self, agenda: Agenda) -> None:
        """Do from now on what is on this agenda, too."""
        self._agendas.append(agenda)

    def wake(self) -> None:
        """An agenda has changed; returns at once."""
        with self._woken:
            self._news = True
            if self._thread is None:
                self._closed = False
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._woken.notify_all()

    def advance(self, seconds: float) -> datetime:
        """Move the time ahead; the moment that it is then. Returns once all that fell due on the way has been done."""
        with self._turn:
            self._wait_for_work()
            until = self.now() + timedelta(seconds=seconds)
            self._do(until, self._wait_for_work)
            self._moved += max(until - self.now(), timedelta())
        self.wake()
        return until

    def close(self) -> None:
        """Do what is due, and nothing any more until it is woken again."""
        with self._woken:
            thread, self._closed = self._thread, True
            self._woken.notify_all()
        if thread is not None:
            thread.join()
        with self._woken:  # not before it has ended: whoever wakes the clock meanwhile would have it go on for ever
            self._thread = None

    def set(self, ahead: timedelta) -> None:
        """Be so far ahead of this machine's time from now on; what would have fallen due until then does not."""
        with self._turn:
            self._began, self._moved = datetime.now(UTC), ahead
            self._done = self.now()
        self.wake()

    def _run(self) -> None:
        while True:
            with self._woken:
                self._news, closed = False, self._closed
            with self._turn:
                self._do(self.now())
                coming = self._next()
            if closed:
                return
            with self._woken:
                wait = _LONGEST if coming is None else min((coming - self.now()) / self.scale, _LONGEST)
                self._woken.wait_for(lambda: self._news or self._closed, max(wait.total_seconds(), 0))

    def _do(self, until: datetime, after_each: Callable[[], None] = lambda: None) -> None:
        """All that is due by then, moving the time ahead to each moment."""
        while (moment := self._next()) is not None and moment <= until:
            self._moved += max(moment - self.now(), timedelta())
            self._done = moment
            for agenda in self._agendas:
                try:
                    agenda.do(moment)
                except Exception:  # what else is due must still be done
                    traceback.print_exc()
            after_each()
        self._done = max(self._done, until)

    def _wait_for_work(self) -> None:
        with self._woken:
            begun = self._answering.copy()
            self._woken.wait_for(lambda: self._at_work == 0 and begun.isdisjoint(self._answering))

    def _next(self) -> datetime | None:
        found: list[datetime] = []
        for agenda in self._agendas:
            try:
                moment = agenda.next(self._done)
            except Exception:  # the others' must still be done
                traceback.print_exc()
                continue
            if moment is not None:
                found.append(moment)
        return min(found, default=None)
