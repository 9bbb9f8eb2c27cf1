"""Who answers the requests to one endpoint."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from sustainable_mlops.sandbox.hosting.fleet import Fleet
from sustainable_mlops.sandbox.hosting.invocation import Answer, Invocation, InvocationError
from sustainable_mlops.sandbox.hosting.pool import Member
from sustainable_mlops.sandbox.hosting.variant import Variant
from sustainable_mlops.sandbox.runtime.hosting import ModelError


class Stream(Iterator[bytes]):
    """The parts of an answer; `over` is called once, with the status in which it ended, however that was."""

    def __init__(self, parts: Iterator[bytes], over: Callable[[int], None]) -> None:
        self._parts = parts
        self._over = over

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            self._over(200)
            raise
        except ModelError as error:
            self._over(error.original_status)
            raise

    def close(self) -> None:
        """No more parts are wanted."""
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()
        self._over(200)

    __del__ = close


class Place:
    """What one instance of a variant keeps free for one request."""

    def __init__(self, fleet: Fleet, variant: Variant, member: Member, began: float) -> None:
        self.fleet = fleet
        self.variant = variant.name
        self._variant = variant
        self._member: Member | None = member
        self._began = began

    def invoke(self, asked: Invocation) -> Answer:
        """Its answer, after which the place is free: once all its parts have come, where it streams. Raises as the
        instance does."""
        assert self._member is not None
        at_once = self._member.under_way
        try:
            answer = self._variant.ask(self._member, asked, self._began)
        except BaseException:
            self.release()
            raise
        if isinstance(answer.body, bytes):
            self.release()
            return answer
        first = time.monotonic()

        def over(status: int) -> None:
            member, now = self._member, time.monotonic()
            if member is not None:
                took = replace(answer.took, model=answer.took.model + now - first)
                self._variant.tell(member, asked, at_once, status, now - self._began, took)
            self.release()

        return replace(answer, body=Stream(answer.body, over))

    def release(self) -> None:
        """The request is over."""
        member, self._member = self._member, None
        if member is not None:
            self._variant.pool.give_back(member)


class Traffic:
    """One endpoint's. `freed` is called once there may be room for a request where there was none."""

    def __init__(self, endpoint: str, freed: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._freed = freed
        self._shares: tuple[tuple[Fleet, float], ...] = ()

    @property
    def shares(self) -> tuple[tuple[Fleet, float], ...]:
        """The fleets that take requests, and which share of them."""
        return self._shares

    @property
    def fleets(self) -> list[Fleet]:
        """Those that take requests."""
        return [fleet for fleet, _ in self.shares]

    @property
    def count(self) -> int:
        """The instances that take requests, of all production variants."""
        return sum(variant.pool.count for fleet in self.fleets for variant in fleet.variants.values())

    def shift(self, *shares: tuple[Fleet, float]) -> None:
        """Let these fleets take requests from now on, each its share of them; the shares sum to 1."""
        self._shares = tuple((fleet, share) for fleet, share in shares if share > 0)
        self._freed()

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change these variants' weights."""
        for fleet in self.fleets:
            fleet.weigh(weights)

    def invoke(self, asked: Invocation) -> Answer:
        """The answer of one instance. Raises InvocationError where none can be asked, and what the instance raises."""
        place = self._take(asked.target_variant, None)
        if place is None:
            raise InvocationError(
                f"Endpoint {self._endpoint} has no instance in service to process this request. Automatic scaling may "
                "be in progress, if it is configured; or increase DesiredInstanceCount by "
                "UpdateEndpointWeightsAndCapacities."
            )
        place.fleet.shadows.mirror(asked)
        return place.invoke(asked)

    @contextmanager
    def taken(self, limit: int | None = None) -> Iterator[Place | None]:
        """An instance with fewer than `limit` requests under way, to be asked one more; None where there is none."""
        place = self._take("", limit)
        try:
            yield place
        finally:
            if place is not None:
                place.release()  # it may not have been asked

    def _take(self, target: str, limit: int | None) -> Place | None:
        began = time.monotonic()
        if target and not any(target in fleet.variants for fleet in self.fleets):
            raise InvocationError(f"Variant {target} was not found at endpoint {self._endpoint}.")
        ways = dict(self._ways(target))
        while ways:
            [(fleet, variant)] = random.choices(list(ways), list(ways.values()))  # noqa: S311 only a request's way
            member = variant.take(limit)
            if member is not None:
                return Place(fleet, variant, member, began)
            del ways[fleet, variant]  # full, or gone meanwhile
        return None

    def _ways(self, target: str) -> Iterator[tuple[tuple[Fleet, Variant], float]]:
        """Each variant that may be asked, and its chance."""
        for fleet, share in self.shares:
            weights = {
                variant: 1.0 if target else variant.weight
                for name, variant in fleet.variants.items()
                if variant.pool.count and target in ("", name) and (target or variant.weight > 0)
            }
            for variant, weight in weights.items():
                yield (fleet, variant), share * weight / sum(weights.values())
