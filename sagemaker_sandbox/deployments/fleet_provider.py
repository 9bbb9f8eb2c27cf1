"""Whom a change of an endpoint asks for fleets."""

from collections.abc import Mapping
from typing import Protocol

from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.traffic import Traffic
from sagemaker_sandbox.parts.resources import Fields


class FleetProvider(Protocol):
    """Who makes fleets, and knows which of them serve."""

    def create_fleet(self, endpoint: str, config: Fields, models: Mapping[str, list[Fields]]) -> EndpointFleet:
        """A fleet that has yet to be started."""

    def get_traffic(self, endpoint: str) -> Traffic:
        """The traffic of an endpoint; what served it before a restart serves again. Raises StartError."""
