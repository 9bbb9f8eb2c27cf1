"""Parser for AWS cron expressions, and the moments of a week or a year that they select.

An expression is `cron(minutes hours day-of-month month day-of-week year)`, as in the EventBridge user guide ("Cron
expressions reference"). Application Auto Scaling and SageMaker use the same syntax.
"""

from collections.abc import Iterator
from datetime import UTC, date, tzinfo
from typing import NamedTuple

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
ANY_VALUE = ("*", "?")
MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
MINUTES_PER_YEAR = 365 * MINUTES_PER_DAY
#: The year that stands for every year of 8,760 h. It has each day of the week 52 times, and one of them 53 times.
SAMPLE_YEAR = 2027


class CronExpression(NamedTuple):
    """The six fields of an expression, as text."""

    minutes: str
    hours: str
    days: str
    months: str
    weekdays: str
    year: str

    @property
    def is_weekly(self) -> bool:
        """True if the expression selects the same moments in every week."""
        by_month = any(is_day_of_month(item) for item in self.weekdays.split(","))
        return self.days in ANY_VALUE and self.months == "*" and not by_month

    def list_minutes(self) -> list[int]:
        """Return the selected minutes of a day, in order."""
        hours, minutes = list_values(self.hours, 0, 23), list_values(self.minutes, 0, 59)
        return sorted(hour * 60 + minute for hour in hours for minute in minutes)

    def list_weekdays(self) -> list[int]:
        """Return the selected days of a week that starts on Sunday (0)."""
        if self.weekdays in ANY_VALUE:
            return list(range(7))
        items = ("7" if item == "L" else item for item in self.weekdays.split(","))
        return sorted({day - 1 for item in items for day in list_values(item, 1, 7, WEEKDAYS)})

    def list_dates(self) -> Iterator[date]:
        """Yield the selected days of `SAMPLE_YEAR`, in order."""
        for month in sorted(list_values(self.months, 1, 12, MONTHS)):
            days = (date(SAMPLE_YEAR, month, day) for day in range(1, _find_last_day(date(SAMPLE_YEAR, month, 1)) + 1))
            yield from filter(self.is_on, days)

    def is_on(self, day: date) -> bool:
        """Return whether the expression selects this day; the field for years is ignored."""
        in_month = day.month in list_values(self.months, 1, 12, MONTHS)
        return in_month and _is_on_date(self.days, day) and _is_on_weekday(self.weekdays, day)


def parse_cron(fields: str) -> CronExpression:
    """Parse the text between the brackets of an expression. Raises ValueError if it is not valid."""
    parts = fields.split()
    if len(parts) != 6:
        raise ValueError(f"{fields} does not have six fields")
    cron = CronExpression(*parts)
    if cron.days not in ANY_VALUE and cron.weekdays not in ANY_VALUE:
        raise ValueError(
            f"{cron.days} and {cron.weekdays}: AWS accepts only one of the two fields; the other must be ?"
        )
    return cron


def find_time_zone(name: str) -> tzinfo:
    """Return the time zone of that name. Raises ValueError if this computer does not know it."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # imported late: rarely used, and slow to load

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"the time zone {name} is not known on this computer") from None


def is_day_of_month(item: str) -> bool:
    """Return whether a day of the week is one day of a month: `6L` is the last Friday, `6#3` is the third."""
    return "#" in item or (item != "L" and item.endswith("L"))


def list_values(field: str, minimum: int, maximum: int, names: tuple[str, ...] = ()) -> set[int]:
    """Return the values of a field. Raises ValueError.

    A field is `*`, `5`, `1-5`, `FRI-MON`, `0/15`, `8-18/2` or a list of these.
    """
    values: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        start, _, end = span.partition("-")
        first = minimum if start in ANY_VALUE else _parse_number(start, minimum, maximum, names)
        last = _parse_number(end, minimum, maximum, names) if end else maximum if step or start in ANY_VALUE else first
        selected = range(first, last + 1) if first <= last else [*range(first, maximum + 1), *range(minimum, last + 1)]
        values.update(selected[:: parse_positive(step or "1")])
    return values


def parse_positive(text: str) -> int:
    """Parse a whole number above 0. Raises ValueError."""
    if int(text) < 1:
        raise ValueError(f"{text} is not above 0")
    return int(text)


def _parse_number(text: str, minimum: int, maximum: int, names: tuple[str, ...]) -> int:
    value = minimum + names.index(text.upper()) if text.upper() in names else int(text)
    if not minimum <= value <= maximum:
        raise ValueError(f"{text} is not between {minimum} and {maximum}")
    return value


def _is_on_date(field: str, day: date) -> bool:
    """Return whether a days-of-month field selects `day`: `*`, `1,15`, `L`, `L-3`, `LW` or `15W`."""
    if field in ANY_VALUE:
        return True
    last = _find_last_day(day)
    for item in field.split(","):
        if item == "LW":
            days = {_find_working_day(day.replace(day=last))}
        elif item.startswith("L"):
            days = {last - int(item[2:] or "0")}
        elif item.endswith("W"):
            days = {_find_working_day(day.replace(day=min(int(item[:-1]), last)))}
        else:
            days = list_values(item, 1, 31)
        if day.day in days:
            return True
    return False


def _find_last_day(day: date) -> int:
    """Return the last day of the month."""
    from calendar import monthrange  # most reviews read no cron expression, and the import is slow

    return monthrange(day.year, day.month)[1]


def _find_working_day(day: date) -> int:
    """Return the day from Monday to Friday that is nearest to `day` in its month."""
    last = _find_last_day(day)
    if day.weekday() == 5:
        return day.day - 1 if day.day > 1 else 3
    if day.weekday() == 6:
        return day.day + 1 if day.day < last else day.day - 2
    return day.day


def _is_on_weekday(field: str, day: date) -> bool:
    """Return whether a days-of-week field selects `day`: `?`, `MON-FRI`, `L`, `6L` or `6#3`."""
    if field in ANY_VALUE:
        return True
    number, last = day.isoweekday() % 7 + 1, _find_last_day(day)
    for item in field.split(","):
        if "#" in item:
            weekday, _, which = item.partition("#")
            is_match = number in list_values(weekday, 1, 7, WEEKDAYS) and (day.day - 1) // 7 + 1 == int(which)
        elif is_day_of_month(item):
            is_match = number in list_values(item[:-1], 1, 7, WEEKDAYS) and day.day > last - 7
        else:
            is_match = number in list_values("7" if item == "L" else item, 1, 7, WEEKDAYS)
        if is_match:
            return True
    return False
