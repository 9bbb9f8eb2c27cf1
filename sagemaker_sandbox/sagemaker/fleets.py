"""The fleets of all endpoints of a Region, and the traffic to them."""

import threading
from collections.abc import Callable, Mapping

from sagemaker_sandbox.hosting.endpoint import HostedEndpoint, ServingState, ShadowResponseListener
from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.logs import EndpointLogs
from sagemaker_sandbox.hosting.traffic import Traffic
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart


class Fleets(ServicePart):
    """Made by whoever deploys, and let go with the endpoint."""

    def __init__(self, region: AccountRegion, logs: EndpointLogs) -> None:
        super().__init__(region)
        self._logs = logs
        self._lock = threading.Lock()
        self._endpoints: dict[str, HostedEndpoint] = {}
        self._closed = False
        #: Deleted ones, of whose requests not everything is told.
        self._gone: list[HostedEndpoint] = []
        #: What an endpoint serves that is in service, asked after a restart; None where there is no such endpoint.
        self.serving: Callable[[str], ServingState | None] = lambda _: None
        #: Called with an endpoint's name once there may be room for a request where there was none; must return soon.
        self.freed: list[Callable[[str], None]] = []
        #: Told of what shadow variants answer; must return soon.
        self.heard: ShadowResponseListener = lambda *_: None

    def create_fleet(self, endpoint: str, config: Fields, models: Mapping[str, list[Fields]]) -> EndpointFleet:
        """A fleet that has yet to be started, and to be given traffic. `models`: variant to its containers."""
        fleet = self._endpoint(endpoint).add_fleet(config, models)
        self.region.clock.wake()
        return fleet

    def get_traffic(self, endpoint: str) -> Traffic:
        """The traffic of an endpoint. What served it before a restart is started by whoever asks first, who waits for
        it: never call this with the Region's lock held. Raises StartError."""
        found = self._endpoint(endpoint)
        found.resume(self.serving)
        return found.traffic

    def let_go(self, endpoint: str) -> None:
        """End all instances of an endpoint, after their requests under way; returns at once."""
        with self._lock:
            gone = self._endpoints.pop(endpoint, None)
            if gone is None:
                return
            self._gone = [one for one in self._gone if not one.is_finished] + [gone]
        self.region.start_thread(f"close {endpoint}", gone.close)

    def measured(self) -> list[HostedEndpoint]:
        """Every endpoint that has metrics to tell."""
        with self._lock:
            return [*self._endpoints.values(), *self._gone]

    def _endpoint(self, name: str) -> HostedEndpoint:
        with self._lock:
            if name not in self._endpoints:
                folder = self.region.folder / "endpoints"
                self._endpoints[name] = made = HostedEndpoint(
                    self.region, name, folder, self._tell_freed, lambda *heard: self.heard(*heard), self._logs
                )
                if self._closed:
                    made.close()
            return self._endpoints[name]

    def _tell_freed(self, endpoint: str) -> None:
        for tell in self.freed:
            tell(endpoint)

    def close(self) -> None:
        """End all instances at once; requests under way fail."""
        with self._lock:
            self._closed = True
            endpoints = [*self._endpoints.values(), *self._gone]
        for endpoint in endpoints:
            endpoint.close(at_once=True)
