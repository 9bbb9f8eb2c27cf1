"""Months of usage, and the moment when AWS publishes their emissions."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

#: Day of the next month on which a month is published at the latest. Source: AWS Sustainability user guide, "Key
#: concepts": January data is published by February 21st.
_PUBLICATION_DAY = 21


class Month(NamedTuple):
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def from_moment(cls, moment: datetime) -> "Month":
        """Return the month of a moment."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def start(self) -> datetime:
        """First moment of the month."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def end(self) -> datetime:
        """First moment after the month."""
        return self.next.start

    @property
    def publication(self) -> datetime:
        """Moment when the emissions of the month are published."""
        return self.end.replace(day=_PUBLICATION_DAY)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


def list_months(start: datetime, end: datetime) -> Iterator[Month]:
    """Yield the months from that of `start` to that of the last moment before `end`."""
    month = Month.from_moment(start)
    while month.start < end:
        yield month
        month = month.next


def find_next_publication(after: datetime) -> datetime:
    """Return the first publication after a moment."""
    month = Month.from_moment(after)
    publication = month.start.replace(day=_PUBLICATION_DAY)
    return publication if publication > after else month.next.start.replace(day=_PUBLICATION_DAY)
