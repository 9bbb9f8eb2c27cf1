"""The fleets between which an endpoint's traffic moves."""

from collections.abc import Iterable

from sustainable_mlops.sandbox.deployments.policy import Counts
from sustainable_mlops.sandbox.hosting.fleet import Fleet
from sustainable_mlops.sandbox.hosting.traffic import Traffic


class Handover:
    """From those that serve now, if any do, to a new one."""

    def __init__(self, traffic: Traffic, new: Fleet) -> None:
        self._traffic = traffic
        self._new = new
        self._old = traffic.shares
        #: Instances of each production variant that the old fleets have as it begins.
        self.old_counts: dict[str, int] = {}
        for fleet, _ in self._old:
            for name in fleet.variants:
                self.old_counts[name] = self.old_counts.get(name, 0) + fleet.counts.get(name, 0)

    def start(self, counts: Counts) -> None:
        """Have the new fleet with so many instances. Raises StartError."""
        self._new.start(counts)

    def share(self, share: float) -> None:
        """Let the new fleet take so much of the traffic, and the old ones the rest, from now on."""
        old = ((fleet, part * (1 - share)) for fleet, part in self._old if share < 1)
        new = ((self._new, share),) if share > 0 else ()
        self._traffic.shift(*old, *new)

    def have_new(self, counts: Counts) -> None:
        """Have so many instances in the new fleet. Raises StartError."""
        _scale([self._new], counts)

    def have_old(self, counts: Counts) -> None:
        """Have so many instances in the old fleet, which is one. Raises StartError."""
        _scale((fleet for fleet, _ in self._old), counts)

    def end_old(self) -> None:
        """End the old fleets once their requests under way are answered."""
        for fleet, _ in self._old:
            fleet.close()

    def end_new(self) -> None:
        """End the new fleet once its requests under way are answered."""
        self._new.close()


def _scale(fleets: Iterable[Fleet], counts: Counts) -> None:
    for fleet in fleets:
        for variant, count in counts.items():
            if variant in fleet.every:  # not where inference components are to come
                fleet.scale(variant, count)
