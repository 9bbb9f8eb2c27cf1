"""Traffic of an endpoint: the choice of fleet, variant and instance for each request."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationError, InvocationResponse
from sagemaker_sandbox.endpoints.hosting.reservation import Reservation
from sagemaker_sandbox.endpoints.hosting.sessions import NEW_SESSION, StatefulSessions
from sagemaker_sandbox.endpoints.hosting.variant import HostedVariant


class Traffic:
    """Traffic of one endpoint.

    `on_free_capacity` is called when an instance may accept another request.
    """

    def __init__(self, endpoint: str, clock: Clock, on_free_capacity: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._on_free_capacity = on_free_capacity
        self._sessions = StatefulSessions(clock)
        self._shares: tuple[tuple[EndpointFleet, float], ...] = ()

    @property
    def shares(self) -> tuple[tuple[EndpointFleet, float], ...]:
        """Fleets that receive requests, each with its share of the traffic."""
        return self._shares

    @property
    def fleets(self) -> list[EndpointFleet]:
        """Fleets that receive requests."""
        return [fleet for fleet, _ in self.shares]

    @property
    def instance_count(self) -> int:
        """Number of instances of all production variants that receive requests."""
        return sum(variant.pool.count for fleet in self.fleets for variant in fleet.variants.values())

    def shift(self, *shares: tuple[EndpointFleet, float]) -> None:
        """Set the traffic share of each fleet. The shares must sum to 1."""
        self._shares = tuple((fleet, share) for fleet, share in shares if share > 0)
        self._on_free_capacity()

    def invoke(self, invocation: Invocation) -> InvocationResponse:
        """Send the request to one instance and return its response.

        Raises InvocationError if no instance is available, and the errors of the instance.
        """
        reservation = self._reserve_for(invocation)
        reservation.fleet.shadows.mirror(invocation)
        response = reservation.invoke(invocation)
        self._sessions.update(response, reservation)
        return response

    def _reserve_for(self, invocation: Invocation) -> Reservation:
        if invocation.session_id not in ("", NEW_SESSION):
            if (reservation := self._sessions.reserve(invocation)) is not None:
                return reservation
            raise InvocationError(f"Session {invocation.session_id} was not found at endpoint {self._endpoint}.")
        if (reservation := self._reserve_random(invocation.target_variant, None)) is None:
            raise InvocationError(
                f"Endpoint {self._endpoint} has no instance in service to process this request. Automatic scaling may "
                "be in progress, if it is configured; or increase DesiredInstanceCount by "
                "UpdateEndpointWeightsAndCapacities."
            )
        return reservation

    @contextmanager
    def reserve(self, limit: int | None = None) -> Iterator[Reservation | None]:
        """Reserve an instance that has fewer than `limit` active requests; None if there is none."""
        reservation = self._reserve_random("", limit)
        try:
            yield reservation
        finally:
            if reservation is not None:
                reservation.release()  # the caller may not have invoked it

    def _reserve_random(self, target: str, limit: int | None) -> Reservation | None:
        if target and not any(target in fleet.variants for fleet in self.fleets):
            raise InvocationError(f"Variant {target} was not found at endpoint {self._endpoint}.")
        full: set[HostedVariant] = set()
        while candidates := {
            candidate: probability
            for candidate, probability in self._list_candidates(target)
            if candidate[1] not in full
        }:
            [(fleet, variant)] = random.choices(list(candidates), list(candidates.values()))  # noqa: S311 load balancing
            member = variant.reserve(limit)
            if member is not None:
                return Reservation(fleet, variant, member)
            if limit is not None:  # without a limit the last instance was just removed, and another may exist by now
                full.add(variant)
        return None

    def _list_candidates(self, target: str) -> Iterator[tuple[tuple[EndpointFleet, HostedVariant], float]]:
        """Yield each eligible variant with its probability."""
        for fleet, share in self.shares:
            weights = {
                variant: 1.0 if target else variant.weight
                for name, variant in fleet.variants.items()
                if variant.pool.count and target in ("", name) and (target or variant.weight > 0)
            }
            for variant, weight in weights.items():
                yield (fleet, variant), share * weight / sum(weights.values())
