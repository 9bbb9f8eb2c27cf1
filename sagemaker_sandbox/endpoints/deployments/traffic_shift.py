"""Shift of the traffic of an endpoint from old fleets to a new one."""

from collections.abc import Callable
from functools import partial

from sagemaker_sandbox.endpoints.deployments.policy import InstanceCounts
from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.traffic import Traffic

#: Runs a function that waits for active requests.
DrainRunner = Callable[[Callable[[], None]], None]


class TrafficShift:
    """Shift of the traffic from the fleets that serve now, if any, to a new fleet."""

    def __init__(self, traffic: Traffic, new: EndpointFleet, run_draining: DrainRunner) -> None:
        self._traffic = traffic
        self._new = new
        self._run_draining = run_draining
        self._old = traffic.shares
        #: Instances of each production variant of the old fleets at the start.
        self.old_counts: dict[str, int] = {}
        for fleet, _ in self._old:
            for name in fleet.variants:
                self.old_counts[name] = self.old_counts.get(name, 0) + fleet.instance_counts.get(name, 0)

    def start(self, counts: InstanceCounts) -> None:
        """Start the new fleet with these instance counts. Raises StartError."""
        self._new.start(counts)

    def shift_traffic(self, share: float) -> None:
        """Route this share of the traffic to the new fleet, and the rest to the old fleets."""
        old = ((fleet, part * (1 - share)) for fleet, part in self._old if share < 1)
        new = ((self._new, share),) if share > 0 else ()
        self._traffic.shift(*old, *new)

    def scale_new(self, counts: InstanceCounts) -> None:
        """Scale the new fleet to these instance counts. Raises StartError."""
        scale_fleet(self._new, counts, self._run_draining)

    def scale_old(self, counts: InstanceCounts) -> None:
        """Scale the only old fleet to these instance counts. Raises StartError."""
        for fleet, _ in self._old:
            scale_fleet(fleet, counts, self._run_draining)

    def end_old(self) -> None:
        """End the old fleets after their active requests."""
        for fleet, _ in self._old:
            self._run_draining(fleet.close)

    def end_new(self) -> None:
        """End the new fleet after its active requests."""
        self._run_draining(self._new.close)


def scale_fleet(fleet: EndpointFleet, counts: InstanceCounts, run_draining: DrainRunner) -> None:
    """Scale each named variant. Raises StartError."""
    for variant, count in counts.items():
        if variant not in fleet.all_variants:  # inference components are not supported yet
            continue
        if count < fleet.instance_counts[variant]:
            run_draining(partial(fleet.scale, variant, count))
        else:
            fleet.scale(variant, count)
