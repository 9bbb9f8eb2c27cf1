"""When a schedule falls due: `at(…)`, `rate(…)` and `cron(…)` as EventBridge and its Scheduler take them.

Source: the Scheduler user guide, "Schedule types". What is at a time that summer time leaves out is skipped; what is at
a time that comes twice is due the first time.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol

from sustainable_mlops.aws import cron
from sustainable_mlops.aws.cron import CronExpression

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_YEARS = (1970, 2199)
#: February has 29 days at least once in so many.
_LEAP_YEARS = 8


class Occurrences(Protocol):
    """The moments at which something is due, aware."""

    def next(self, after: datetime) -> datetime | None:
        """The first one later than `after`."""


class Once(NamedTuple):
    """At one moment."""

    moment: datetime

    def next(self, after: datetime) -> datetime | None:
        """The first one later than `after`."""
        return self.moment if self.moment > after else None


class Every(NamedTuple):
    """At a rate, from the first on."""

    first: datetime
    period: timedelta

    def next(self, after: datetime) -> datetime | None:
        """The first one later than `after`."""
        if after < self.first:
            return self.first
        return self.first + ((after - self.first) // self.period + 1) * self.period


class Calendar(NamedTuple):
    """By the fields of a cron expression, on the clocks of a zone."""

    fields: CronExpression
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """The first one later than `after`; None where there is none in the years that have one."""
        for day in self._days(after.astimezone(self.zone).date()):
            for minutes in self.fields.list_minutes():
                moment = _on_the_clock(day, minutes, self.zone)
                if moment is not None and moment > after:
                    return moment
        return None

    def _days(self, first: date) -> Iterator[date]:
        years = cron.list_values(self.fields.year, *_YEARS)
        for year in range(first.year, _YEARS[1] + 1):
            if year not in years:
                continue
            if year > max(first.year, min(one for one in years if one >= first.year)) + _LEAP_YEARS:
                return
            day = max(first, date(year, 1, 1))
            while day.year == year:
                if self.fields.is_on(day):
                    yield day
                day += timedelta(days=1)


def of(expression: str, zone: str, first: datetime) -> Occurrences:
    """The occurrences of an expression; of a rate, from `first` on. Raises ValueError with the reason."""
    kind, bracket, rest = expression.partition("(")
    if not bracket or not rest.endswith(")"):
        raise ValueError(f"{expression} is none of at(…), rate(…) and cron(…)")
    fields = rest[:-1]
    if kind == "at":
        local = datetime.fromisoformat(fields)
        if local.tzinfo is not None or "T" not in fields:
            raise ValueError(f"{expression} is not at(yyyy-mm-ddThh:mm:ss)")
        return Once(local.replace(tzinfo=cron.find_time_zone(zone)).astimezone(UTC))
    if kind == "rate":
        return Every(first, period(fields))
    if kind != "cron":
        raise ValueError(f"{expression} is none of at(…), rate(…) and cron(…)")
    found = Calendar(cron.parse_cron(fields), cron.find_time_zone(zone))
    cron.list_values(found.fields.year, *_YEARS)
    found.fields.list_minutes()
    list(found.fields.list_dates())  # raises for a field that is none
    return found


def period(fields: str) -> timedelta:
    """The time between two occurrences of `rate(value unit)`. Raises ValueError."""
    try:
        value, unit = fields.split()
        return cron.parse_positive(value) * _UNITS[unit.removesuffix("s")]
    except (ValueError, KeyError):
        raise ValueError(f"rate({fields}) is not rate(value unit), of minutes, hours or days") from None


def _on_the_clock(day: date, minutes: int, zone: tzinfo) -> datetime | None:
    """The moment at which the clocks of the zone show it, the first where there are two; None where they never do."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
