"""Clients for the tasks of state machines."""

from collections.abc import Callable
from typing import Any

#: `client(service, region, account)` of the sandbox.
_clients: list[Callable[[str, str, str], Any]] = []


def connect(client: Callable[[str, str, str], Any]) -> None:
    """Set the clients of the sandbox, when the application starts."""
    _clients[:] = [client]


def create_client(region: str, service: str, state_credentials: Any = None) -> Any:
    """Return a client of the sandbox for the account of the task's role. The parameters are those of moto."""
    (client,) = _clients
    return client(service, region, str(state_credentials.role_arn).split(":")[4])
