"""The online store: the latest record of each identifier, in memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class OnlineEntry:
    """The latest write of one record. `record` is None after a deletion, which an older write must not undo."""

    event_time: datetime
    record: Mapping[str, Any] | None
    expires_at: datetime | None = None


@dataclass
class OnlineRecords:
    """The latest entry of each record identifier."""

    entries: dict[str, OnlineEntry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, identifier: str, entry: OnlineEntry) -> bool:
        """Store the entry unless a newer one exists, and return whether it was stored.

        With equal event times, the later write wins.
        """
        with self._lock:
            existing = self.entries.get(identifier)
            if existing is not None and existing.event_time > entry.event_time:
                return False
            self.entries[identifier] = entry
            return True

    def remove(self, identifier: str, event_time: datetime) -> None:
        """Remove every trace of a record that is not newer than `event_time`."""
        with self._lock:
            existing = self.entries.get(identifier)
            if existing is not None and existing.event_time <= event_time:
                del self.entries[identifier]

    def read(self, identifier: str) -> OnlineEntry | None:
        """Return the entry of a record that exists and has not expired, or None."""
        entry = self.entries.get(identifier)
        if entry is None or entry.record is None:
            return None
        if entry.expires_at is not None and entry.expires_at <= datetime.now(UTC):
            return None
        return entry

    def to_data(self) -> dict[str, Any]:
        """Return all entries as plain data."""
        with self._lock:
            return {identifier: vars(entry) for identifier, entry in self.entries.items()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "OnlineRecords":
        """Return the store from plain data."""
        return cls({identifier: OnlineEntry(**entry) for identifier, entry in data.items()})
