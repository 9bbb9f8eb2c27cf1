"""Clients for the tasks of state machines."""

from collections.abc import Callable
from typing import Any

from sustainable_mlops.aws.arn import Arn

#: The function `create(service, region, account)` of the sandbox; empty before the application starts.
_factories: list[Callable[[str, str, str], Any]] = []


def set_client_factory(factory: Callable[[str, str, str], Any]) -> None:
    """Set the function that creates clients of the sandbox, when the application starts."""
    _factories[:] = [factory]


def create_client(region: str, service: str, state_credentials: Any = None) -> Any:
    """Return a client of the sandbox for the account of the task's role. The parameters follow moto's function."""
    (factory,) = _factories
    return factory(service, region, Arn.parse(state_credentials.role_arn).account)
