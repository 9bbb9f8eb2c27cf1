"""The fleets between which an endpoint's traffic moves."""

from collections.abc import Callable
from functools import partial

from sagemaker_sandbox.deployments.policy import InstanceCounts
from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.traffic import Traffic

#: Does what waits for requests under way.
DrainRunner = Callable[[Callable[[], None]], None]


class Handover:
    """From those that serve now, if any do, to a new one."""

    def __init__(self, traffic: Traffic, new: EndpointFleet, shed: DrainRunner) -> None:
        self._traffic = traffic
        self._new = new
        self._shed = shed
        self._old = traffic.shares
        #: Instances of each production variant that the old fleets have as it begins.
        self.old_counts: dict[str, int] = {}
        for fleet, _ in self._old:
            for name in fleet.variants:
                self.old_counts[name] = self.old_counts.get(name, 0) + fleet.instance_counts.get(name, 0)

    def start(self, counts: InstanceCounts) -> None:
        """Have the new fleet with so many instances. Raises StartError."""
        self._new.start(counts)

    def shift_traffic(self, share: float) -> None:
        """Let the new fleet take so much of the traffic, and the old ones the rest, from now on."""
        old = ((fleet, part * (1 - share)) for fleet, part in self._old if share < 1)
        new = ((self._new, share),) if share > 0 else ()
        self._traffic.shift(*old, *new)

    def scale_new(self, counts: InstanceCounts) -> None:
        """Have so many instances in the new fleet. Raises StartError."""
        scale_fleet(self._new, counts, self._shed)

    def scale_old(self, counts: InstanceCounts) -> None:
        """Have so many instances in the old fleet, which is one. Raises StartError."""
        for fleet, _ in self._old:
            scale_fleet(fleet, counts, self._shed)

    def end_old(self) -> None:
        """End the old fleets once their requests under way are answered."""
        for fleet, _ in self._old:
            self._shed(fleet.close)

    def end_new(self) -> None:
        """End the new fleet once its requests under way are answered."""
        self._shed(self._new.close)


def scale_fleet(fleet: EndpointFleet, counts: InstanceCounts, shed: DrainRunner) -> None:
    """Have so many instances of each variant named. Raises StartError."""
    for variant, count in counts.items():
        if variant not in fleet.all_variants:  # inference components are to come
            continue
        if count < fleet.instance_counts[variant]:
            shed(partial(fleet.scale, variant, count))
        else:
            fleet.scale(variant, count)
