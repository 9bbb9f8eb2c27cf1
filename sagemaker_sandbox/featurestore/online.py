"""The online store: the latest record of each identifier, in memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A record as sent; `record` is None once deleted, which an older write must not undo."""

    event_time: datetime
    record: Mapping[str, Any] | None
    expires_at: datetime | None = None


@dataclass
class OnlineStore:
    """Record identifier to its latest entry."""

    entries: dict[str, Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, identifier: str, entry: Entry) -> bool:
        """Keep the entry unless the one there is newer; of two with the same event time the later write wins."""
        with self._lock:
            known = self.entries.get(identifier)
            if known is not None and known.event_time > entry.event_time:
                return False
            self.entries[identifier] = entry
            return True

    def remove(self, identifier: str, event_time: datetime) -> None:
        """Remove every trace of a record that is not newer than `event_time`."""
        with self._lock:
            known = self.entries.get(identifier)
            if known is not None and known.event_time <= event_time:
                del self.entries[identifier]

    def read(self, identifier: str) -> Entry | None:
        """The record of this identifier, if there is one that has not expired."""
        entry = self.entries.get(identifier)
        if entry is None or entry.record is None:
            return None
        if entry.expires_at is not None and entry.expires_at <= datetime.now(UTC):
            return None
        return entry

    def data(self) -> dict[str, Any]:
        """All of it as plain data."""
        with self._lock:
            return {identifier: vars(entry) for identifier, entry in self.entries.items()}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "OnlineStore":
        """What `data` was taken from."""
        return cls({identifier: Entry(**entry) for identifier, entry in data.items()})
