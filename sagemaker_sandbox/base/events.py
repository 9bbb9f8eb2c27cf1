"""Publisher of state changes to EventBridge.

One thread sends the events in order. Callers therefore do not wait, and the thread holds no lock.
"""

import json
import queue
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple


class _Event(NamedTuple):
    account: str
    region: str
    entry: dict[str, Any]


class EventPublisher:
    """A queue of events and the thread that sends them. `client(service, region, account)` returns a boto3 client."""

    def __init__(self, client: Callable[[str, str, str], Any]) -> None:
        self._client = client
        self._events: queue.Queue[_Event | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def publish(
        self,
        account: str,
        region: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *arns: str,
        source: str = "aws.sagemaker",
        moment: datetime | None = None,
    ) -> None:
        """Queue an event for the account's EventBridge. `moment` is now by default. Return immediately."""
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail, default=_encode_time),
            "Resources": list(arns),
            "Time": moment or datetime.now(UTC),
        }
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
            self._events.put(_Event(account, region, entry))

    def close(self) -> None:
        """Return after every published event was sent."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._events.put(None)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                self._client("events", event.region, event.account).put_events(Entries=[event.entry])
            except Exception:  # the next event must still be sent
                traceback.print_exc()


def _encode_time(value: Any) -> Any:
    """Return a time as events hold it: milliseconds since the epoch."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    raise TypeError(f"{type(value).__name__} cannot be part of an event")
