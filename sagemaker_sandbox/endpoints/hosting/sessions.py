"""Stateful sessions: all requests of a session go to the same instance.

Source: "Stateful sessions with Amazon SageMaker AI models" in the developer guide.
"""

import threading
from datetime import UTC, datetime

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.endpoints.hosting.reservation import Reservation

#: Session ID that requests a new session.
NEW_SESSION = "NEW_SESSION"


class StatefulSessions:
    """Sessions of one endpoint. A session ends with its instance, because its state is lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reservations: dict[str, tuple[Reservation, datetime]] = {}

    def reserve(self, invocation: Invocation) -> Reservation | None:
        """Reserve the instance of the session; None if the session does not exist."""
        reservation, expires = self._reservations.get(invocation.session_id, (None, None))
        if reservation is None or expires is None or expires <= self._clock.now():
            return None
        return reservation.reserve_same_instance()

    def update(self, response: InvocationResponse, reservation: Reservation) -> None:
        """Register a session that the container opened, or remove one that it closed."""
        with self._lock:
            if response.new_session_id:
                session, _, expiry = response.new_session_id.partition("; Expires=")
                now = self._clock.now()
                for name in [name for name, (_, expires) in self._reservations.items() if expires <= now]:
                    del self._reservations[name]
                self._reservations[session] = (reservation, _parse_expiry(expiry))
            self._reservations.pop(response.closed_session_id, None)


def _parse_expiry(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:  # the model chooses the text
        return datetime.max.replace(tzinfo=UTC)
