"""What there is of one endpoint: its fleets, who of them answers, and what CloudWatch is told."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.hosting.logs import EndpointLogs
from sagemaker_sandbox.hosting.metrics import MINUTE, TEN_SECONDS, EndpointKind, VariantMeter
from sagemaker_sandbox.hosting.traffic import Traffic
from sagemaker_sandbox.hosting.variant import HostedVariant
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields

#: Told of what a shadow variant answers: the endpoint, its configuration and the variant, the request and the answer.
ShadowResponseListener = Callable[[str, Fields, str, Invocation, InvocationResponse], object]


@dataclass(frozen=True)
class ServingState:
    """What an endpoint serves, as it is kept over a restart: its configuration, with as many instances and such weights
    as there are now, and the containers of each variant."""

    config: Fields
    models: Mapping[str, list[Fields]]


class HostedEndpoint:
    """Made when it is first deployed to, or asked after a restart; `freed` is given its name."""

    def __init__(
        self,
        region: AccountRegion,
        name: str,
        folder: Path,
        freed: Callable[[str], None],
        heard: ShadowResponseListener,
        logs: EndpointLogs,
    ) -> None:
        self.name = name
        self.region = region
        self.fleets: list[EndpointFleet] = []
        self._folder = folder
        self._freed = freed
        self._heard = heard
        self._logs = logs
        self.traffic = Traffic(name, region.clock, self.signal_free_capacity)
        self._meters: dict[str, VariantMeter] = {}
        self._made = 0
        self._waking = threading.Lock()
        self._closed = False

    def add_fleet(self, config: Fields, models: Mapping[str, list[Fields]]) -> EndpointFleet:
        """A fleet that has yet to be started, and to be given traffic."""
        self._made += 1
        folder = self._folder / f"{self.name}-{secrets.token_hex(4)}"
        fleet = EndpointFleet(self, config, models, folder)
        self.fleets = [one for one in self.fleets if not one.closed] + [fleet]
        if self._closed:  # it would be nobody's
            fleet.close(at_once=True)
        return fleet

    def get_meter(self, variant: str) -> VariantMeter:
        """Where the requests to a variant tell of themselves, whichever of its fleets they go to."""
        return self._meters.setdefault(variant, VariantMeter(self.name, variant, self.region.clock))

    def signal_free_capacity(self) -> None:
        """There may be room for a request."""
        self._freed(self.name)

    def follow_logs(self, variant: str, logs: Mapping[str, Path]) -> Callable[[], None]:
        """Send the lines of an instance's logs on, until what is returned is called."""
        return self._logs.follow(self.name, variant, logs)

    def record_shadow_response(
        self, config: Fields, variant: str, asked: Invocation, answer: InvocationResponse
    ) -> None:
        """What a shadow variant of a configuration has answered."""
        self._heard(self.name, config, variant, asked, answer)

    def resume(self, serving: Callable[[str], ServingState | None]) -> None:
        """Start what served it before a restart; whoever asks meanwhile waits. Raises StartError."""
        with self._waking, self.region.clock.track_work():
            if self._made or (before := serving(self.name)) is None:
                return
            fleet = self.add_fleet(before.config, before.models)
            try:
                fleet.start()
            except BaseException:
                fleet.close()
                self._made = 0  # whoever asks next tries again
                raise
            self.traffic.shift((fleet, 1.0))

    def close(self, *, at_once: bool = False) -> None:
        """End all its fleets, after their requests under way or `at_once`; there will be no others."""
        self._closed = True
        for fleet in self.fleets:
            fleet.close(at_once=at_once)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be told."""
        return all(fleet.closed for fleet in self.fleets) and all(meter.is_empty for meter in self._meters.values())

    @property
    def region_key(self) -> tuple[str, str]:
        """Its account and Region."""
        return self.region.account_id, self.region.name

    def get_metric_interval(self) -> timedelta | None:
        """How often there is something to tell; None: nothing at all."""
        if self.is_finished:
            return None
        busy = any(variant.kind is EndpointKind.REAL_TIME and not variant.is_quiet for variant in self._variants)
        return min({TEN_SECONDS if busy else MINUTE} | {variant.publish_interval for variant in self._variants})

    def collect_request_metrics(self, moment: datetime) -> Iterator[Fields]:
        """What is to be told of its requests now."""
        for meter in self._meters.values():
            yield from meter.take_completed(moment)
        for variant in self._variants:
            yield from variant.collect_concurrency(moment)

    def collect_instance_metrics(self, moment: datetime) -> Iterator[Fields]:
        """What is to be told of its instances now."""
        for variant in self._variants:
            yield from variant.collect_utilization(moment)

    @property
    def _variants(self) -> list[HostedVariant]:
        return [variant for fleet in self.fleets for variant in fleet.all_variants.values()]
