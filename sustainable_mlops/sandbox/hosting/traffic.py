"""Who answers the requests to one endpoint."""

import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sustainable_mlops.sandbox.hosting.fleet import Fleet
from sustainable_mlops.sandbox.hosting.invocation import Answer, Invocation


class NoCapacityError(Exception):
    """No variant that the request may go to has an instance."""


class NoVariantError(Exception):
    """The endpoint has no variant of that name."""


class Traffic:
    """One endpoint's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shares: tuple[tuple[Fleet, float], ...] = ()

    @property
    def shares(self) -> tuple[tuple[Fleet, float], ...]:
        """Who takes which share of the requests."""
        return self._shares

    @property
    def fleets(self) -> list[Fleet]:
        """Those that take requests."""
        return [fleet for fleet, share in self._shares if share > 0]

    def shift(self, *shares: tuple[Fleet, float]) -> None:
        """Let these fleets take requests from now on, each its share of them; the shares sum to 1."""
        with self._lock:
            self._shares = shares

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change these variants' weights."""
        for fleet in self.fleets:
            fleet.weigh(weights)

    def invoke(self, asked: Invocation) -> Answer:
        """The answer of one instance. Raises NoCapacityError, NoVariantError, and what the instance raises."""
        while True:
            fleet, variant = self._choose(asked)
            with fleet.pools[variant].taken() as instance:
                if instance is not None:  # it may have gone meanwhile
                    return replace(instance.invoke(asked), variant=variant)

    def _choose(self, asked: Invocation) -> tuple[Fleet, str]:
        if asked.target_variant and not any(asked.target_variant in fleet.variants for fleet in self.fleets):
            raise NoVariantError(asked.target_variant)
        found = list(self._ways(asked.target_variant))
        if not found:
            raise NoCapacityError
        ways, chances = zip(*found, strict=True)
        chosen: tuple[Fleet, str] = random.choices(ways, chances)[0]  # noqa: S311 only a request's way
        return chosen

    def _ways(self, target: str) -> Iterator[tuple[tuple[Fleet, str], float]]:
        for fleet, share in self._shares:
            counts = fleet.counts
            weights = {
                name: 1.0 if target else weight
                for name, weight in fleet.weights.items()
                if counts.get(name) and target in ("", name)
            }
            total = sum(weights.values())
            for name, weight in weights.items():
                if share > 0 and weight > 0:
                    yield (fleet, name), share * weight / total
