"""Calendar months in UTC, as in AWS's reports."""

from datetime import UTC, date, datetime
from typing import NamedTuple

from sustainable_mlops.base.errors import UserError

#: Day of the next month on which AWS publishes a month at the latest. Source: AWS Sustainability user guide, "Key
#: concepts".
PUBLICATION_DAY = 21
#: Months that are compared by default.
_DEFAULT_COUNT = 3
#: First month with data. Source: the same page.
_FIRST_YEAR = 2022


class ReportMonth(NamedTuple):
    """A calendar month."""

    year: int
    number: int

    @classmethod
    def from_moment(cls, moment: datetime | date) -> "ReportMonth":
        """Return the month of a date, or of a moment, in UTC. A moment without a zone is in UTC."""
        day = moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else moment
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str, option: str) -> "ReportMonth":
        """Return the month `2026-08`. Raises UserError that begins with `option`."""
        try:
            day = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
        except ValueError:
            raise UserError(f"{option}: {text} is not a month; write it as 2026-08") from None
        if day.year < _FIRST_YEAR:
            raise UserError(f"{option}: {text} is too early; AWS reports emissions from {_FIRST_YEAR}-01")
        return cls(day.year, day.month)

    def add(self, count: int) -> "ReportMonth":
        """Return the month `count` months later."""
        year, number = divmod(self.year * 12 + self.number - 1 + count, 12)
        return ReportMonth(year, number + 1)

    @property
    def start(self) -> datetime:
        """First moment of the month."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """First moment after the month."""
        return self.add(1).start

    @property
    def hours(self) -> float:
        """Hours of the month."""
        return (self.end - self.start).total_seconds() / 3600

    @property
    def publication(self) -> date:
        """Date on which AWS publishes the month at the latest."""
        return self.end.date().replace(day=PUBLICATION_DAY)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


def list_months(first: str | None, last: str | None, today: date) -> tuple[ReportMonth, ...]:
    """Return the months from `first` to `last`; by default, the three latest that AWS has published.

    Raises UserError if a month is wrong, or the first is after the last.
    """
    published = ReportMonth.from_moment(today).add(-1)
    published = published if published.publication <= today else published.add(-1)
    end = ReportMonth.parse(last, "--to") if last else published
    start = ReportMonth.parse(first, "--from") if first else end.add(1 - _DEFAULT_COUNT)
    if start > end:
        raise UserError(f"--from: {start} is after {end} (--to); pass an earlier month")
    if end.start.date() > today:
        raise UserError(f"--to: {end} has not begun; pass {ReportMonth.from_moment(today)} or an earlier month")
    return tuple(start.add(number) for number in range((end.year - start.year) * 12 + end.number - start.number + 1))
