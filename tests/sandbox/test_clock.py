"""What falls due is done once, in order, at its moment, whether time passes or is moved."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Event, Thread

from sagemaker_sandbox.clock import Clock
from tests.sandbox.support import until


class Appointments:
    """Moments, and at what time each was kept."""

    def __init__(self, clock: Clock, moments: list[datetime]) -> None:
        self._clock = clock
        self._moments = moments
        self.kept: list[datetime] = []
        self.at: list[datetime] = []
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        return next((moment for moment in self._moments if moment > after), None)

    def run_due(self, moment: datetime) -> None:
        if moment in self._moments:
            self.kept.append(moment)
            self.at.append(self._clock.now())


def test_time_that_passes_brings_each_in_its_turn() -> None:
    clock = Clock()
    begin = clock.now()
    moments = [begin + timedelta(milliseconds=number / 2) for number in range(1, 400)]
    diary = Appointments(clock, moments)
    clock.wake()
    until(lambda: len(diary.kept) == len(moments))
    clock.close()
    assert diary.kept == moments
    assert all(at >= moment for at, moment in zip(diary.at, moments, strict=True))


def test_time_that_is_moved_stops_at_each_of_all_agendas_in_order() -> None:
    clock = Clock()
    begin = clock.now()
    days = [begin + timedelta(days=day) for day in range(1, 6)]
    odd, even = Appointments(clock, days[::2]), Appointments(clock, days[1::2])
    moment = clock.advance(timedelta(days=4.5).total_seconds())
    clock.close()
    assert (odd.kept, even.kept) == ([days[0], days[2]], [days[1], days[3]])
    assert all(at - day < timedelta(hours=1) for at, day in zip(odd.at + even.at, odd.kept + even.kept, strict=True))
    assert timedelta(days=4.5) <= moment - begin < timedelta(days=4.6)
    assert clock.now() >= moment


def test_an_agenda_that_fails_keeps_nobody_from_the_others() -> None:
    class Broken:
        def next(self, after: datetime) -> datetime | None:
            return after + timedelta(hours=1)

        def run_due(self, _moment: datetime) -> None:
            raise RuntimeError("broken")

    clock = Clock()
    clock.add_task(Broken())
    diary = Appointments(clock, [clock.now() + timedelta(hours=3)])
    clock.advance(4 * 3600)
    clock.close()
    assert len(diary.kept) == 1


def test_a_clock_closes_while_what_it_does_wakes_it() -> None:
    class Restless:
        """Has one thing to do, and wakes the clock when that is told to close meanwhile."""

        def __init__(self, clock: Clock) -> None:
            self.begun, self._due = Event(), clock.now() + timedelta(milliseconds=1)
            self._clock = clock
            clock.add_task(self)

        def next(self, after: datetime) -> datetime | None:
            return self._due if after < self._due else None

        def run_due(self, _moment: datetime) -> None:
            self.begun.set()
            until(lambda: self._clock._closed)
            self._clock.wake()

    clock = Clock()
    restless = Restless(clock)
    clock.wake()
    assert restless.begun.wait(30)
    closing = Thread(target=clock.close, daemon=True)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


def test_time_may_pass_faster_than_this_machines() -> None:
    clock = Clock(scale=3600)
    diary = Appointments(clock, [clock.now() + timedelta(minutes=minute) for minute in (1, 30, 60)])
    clock.wake()
    until(lambda: len(diary.kept) == 3)
    clock.close()
    assert clock.offset >= timedelta(minutes=59)


def test_time_is_moved_once_what_was_being_answered_is_though_there_is_always_more() -> None:
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


def test_time_is_not_moved_before_what_is_being_made_is_there() -> None:
    clock = Clock()
    diary = Appointments(clock, [clock.now() + timedelta(hours=1)])
    with clock.track_work():
        mover = Thread(target=clock.advance, args=(7200,))
        mover.start()
        mover.join(0.2)
        assert diary.kept == []
    mover.join()
    clock.close()
    assert len(diary.kept) == 1
