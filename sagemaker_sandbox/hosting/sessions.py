"""Stateful sessions: their requests go to the instance that began them.

Source: "Stateful sessions with Amazon SageMaker AI models" in the developer guide.
"""

import threading
from datetime import UTC, datetime

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.hosting.reservation import Reservation

#: What asks for a session that has yet to begin.
NEW_SESSION = "NEW_SESSION"


class Sessions:
    """Those of one endpoint. What a session's model keeps goes with its instance, and so does the session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._places: dict[str, tuple[Reservation, datetime]] = {}

    def reserve(self, asked: Invocation) -> Reservation | None:
        """A place where the session of the request is; None where there is none any more."""
        place, expires = self._places.get(asked.session_id, (None, None))
        if place is None or expires is None or expires <= self._clock.now():
            return None
        return place.reserve_same_instance()

    def update(self, answer: InvocationResponse, place: Reservation) -> None:
        """The container may have begun a session, or closed one."""
        with self._lock:
            if answer.new_session_id:
                begun, _, until = answer.new_session_id.partition("; Expires=")
                now = self._clock.now()
                for name in [name for name, (_, expires) in self._places.items() if expires <= now]:
                    del self._places[name]
                self._places[begun] = (place, _moment(until))
            self._places.pop(answer.closed_session_id, None)


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:  # what the model says is its own
        return datetime.max.replace(tzinfo=UTC)
