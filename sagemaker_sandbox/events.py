"""Changes of state told to EventBridge: in order, and by a thread of its own, so that nobody waits or holds a lock."""

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


class Publisher:
    """`client(service, region, account)` gives the EventBridge that hears of it."""

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
        """Tell the account's EventBridge soon, of now unless another moment is given; returns at once."""
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail, default=_moment),
            "Resources": list(arns),
            "Time": moment or datetime.now(UTC),
        }
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
            self._events.put(_Event(account, region, entry))

    def close(self) -> None:
        """Returns once all that was published has been told."""
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
            except Exception:  # the next event must still be told
                traceback.print_exc()


def _moment(value: Any) -> Any:
    """Times in events are milliseconds since the epoch."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    raise TypeError(f"{type(value).__name__} is no part of an event")
