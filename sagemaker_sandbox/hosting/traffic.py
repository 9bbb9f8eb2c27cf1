"""Who answers the requests to one endpoint."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationError, InvocationResponse
from sagemaker_sandbox.hosting.reservation import Reservation
from sagemaker_sandbox.hosting.sessions import NEW_SESSION, Sessions
from sagemaker_sandbox.hosting.variant import HostedVariant


class Traffic:
    """One endpoint's. `freed` is called once there may be room for a request where there was none."""

    def __init__(self, endpoint: str, clock: Clock, freed: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._freed = freed
        self._sessions = Sessions(clock)
        self._shares: tuple[tuple[EndpointFleet, float], ...] = ()

    @property
    def shares(self) -> tuple[tuple[EndpointFleet, float], ...]:
        """The fleets that take requests, and which share of them."""
        return self._shares

    @property
    def fleets(self) -> list[EndpointFleet]:
        """Those that take requests."""
        return [fleet for fleet, _ in self.shares]

    @property
    def instance_count(self) -> int:
        """The instances that take requests, of all production variants."""
        return sum(variant.pool.count for fleet in self.fleets for variant in fleet.variants.values())

    def shift(self, *shares: tuple[EndpointFleet, float]) -> None:
        """Let these fleets take requests from now on, each its share of them; the shares sum to 1."""
        self._shares = tuple((fleet, share) for fleet, share in shares if share > 0)
        self._freed()

    def invoke(self, asked: Invocation) -> InvocationResponse:
        """The answer of one instance. Raises InvocationError where none can be asked, and what the instance raises."""
        place = self._place(asked)
        place.fleet.shadows.mirror(asked)
        answer = place.invoke(asked)
        self._sessions.update(answer, place)
        return answer

    def _place(self, asked: Invocation) -> Reservation:
        if asked.session_id not in ("", NEW_SESSION):
            if (place := self._sessions.reserve(asked)) is not None:
                return place
            raise InvocationError(f"Session {asked.session_id} was not found at endpoint {self._endpoint}.")
        if (place := self._take(asked.target_variant, None)) is None:
            raise InvocationError(
                f"Endpoint {self._endpoint} has no instance in service to process this request. Automatic scaling may "
                "be in progress, if it is configured; or increase DesiredInstanceCount by "
                "UpdateEndpointWeightsAndCapacities."
            )
        return place

    @contextmanager
    def reserve(self, limit: int | None = None) -> Iterator[Reservation | None]:
        """An instance with fewer than `limit` requests under way, to be asked one more; None where there is none."""
        place = self._take("", limit)
        try:
            yield place
        finally:
            if place is not None:
                place.release()  # it may not have been asked

    def _take(self, target: str, limit: int | None) -> Reservation | None:
        if target and not any(target in fleet.variants for fleet in self.fleets):
            raise InvocationError(f"Variant {target} was not found at endpoint {self._endpoint}.")
        full: set[HostedVariant] = set()
        while ways := {way: chance for way, chance in self._ways(target) if way[1] not in full}:
            [(fleet, variant)] = random.choices(list(ways), list(ways.values()))  # noqa: S311 only a request's way
            member = variant.reserve(limit)
            if member is not None:
                return Reservation(fleet, variant, member)
            if limit is not None:  # else its last instance has gone meanwhile, and another may have come
                full.add(variant)
        return None

    def _ways(self, target: str) -> Iterator[tuple[tuple[EndpointFleet, HostedVariant], float]]:
        """Each variant that may be asked, and its chance."""
        for fleet, share in self.shares:
            weights = {
                variant: 1.0 if target else variant.weight
                for name, variant in fleet.variants.items()
                if variant.pool.count and target in ("", name) and (target or variant.weight > 0)
            }
            for variant, weight in weights.items():
                yield (fleet, variant), share * weight / sum(weights.values())
