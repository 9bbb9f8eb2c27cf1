"""EventBridge: moto shows the secrets of connections, and accepts any connection and endpoint for an API destination.

The ID of a connection follows from its name, account and Region, so that tests and examples can name its ARN.

Sources: API reference, DescribeConnection and CreateApiDestination; the words of the refusals were recorded on AWS.
"""

import copy
import uuid
from typing import Any

from moto.events.exceptions import ResourceNotFoundException, ValidationException
from moto.events.models import Connection, EventsBackend

_SECRETS = ("ApiKeyValue", "Password", "ClientSecret")


def apply() -> None:
    """Hide secrets, and check connections and endpoints of API destinations."""
    create_connection, describe_connection = EventsBackend.create_connection, Connection.describe
    create_destination = EventsBackend.create_api_destination
    update_destination = EventsBackend.update_api_destination

    def create_connection_with_id(self: Any, name: str, *arguments: Any, **options: Any) -> Any:
        connection = create_connection(self, name, *arguments, **options)
        start = f"arn:aws:events:{self.region_name}:{self.account_id}:connection/{name}"
        connection.arn = f"{connection.arn.rpartition('/')[0]}/{uuid.uuid5(uuid.NAMESPACE_URL, start)}"
        return connection

    def describe_without_secrets(self: Any) -> dict[str, Any]:
        description = describe_connection(self)
        return {**description, "AuthParameters": _hide_secrets(description["AuthParameters"])}

    def create_checked_destination(
        self: Any, name: str, description: Any, connection_arn: str, invocation_endpoint: str, *more: Any
    ) -> Any:
        _check_destination(self, connection_arn, invocation_endpoint)
        return create_destination(self, name, description, connection_arn, invocation_endpoint, *more)

    def update_checked_destination(self: Any, name: str, **options: Any) -> Any:
        _check_destination(self, options.get("connection_arn"), options.get("invocation_endpoint"))
        return update_destination(self, name, **options)

    EventsBackend.create_connection = create_connection_with_id
    Connection.describe = describe_without_secrets
    EventsBackend.create_api_destination = create_checked_destination
    EventsBackend.update_api_destination = update_checked_destination


def _check_destination(backend: Any, arn: str | None, endpoint: str | None) -> None:
    if endpoint is not None and not endpoint.startswith("https://"):
        raise ValidationException(
            f"Parameter InvocationEndpoint is not valid. Reason: Endpoint '{endpoint}' is not valid"
        )
    if arn is not None and arn not in [connection.arn for connection in backend.connections.values()]:
        raise ResourceNotFoundException(f"Connection '{arn}' does not exist.")


def _hide_secrets(parameters: dict[str, Any]) -> dict[str, Any]:
    visible_parameters = copy.deepcopy(parameters)
    for group in visible_parameters.values():
        for name in _SECRETS:
            group.pop(name, None)
        for items in (value for value in group.values() if isinstance(value, list)):
            for item in items:
                if item.get("IsValueSecret"):
                    item.pop("Value", None)
    return visible_parameters
