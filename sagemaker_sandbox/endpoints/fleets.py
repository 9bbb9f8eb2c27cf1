"""Fleets of all endpoints of a Region, and the traffic to them."""

import threading
from collections.abc import Callable, Mapping

from sagemaker_sandbox.endpoints.hosting.endpoint import HostedEndpoint, ServingState, ShadowResponseListener
from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.logs import EndpointLogs
from sagemaker_sandbox.endpoints.hosting.traffic import Traffic
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart


class Fleets(ServicePart):
    """Fleets by endpoint. A deployment creates a fleet, and the deletion of the endpoint ends all of them."""

    def __init__(self, region: AccountRegion, logs: EndpointLogs) -> None:
        super().__init__(region)
        self._logs = logs
        self._lock = threading.Lock()
        self._endpoints: dict[str, HostedEndpoint] = {}
        self._is_closed = False
        #: Deleted endpoints with unpublished metrics.
        self._deleted: list[HostedEndpoint] = []
        #: Function that returns what an endpoint in service serves, or None. Called after a restart.
        self.find_serving: Callable[[str], ServingState | None] = lambda _: None
        #: Functions to call with the name of an endpoint that may have capacity again. They must return soon.
        self.on_capacity_freed: list[Callable[[str], None]] = []
        #: Function to call with the response of a shadow variant. It must return soon.
        self.on_shadow_response: ShadowResponseListener = lambda *_: None

    def create_fleet(self, endpoint: str, config: Fields, models: Mapping[str, list[Fields]]) -> EndpointFleet:
        """Create a fleet, which does not run yet and has no traffic. `models` has the containers of each variant."""
        fleet = self._get_endpoint(endpoint).add_fleet(config, models)
        self.region.clock.wake()
        return fleet

    def get_traffic(self, endpoint: str) -> Traffic:
        """Return the traffic of an endpoint.

        After a restart, the first call starts the instances and waits for them. Never call this with the Region's lock
        held. Raises StartError.
        """
        hosted_endpoint = self._get_endpoint(endpoint)
        hosted_endpoint.resume(self.find_serving)
        return hosted_endpoint.traffic

    def release(self, endpoint: str) -> None:
        """End all instances of an endpoint after their current requests. Return immediately."""
        with self._lock:
            hosted_endpoint = self._endpoints.pop(endpoint, None)
            if hosted_endpoint is None:
                return
            self._deleted = [deleted for deleted in self._deleted if not deleted.is_finished] + [hosted_endpoint]
        self.region.start_thread(f"close {endpoint}", hosted_endpoint.close)

    def list_measured_endpoints(self) -> list[HostedEndpoint]:
        """Return every endpoint with metrics to publish."""
        with self._lock:
            return [*self._endpoints.values(), *self._deleted]

    def _get_endpoint(self, name: str) -> HostedEndpoint:
        with self._lock:
            if name not in self._endpoints:
                folder = self.region.folder / "endpoints"
                self._endpoints[name] = hosted_endpoint = HostedEndpoint(
                    self.region,
                    name,
                    folder,
                    self._notify_capacity,
                    lambda *response: self.on_shadow_response(*response),
                    self._logs,
                )
                if self._is_closed:
                    hosted_endpoint.close()
            return self._endpoints[name]

    def _notify_capacity(self, endpoint: str) -> None:
        for notify in self.on_capacity_freed:
            notify(endpoint)

    def close(self) -> None:
        """End all instances immediately. Current requests fail."""
        with self._lock:
            self._is_closed = True
            endpoints = [*self._endpoints.values(), *self._deleted]
        for endpoint in endpoints:
            endpoint.close(immediately=True)
