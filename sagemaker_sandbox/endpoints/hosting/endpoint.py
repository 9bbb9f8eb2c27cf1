"""An endpoint with its fleets, its traffic and its metrics."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.endpoints.hosting.logs import EndpointLogs
from sagemaker_sandbox.endpoints.hosting.metrics import MINUTE, TEN_SECONDS, EndpointKind, VariantMeter
from sagemaker_sandbox.endpoints.hosting.traffic import Traffic
from sagemaker_sandbox.endpoints.hosting.variant import HostedVariant
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields

#: Receives each response of a shadow variant: endpoint name, configuration, variant name, request and response.
ShadowResponseListener = Callable[[str, Fields, str, Invocation, InvocationResponse], object]


@dataclass(frozen=True)
class ServingState:
    """State of an endpoint that survives a restart.

    `config` is the configuration with the present instance counts and weights. `models` maps each variant to its
    containers.
    """

    config: Fields
    models: Mapping[str, list[Fields]]


class HostedEndpoint:
    """One endpoint. It is created by the first deployment, or by the first request after a restart.

    `on_free_capacity` receives the endpoint name.
    """

    def __init__(
        self,
        region: AccountRegion,
        name: str,
        folder: Path,
        on_free_capacity: Callable[[str], None],
        on_shadow_response: ShadowResponseListener,
        logs: EndpointLogs,
    ) -> None:
        self.name = name
        self.region = region
        self.fleets: list[EndpointFleet] = []
        self._folder = folder
        self._on_free_capacity = on_free_capacity
        self._on_shadow_response = on_shadow_response
        self._logs = logs
        self.traffic = Traffic(name, region.clock, self.signal_free_capacity)
        self._meters: dict[str, VariantMeter] = {}
        self._fleet_count = 0
        self._resume_lock = threading.Lock()
        self._is_closed = False

    def add_fleet(self, config: Fields, models: Mapping[str, list[Fields]]) -> EndpointFleet:
        """Create a fleet. It is neither started nor in service yet."""
        self._fleet_count += 1
        folder = self._folder / f"{self.name}-{secrets.token_hex(4)}"
        fleet = EndpointFleet(self, config, models, folder)
        self.fleets = [known_fleet for known_fleet in self.fleets if not known_fleet.is_closed] + [fleet]
        if self._is_closed:  # nobody would close it
            fleet.close(immediately=True)
        return fleet

    def get_meter(self, variant: str) -> VariantMeter:
        """Return the meter of a variant. All fleets share it."""
        return self._meters.setdefault(variant, VariantMeter(self.name, variant, self.region.clock))

    def signal_free_capacity(self) -> None:
        """Report that an instance may accept another request."""
        self._on_free_capacity(self.name)

    def follow_logs(self, variant: str, logs: Mapping[str, Path]) -> Callable[[], None]:
        """Send the log lines of an instance to CloudWatch Logs.

        Return a function that stops this.
        """
        return self._logs.follow(self.name, variant, logs)

    def record_shadow_response(
        self, config: Fields, variant: str, invocation: Invocation, response: InvocationResponse
    ) -> None:
        """Forward the response of a shadow variant."""
        self._on_shadow_response(self.name, config, variant, invocation, response)

    def resume(self, load_state: Callable[[str], ServingState | None]) -> None:
        """Start the fleet that served before a restart. Concurrent callers wait. Raises StartError.

        `load_state` returns the saved state of an endpoint, or None.
        """
        with self._resume_lock, self.region.clock.track_work():
            if self._fleet_count or (state := load_state(self.name)) is None:
                return
            fleet = self.add_fleet(state.config, state.models)
            try:
                fleet.start()
            except BaseException:
                fleet.close()
                self._fleet_count = 0  # the next request tries again
                raise
            self.traffic.shift((fleet, 1.0))

    def close(self, *, immediately: bool = False) -> None:
        """End all fleets, after their active requests or `immediately`. No fleet starts afterward."""
        self._is_closed = True
        for fleet in self.fleets:
            fleet.close(immediately=immediately)

    @property
    def is_finished(self) -> bool:
        """True if all fleets are closed and all metrics are published."""
        return all(fleet.is_closed for fleet in self.fleets) and all(meter.is_empty for meter in self._meters.values())

    @property
    def region_key(self) -> tuple[str, str]:
        """Account ID and Region name."""
        return self.region.account_id, self.region.name

    def get_metric_interval(self) -> timedelta | None:
        """Return the interval between two publications of metrics; None if there is nothing to publish."""
        if self.is_finished:
            return None
        is_busy = any(variant.kind is EndpointKind.REAL_TIME and not variant.is_quiet for variant in self._variants)
        return min({TEN_SECONDS if is_busy else MINUTE} | {variant.publish_interval for variant in self._variants})

    def collect_request_metrics(self, moment: datetime) -> Iterator[Fields]:
        """Yield the request metrics that are due."""
        completed = [datum for meter in self._meters.values() for datum in meter.take_completed(moment)]
        yield from completed
        for variant in self._variants:
            yield from variant.fill_invocations(moment, completed)
            yield from variant.collect_concurrency(moment)

    def collect_instance_metrics(self, moment: datetime) -> Iterator[Fields]:
        """Yield the instance metrics that are due."""
        for variant in self._variants:
            yield from variant.collect_utilization(moment)

    @property
    def _variants(self) -> list[HostedVariant]:
        return [variant for fleet in self.fleets for variant in fleet.all_variants.values()]
