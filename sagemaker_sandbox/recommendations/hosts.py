"""Whom a benchmark asks for the endpoint that it puts under load."""

from typing import Protocol

from sagemaker_sandbox.deployments import hosts


class Hosts(hosts.Hosts, Protocol):
    """Who makes fleets, and lets them go."""

    def let_go(self, endpoint: str) -> None:
        """End all instances of an endpoint; returns at once."""
