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
    SAMPLE_YEAR,
    CronExpression,
    find_time_zone,
    parse_cron,
)
from sustainable_mlops.plan.schedules import count_runs_per_month
from sustainable_mlops.plan.values import UNKNOWN

#: Maximum number of moments in a week or a year. Real schedules have fewer.
_MAX_MOMENTS = 5_000


class CapacityAction(NamedTuple):
    """A scheduled action: its schedule, the limits that it sets (None keeps a limit), and its time zone."""

    schedule: str
    minimum: float | None
    maximum: float | None
    zone: str = "UTC"


class Span(NamedTuple):
    """A share of the time with the same limits. `still` is the capacity if nothing else changes it."""

    share: float
    minimum: float
    maximum: float
    fixed: float


@lru_cache(maxsize=1024)
def compute_spans(
    start: float, minimum: float, maximum: float, actions: tuple[CapacityAction, ...]
) -> tuple[Span, ...]:
    """Return the long-run spans that `actions` give a scalable target; without actions there is one span.

    A capacity outside the limits is brought inside as soon as they are set. Actions and the registration of the target
    set limits (API reference, RegisterScalableTarget). Raises ValueError with the reason if the spans cannot be
    computed.
    """
    state = _apply_limits(Span(1.0, minimum, maximum, start), None, None)
    if len(actions) == 1 and _is_recurring(actions[0]):
        return (_apply_limits(state, actions[0].minimum, actions[0].maximum),)
    moments, period = _list_moments(actions)
    if not moments:
        return (state,)
    for step in moments.values():  # one full period removes the effect of the initial state
        state = _apply_limits(state, *step)
    shares: dict[tuple[float, float, float], float] = {}
    for (moment, step), (following, _) in pairwise([*moments.items(), (min(moments) + period, (None, None))]):
        state = _apply_limits(state, *step)
        shares[state[1:]] = shares.get(state[1:], 0.0) + (following - moment) / period
    return tuple(Span(share, *limits) for limits, share in shares.items())


def _apply_limits(state: Span, minimum: float | None, maximum: float | None) -> Span:
    low, high = state.minimum if minimum is None else minimum, state.maximum if maximum is None else maximum
    if low > high:
        raise ValueError(f"the minimum of {low:g} is above the maximum of {high:g}, and AWS refuses that")
    return Span(state.share, low, high, min(max(state.fixed, low), high))


def _is_recurring(action: CapacityAction) -> bool:
    """Return whether the action runs repeatedly. Raises ValueError if that cannot be determined."""
    if count_runs_per_month(action.schedule) is UNKNOWN:
        raise ValueError(f"{action.schedule} is not a schedule")
    if action.schedule.startswith("rate("):
        return True
    return next(_parse_schedule(action).list_dates(), None) is not None


def _parse_schedule(action: CapacityAction) -> CronExpression:
    kind, _, fields = action.schedule.removesuffix(")").partition("(")
    if kind == "rate":
        raise ValueError(f"{action.schedule} runs beside other actions, and its start time is not known")
    if kind != "cron":
        raise ValueError(f"{action.schedule} runs only once")
    cron = parse_cron(fields)
    if cron.year != "*":
        raise ValueError(f"{action.schedule} runs only in some years")
    return cron


def _list_moments(actions: tuple[CapacityAction, ...]) -> tuple[dict[int, tuple[float | None, float | None]], int]:
    """Return the limits that are set at each minute of the period, in order, and the period in minutes."""
    crons = [(action, _parse_schedule(action)) for action in actions if _is_recurring(action)]
    # Daylight saving time changes the order of actions in different time zones during the year.
    weekly = all(cron.is_weekly for _, cron in crons) and len({action.zone for action in actions}) < 2
    limits_by_moment: dict[int, tuple[float | None, float | None]] = {}
    for action, cron in crons:
        for moment in _list_week_moments(cron) if weekly else _list_year_moments(cron, action.zone):
            limits_by_moment[moment] = _merge_limits(
                limits_by_moment.get(moment, (None, None)), (action.minimum, action.maximum)
            )
            if len(limits_by_moment) > _MAX_MOMENTS:
                raise ValueError("the actions run too often")
    return dict(sorted(limits_by_moment.items())), MINUTES_PER_WEEK if weekly else MINUTES_PER_YEAR


def _merge_limits(
    first: tuple[float | None, float | None], second: tuple[float | None, float | None]
) -> tuple[float | None, float | None]:
    """Return the limits that two actions of the same minute set."""
    if any(
        first_limit is not None and second_limit is not None and first_limit != second_limit
        for first_limit, second_limit in zip(first, second, strict=True)
    ):
        raise ValueError("two actions in the same minute set different limits")
    minimum, maximum = (
        second_limit if first_limit is None else first_limit
        for first_limit, second_limit in zip(first, second, strict=True)
    )
    return minimum, maximum


def _list_week_moments(cron: CronExpression) -> Iterator[int]:
    times = cron.list_minutes()
    return (day * MINUTES_PER_DAY + time for day in cron.list_weekdays() for time in times)


def _list_year_moments(cron: CronExpression, zone: str) -> Iterable[int]:
    first, times = datetime(SAMPLE_YEAR, 1, 1, tzinfo=UTC), cron.list_minutes()
    for day in cron.list_dates():
        local = datetime(day.year, day.month, day.day, tzinfo=find_time_zone(zone))
        for time in times:
            moment = local + timedelta(minutes=time)  # wall-clock time since midnight, regardless of the UTC offset
            yield int((moment.astimezone(UTC) - first).total_seconds()) // 60 % MINUTES_PER_YEAR
