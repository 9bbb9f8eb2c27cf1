"""TestEventPattern: moto has none, and knows how to match."""

import json
from typing import Any

from moto.events.exceptions import JsonRESTError
from moto.events.models import EventPattern
from moto.events.responses import EventsHandler

#: Without these, EventBridge takes no text for an event.
_MEMBERS = ("id", "account", "source", "time", "region", "resources", "detail-type")


def close() -> None:
    """Answer the operation."""

    def test_event_pattern(self: Any) -> str:
        try:
            event = json.loads(self._get_param("Event"))
        except ValueError:
            event = None
        if not isinstance(event, dict) or not event.keys() >= set(_MEMBERS):
            message = f"Parameter Event is not valid. Reason: It is a JSON object with {', '.join(_MEMBERS)}."
            raise JsonRESTError("ValidationException", message)
        pattern = EventPattern.load(self._get_param("EventPattern"))
        return json.dumps({"Result": pattern.matches_event(event)})

    EventsHandler.test_event_pattern = test_event_pattern
