"""The fleets of all endpoints of a Region, and the traffic to them."""

import itertools
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sustainable_mlops.sandbox.hosting.fleet import Fleet
from sustainable_mlops.sandbox.hosting.traffic import Traffic
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields, Part


@dataclass(frozen=True)
class Serving:
    """What an endpoint serves, as it is kept over a restart: its configuration, the containers of each variant, and
    what has changed since in how many instances, weights and serverless settings there are."""

    config: Fields
    models: Mapping[str, list[Fields]]
    counts: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    serverless: Mapping[str, Fields] = field(default_factory=dict)


class Fleets(Part):
    """Made by whoever deploys, and let go with the endpoint."""

    def __init__(self, region: Region) -> None:
        super().__init__(region)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._fleets: dict[str, list[Fleet]] = {}
        self._traffic: dict[str, Traffic] = {}
        #: What an endpoint serves that is in service, asked after a restart; None where there is no such endpoint.
        self.serving: Callable[[str], Serving | None] = lambda _: None

    def make(self, endpoint: str, config: Fields, models: Mapping[str, list[Fields]]) -> Fleet:
        """A fleet that has yet to be started, and to be given traffic."""
        folder = self.region.folder / "endpoints" / endpoint / str(next(self._numbers))
        shutil.rmtree(folder, ignore_errors=True)
        fleet = Fleet(self.region, config, models, folder)
        with self._lock:
            self._fleets.setdefault(endpoint, []).append(fleet)
        return fleet

    def traffic(self, endpoint: str) -> Traffic:
        """The traffic of an endpoint. What served it before a restart is started again by whoever asks first, who
        waits for it: never call it with the Region's lock held."""
        with self._lock:
            traffic = self._traffic.setdefault(endpoint, Traffic())
        return traffic

    def let_go(self, endpoint: str) -> None:
        """End all instances of an endpoint, after their requests under way; returns at once."""
        with self._lock:
            fleets = self._fleets.pop(endpoint, [])
            self._traffic.pop(endpoint, None)
        for fleet in fleets:
            self.region.start(f"close {endpoint}", fleet.close)

    def close(self) -> None:
        """End all instances."""
        with self._lock:
            fleets = [fleet for of_one in self._fleets.values() for fleet in of_one]
            self._fleets.clear()
            self._traffic.clear()
        for fleet in fleets:
            fleet.close()
