"""Interface that provides deployments with fleets."""

from collections.abc import Mapping
from typing import Protocol

from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.traffic import Traffic
from sagemaker_sandbox.resources.resources import Fields


class FleetProvider(Protocol):
    """Source of new fleets and of the traffic of endpoints."""

    def create_fleet(self, endpoint: str, config: Fields, models: Mapping[str, list[Fields]]) -> EndpointFleet:
        """Create a fleet that is not started yet."""

    def get_traffic(self, endpoint: str) -> Traffic:
        """Return the traffic of an endpoint. After a restart, start the previous fleet. Raises StartError."""
