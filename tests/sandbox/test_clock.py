"""The clock runs each due task once, in order and at its moment, whether time passes or is advanced."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest

from sagemaker_sandbox.base.clock import Clock
from tests.sandbox.support import wait_until


class RecordingTask:
    """A task with several moments, which records its runs."""

    def __init__(self, clock: Clock, moments: list[datetime]) -> None:
        self._clock = clock
        self._moments = moments
        self.run_moments: list[datetime] = []
        self.run_times: list[datetime] = []
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        return next((moment for moment in self._moments if moment > after), None)

    def run_due(self, moment: datetime) -> None:
        if moment in self._moments:
            self.run_moments.append(moment)
            self.run_times.append(self._clock.now())


def test_tasks_run_in_order_as_time_passes() -> None:
    clock = Clock()
    begin = clock.now()
    moments = [begin + timedelta(milliseconds=number / 2) for number in range(1, 400)]
    task = RecordingTask(clock, moments)
    clock.wake()
    wait_until(lambda: len(task.run_moments) == len(moments))
    clock.close()
    assert task.run_moments == moments
    assert all(run_time >= moment for run_time, moment in zip(task.run_times, moments, strict=True))


def test_an_advance_runs_the_tasks_of_all_members_in_order() -> None:
    clock = Clock()
    begin = clock.now()
    days = [begin + timedelta(days=day) for day in range(1, 6)]
    odd, even = RecordingTask(clock, days[::2]), RecordingTask(clock, days[1::2])
    moment = clock.advance(timedelta(days=4.5).total_seconds())
    clock.close()
    assert (odd.run_moments, even.run_moments) == ([days[0], days[2]], [days[1], days[3]])
    assert all(
        run_time - day < timedelta(hours=1)
        for run_time, day in zip(odd.run_times + even.run_times, odd.run_moments + even.run_moments, strict=True)
    )
    assert timedelta(days=4.5) <= moment - begin < timedelta(days=4.6)
    assert clock.now() >= moment


def test_a_failing_task_does_not_block_the_others() -> None:
    class Broken:
        def next(self, after: datetime) -> datetime | None:
            return after + timedelta(hours=1)

        def run_due(self, _moment: datetime) -> None:
            raise RuntimeError("broken")

    clock = Clock()
    clock.add_task(Broken())
    task = RecordingTask(clock, [clock.now() + timedelta(hours=3)])
    clock.advance(4 * 3600)
    clock.close()
    assert len(task.run_moments) == 1


def test_a_clock_closes_while_a_task_wakes_it() -> None:
    class WakingTask:
        """A task that wakes the clock while the clock closes."""

        def __init__(self, clock: Clock) -> None:
            self.has_started, self._due = Event(), clock.now() + timedelta(milliseconds=1)
            self._clock = clock
            clock.add_task(self)

        def next(self, after: datetime) -> datetime | None:
            return self._due if after < self._due else None

        def run_due(self, _moment: datetime) -> None:
            self.has_started.set()
            wait_until(lambda: self._clock._closed)
            self._clock.wake()

    clock = Clock()
    waking_task = WakingTask(clock)
    clock.wake()
    assert waking_task.has_started.wait(30)
    closing = Thread(target=clock.close, daemon=True)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


@pytest.mark.slow
def test_time_can_pass_faster_than_on_this_machine() -> None:
    clock = Clock(scale=3600)
    task = RecordingTask(clock, [clock.now() + timedelta(minutes=minute) for minute in (1, 30, 60)])
    clock.wake()
    wait_until(lambda: len(task.run_moments) == 3)
    clock.close()
    assert clock.offset >= timedelta(minutes=59)


def test_an_advance_waits_only_for_requests_that_began_before_it() -> None:
    clock = Clock()
    with ExitStack() as later:
        with clock.track_request():
            mover = Thread(target=clock.advance, args=(60,))
            mover.start()
            mover.join(0.2)
            assert mover.is_alive()
            later.enter_context(clock.track_request())
        mover.join(30)
        assert not mover.is_alive()
    clock.close()


def test_an_advance_waits_for_work() -> None:
    clock = Clock()
    task = RecordingTask(clock, [clock.now() + timedelta(hours=1)])
    with clock.track_work():
        mover = Thread(target=clock.advance, args=(7200,))
        mover.start()
        mover.join(0.2)
        assert task.run_moments == []
    mover.join()
    clock.close()
    assert len(task.run_moments) == 1
