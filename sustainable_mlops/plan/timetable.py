"""Limits of a scalable target over time, as its scheduled actions set them.

An action sets the minimum, the maximum or both, and brings the capacity within them. The limits stay until the next
action (Application Auto Scaling user guide, "How scheduled scaling works"). Recurring actions therefore give exact
shares of each week or each year.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from sustainable_mlops.aws.cron import (
    MINUTES_PER_DAY,
    MINUTES_PER_WEEK,
    MINUTES_PER_YEAR,
    YEAR,
    Cron,
    parsed,
    time_zone,
)
from sustainable_mlops.plan.schedules import runs_per_month
from sustainable_mlops.plan.values import UNKNOWN

#: Maximum number of moments in a week or a year. Real schedules have fewer.
_MOST_MOMENTS = 5_000


class Action(NamedTuple):
    """A scheduled action: its schedule, the limits that it sets (None keeps a limit), and its time zone."""

    schedule: str
    least: float | None
    most: float | None
    zone: str = "UTC"


class Span(NamedTuple):
    """A share of the time with the same limits. `still` is the capacity if nothing else changes it."""

    share: float
    least: float
    most: float
    still: float


@lru_cache(maxsize=1024)
def spans(start: float, least: float, most: float, actions: tuple[Action, ...]) -> tuple[Span, ...]:
    """Return the long-run spans that `actions` give a scalable target; without actions there is one span.

    A capacity outside the limits is brought inside as soon as they are set, by an action or by the registration of the
    target (API reference, RegisterScalableTarget). Raises ValueError with the reason if the spans cannot be computed.
    """
    state = _set(Span(1.0, least, most, start), None, None)
    if len(actions) == 1 and _recurs(actions[0]):
        return (_set(state, actions[0].least, actions[0].most),)
    moments, period = _moments(actions)
    if not moments:
        return (state,)
    for step in moments.values():  # one full period removes the effect of the initial state
        state = _set(state, *step)
    found: dict[tuple[float, float, float], float] = {}
    for (moment, step), (following, _) in pairwise([*moments.items(), (min(moments) + period, (None, None))]):
        state = _set(state, *step)
        found[state[1:]] = found.get(state[1:], 0.0) + (following - moment) / period
    return tuple(Span(share, *limits) for limits, share in found.items())


def _set(state: Span, least: float | None, most: float | None) -> Span:
    low, high = state.least if least is None else least, state.most if most is None else most
    if low > high:
        raise ValueError(f"the minimum of {low:g} is above the maximum of {high:g}, and AWS refuses that")
    return Span(state.share, low, high, min(max(state.still, low), high))


def _recurs(action: Action) -> bool:
    """Return whether the action runs repeatedly. Raises ValueError if that cannot be determined."""
    if runs_per_month(action.schedule) is UNKNOWN:
        raise ValueError(f"{action.schedule} is not a schedule")
    if action.schedule.startswith("rate("):
        return True
    return next(_cron(action).dates(), None) is not None


def _cron(action: Action) -> Cron:
    kind, _, fields = action.schedule.removesuffix(")").partition("(")
    if kind == "rate":
        raise ValueError(f"{action.schedule} runs beside other actions, and its start time is not known")
    if kind != "cron":
        raise ValueError(f"{action.schedule} runs only once")
    cron = parsed(fields)
    if cron.year != "*":
        raise ValueError(f"{action.schedule} runs only in some years")
    return cron


def _moments(actions: tuple[Action, ...]) -> tuple[dict[int, tuple[float | None, float | None]], int]:
    """Return the limits that are set at each minute of the period, in order, and the period in minutes."""
    crons = [(action, _cron(action)) for action in actions if _recurs(action)]
    # Daylight saving time changes the order of actions in different time zones during the year.
    weekly = all(cron.weekly for _, cron in crons) and len({action.zone for action in actions}) < 2
    found: dict[int, tuple[float | None, float | None]] = {}
    for action, cron in crons:
        for moment in _of_week(cron) if weekly else _of_year(cron, action.zone):
            found[moment] = _both(found.get(moment, (None, None)), (action.least, action.most))
            if len(found) > _MOST_MOMENTS:
                raise ValueError("the actions run too often")
    return dict(sorted(found.items())), MINUTES_PER_WEEK if weekly else MINUTES_PER_YEAR


def _both(
    one: tuple[float | None, float | None], other: tuple[float | None, float | None]
) -> tuple[float | None, float | None]:
    """Return the limits that two actions of the same minute set."""
    if any(mine is not None and its is not None and mine != its for mine, its in zip(one, other, strict=True)):
        raise ValueError("two actions in the same minute set different limits")
    least, most = (its if mine is None else mine for mine, its in zip(one, other, strict=True))
    return least, most


def _of_week(cron: Cron) -> Iterator[int]:
    times = cron.times()
    return (day * MINUTES_PER_DAY + time for day in cron.days_of_week() for time in times)


def _of_year(cron: Cron, zone: str) -> Iterable[int]:
    first, times = datetime(YEAR, 1, 1, tzinfo=UTC), cron.times()
    for day in cron.dates():
        local = datetime(day.year, day.month, day.day, tzinfo=time_zone(zone))
        for time in times:
            moment = local + timedelta(
                minutes=time
            )  # wall-clock time: the offset from midnight, whatever the UTC offset
            yield int((moment.astimezone(UTC) - first).total_seconds()) // 60 % MINUTES_PER_YEAR
