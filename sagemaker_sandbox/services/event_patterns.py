"""EventBridge's TestEventPattern. moto matches events and has no such operation."""

import json

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

#: Members that EventBridge requires of an event.
_MEMBERS = ("id", "account", "source", "time", "region", "resources", "detail-type")


class EventPatternOperations(ServiceOperations):
    """Operations of event patterns."""

    service = moto_service = signing_name = "events"

    @emulated_operation
    def test_event_pattern(self, request: ServiceRequest) -> Fields:
        """Match an event. Raises ApiError if it is not an event."""
        from moto.events.models import EventPattern

        try:
            event = json.loads(request.parameters["Event"])
        except ValueError:
            event = None
        if not isinstance(event, dict) or not event.keys() >= set(_MEMBERS):
            raise ValidationError(
                f"Parameter Event is not valid. Reason: It is a JSON object with {', '.join(_MEMBERS)}."
            )
        return {"Result": EventPattern.load(request.parameters["EventPattern"]).matches_event(event)}
