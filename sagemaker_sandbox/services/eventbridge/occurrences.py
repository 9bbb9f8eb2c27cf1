"""Schedules: the expressions `at(…)`, `rate(…)` and `cron(…)` of EventBridge and its Scheduler.

Source: the Scheduler user guide, "Schedule types". An occurrence at a time that daylight saving skips is left out. An
occurrence at a time that comes twice is due the first time.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, Protocol

from sustainable_mlops.aws import cron
from sustainable_mlops.aws.cron import CronExpression

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_YEARS = (1970, 2199)
#: Number of years in which at least one February has 29 days.
_LEAP_YEARS = 8


class Occurrences(Protocol):
    """The moments at which a schedule is due."""

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment later than `after`."""


class Once(NamedTuple):
    """A schedule with one moment."""

    moment: datetime

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment later than `after`."""
        return self.moment if self.moment > after else None


class Rate(NamedTuple):
    """A schedule with a rate, from a first moment on."""

    first: datetime
    period: timedelta

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment later than `after`."""
        if after < self.first:
            return self.first
        return self.first + ((after - self.first) // self.period + 1) * self.period


class Calendar(NamedTuple):
    """A schedule with a cron expression in a time zone."""

    fields: CronExpression
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment later than `after`, or None if the expression's years have no other."""
        for day in self._list_days(after.astimezone(self.zone).date()):
            for minutes in self.fields.list_minutes():
                moment = _to_moment(day, minutes, self.zone)
                if moment is not None and moment > after:
                    return moment
        return None

    def _list_days(self, first: date) -> Iterator[date]:
        years = cron.list_values(self.fields.year, *_YEARS)
        for year in range(first.year, _YEARS[1] + 1):
            if year not in years:
                continue
            if year > max(first.year, min(later for later in years if later >= first.year)) + _LEAP_YEARS:
                return
            day = max(first, date(year, 1, 1))
            while day.year == year:
                if self.fields.is_on(day):
                    yield day
                day += timedelta(days=1)


def parse_schedule(expression: str, zone: str, first: datetime) -> Occurrences:
    """Return the occurrences of an expression; a rate begins at `first`. Raises ValueError with the reason."""
    kind, bracket, rest = expression.partition("(")
    if not bracket or not rest.endswith(")"):
        raise ValueError(f"{expression} is not at(…), rate(…) or cron(…)")
    fields = rest[:-1]
    if kind == "at":
        local = datetime.fromisoformat(fields)
        if local.tzinfo is not None or "T" not in fields:
            raise ValueError(f"{expression} is not at(yyyy-mm-ddThh:mm:ss)")
        return Once(local.replace(tzinfo=cron.find_time_zone(zone)).astimezone(UTC))
    if kind == "rate":
        return Rate(first, parse_period(fields))
    if kind != "cron":
        raise ValueError(f"{expression} is not at(…), rate(…) or cron(…)")
    return _parse_calendar(fields, zone)


@lru_cache(maxsize=128)
def _parse_calendar(fields: str, zone: str) -> Calendar:
    """Return the occurrences of a cron expression. The clock needs them in every minute in which an alarm is due."""
    calendar = Calendar(cron.parse_cron(fields), cron.find_time_zone(zone))
    cron.list_values(calendar.fields.year, *_YEARS)
    calendar.fields.list_minutes()
    list(calendar.fields.list_dates())  # raises ValueError for an invalid field
    return calendar


def parse_period(fields: str) -> timedelta:
    """Return the time between two occurrences of `rate(value unit)`. Raises ValueError."""
    try:
        value, unit = fields.split()
        return cron.parse_positive(value) * _UNITS[unit.removesuffix("s")]
    except (ValueError, KeyError):
        raise ValueError(f"rate({fields}) is not rate(value unit), of minutes, hours or days") from None


def _to_moment(day: date, minutes: int, zone: tzinfo) -> datetime | None:
    """Return the first moment with this local time, or None if the zone skips it."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
