"""Clock of the sandbox: the time, which tests can scale and advance, and the tasks that run at a time.

Everything that runs at a time is a `ScheduledTask`. A thread runs due tasks. `advance` moves the time ahead and runs
the tasks that fall due, each at its own moment and in order. Tests therefore do not wait.
"""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

#: Smallest difference between two moments of the clock.
TICK = timedelta(microseconds=1)
#: Longest wait between two checks, because this computer's own clock may be set.
_MAX_WAIT = timedelta(minutes=1)


class ScheduledTask(Protocol):
    """One entry of the clock. The clock calls it from one thread at a time, and holds no lock meanwhile."""

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment after `after` at which the task is due, or None."""

    def run_due(self, moment: datetime) -> None:
        """Run everything that is due at `moment`."""


class ScheduledTasks:
    """A task that consists of other tasks, which can be added and removed.

    All of them keep the group's position in the clock's order.
    """

    def __init__(self) -> None:
        self._members: tuple[ScheduledTask, ...] = ()

    def add(self, task: ScheduledTask) -> None:
        """Add a task to the group."""
        self._members = (*self._members, task)

    def remove(self, task: ScheduledTask) -> None:
        """Remove a task from the group."""
        self._members = tuple(member for member in self._members if member is not task)

    def next(self, after: datetime) -> datetime | None:
        """Return the moment at which the first member is due."""
        return min((moment for member in self._members if (moment := member.next(after)) is not None), default=None)

    def run_due(self, moment: datetime) -> None:
        """Run each member."""
        for member in self._members:
            member.run_due(moment)


class Clock:
    """The time of the sandbox, and its scheduled tasks. All moments have a time zone.

    `scale` is the number of the clock's seconds in one second of this computer. Nothing catches up on tasks that fell
    due while no sandbox ran.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._origin = datetime.now(UTC)
        self._advanced = timedelta()
        self._work_count = 0
        self._requests: set[object] = set()
        self._tasks: list[ScheduledTask] = []
        self._completed_until = datetime.now(UTC)
        self._run_lock = threading.RLock()
        self._wakeup = threading.Condition()
        self._has_new_tasks = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        """Return the present moment."""
        return self._origin + (datetime.now(UTC) - self._origin) * self.scale + self._advanced

    @property
    def offset(self) -> timedelta:
        """Difference between the clock and this computer's time."""
        return self.now() - datetime.now(UTC)

    @contextmanager
    def track_work(self) -> Iterator[None]:
        """Delay `advance` while the block runs. The work takes real time, and its result must exist at the new time."""
        with self._wakeup:
            self._work_count += 1
        try:
            yield
        finally:
            with self._wakeup:
                self._work_count -= 1
                self._wakeup.notify_all()

    @contextmanager
    def track_request(self) -> Iterator[None]:
        """Delay every `advance` that begins while the block runs.

        Unlike `track_work`, requests that begin after an `advance` do not delay it. Clients may send them without end.
        """
        request = object()
        with self._wakeup:
            self._requests.add(request)
        try:
            yield
        finally:
            with self._wakeup:
                self._requests.remove(request)
                self._wakeup.notify_all()

    def add_task(self, task: ScheduledTask) -> None:
        """Add a scheduled task."""
        self._tasks.append(task)

    def wake(self) -> None:
        """Make the clock look at its tasks again, because one of them has changed. Return immediately."""
        with self._wakeup:
            self._has_new_tasks = True
            if self._thread is None:
                self._closed = False
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._wakeup.notify_all()

    def advance(self, seconds: float) -> datetime:
        """Move the time ahead, run every task that falls due, and return the new time."""
        with self._run_lock:
            self._wait_for_work()
            until = self.now() + timedelta(seconds=seconds)
            self._run_due_tasks(until, self._wait_for_work)
            self._advanced += max(until - self.now(), timedelta())
        self.wake()
        return until

    def close(self) -> None:
        """Run the due tasks and stop the thread. `wake` starts it again."""
        with self._wakeup:
            thread, self._closed = self._thread, True
            self._wakeup.notify_all()
        if thread is not None:
            thread.join()
        with self._wakeup:  # after the join: `wake` would otherwise start a thread that never ends
            self._thread = None

    def set_offset(self, offset: timedelta) -> None:
        """Set the difference to this computer's time. Tasks that would fall due in between do not run."""
        with self._run_lock:
            self._origin, self._advanced = datetime.now(UTC), offset
            self._completed_until = self.now()
        self.wake()

    def _run(self) -> None:
        while True:
            with self._wakeup:
                self._has_new_tasks, closed = False, self._closed
            with self._run_lock:
                self._run_due_tasks(self.now())
                next_due = self._find_next_due()
            if closed:
                return
            with self._wakeup:
                wait = _MAX_WAIT if next_due is None else min((next_due - self.now()) / self.scale, _MAX_WAIT)
                self._wakeup.wait_for(lambda: self._has_new_tasks or self._closed, max(wait.total_seconds(), 0))

    def _run_due_tasks(self, until: datetime, after_each: Callable[[], None] = lambda: None) -> None:
        """Run every task that is due until then, and move the time ahead to each moment."""
        while (moment := self._find_next_due()) is not None and moment <= until:
            self._advanced += max(moment - self.now(), timedelta())
            self._completed_until = moment
            for task in self._tasks:
                try:
                    task.run_due(moment)
                except Exception:  # the other tasks must still run
                    traceback.print_exc()
            after_each()
        self._completed_until = max(self._completed_until, until)

    def _wait_for_work(self) -> None:
        with self._wakeup:
            requests = self._requests.copy()
            self._wakeup.wait_for(lambda: self._work_count == 0 and requests.isdisjoint(self._requests))

    def _find_next_due(self) -> datetime | None:
        moments: list[datetime] = []
        for task in self._tasks:
            try:
                moment = task.next(self._completed_until)
            except Exception:  # the other tasks must still run
                traceback.print_exc()
                continue
            if moment is not None:
                moments.append(moment)
        return min(moments, default=None)
