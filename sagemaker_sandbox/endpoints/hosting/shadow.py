"""Shadow variants: they receive copies of production requests, and callers never see their responses."""

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.endpoints.hosting.variant import HostedVariant

#: Number of concurrent shadow requests of a fleet. Others wait; production requests never do.
_MAX_CONCURRENCY = 8

#: Receives each response of a shadow variant: variant name, request and response.
VariantResponseListener = Callable[[str, Invocation, InvocationResponse], None]


class ShadowVariants:
    """Shadow variants of one fleet.

    The mirrored share of requests is the weight of the shadow variant divided by the sum of the production weights, at
    most 1. AWS documents weights of 1 and 1 only; the rest is assumed.
    """

    def __init__(
        self,
        shadows: Mapping[str, HostedVariant],
        production: Mapping[str, HostedVariant],
        clock: Clock,
        on_response: VariantResponseListener,
    ) -> None:
        self._clock = clock
        self._shadows = shadows
        self._production = production
        self._on_response = on_response
        self._executor = ThreadPoolExecutor(_MAX_CONCURRENCY, "shadow") if shadows else None

    def mirror(self, invocation: Invocation) -> None:
        """Send a copy of a request to the shadow variants and return immediately.

        The clock does not advance before they have responded.
        """
        mirrored = replace(invocation, target_variant="", is_streaming=False)
        for shadow in self._shadows.values():
            total_weight = sum(variant.weight for variant in self._production.values())
            if self._executor is not None and random.random() * total_weight < shadow.weight:  # noqa: S311 a sample
                clock_guard = ExitStack()
                clock_guard.enter_context(self._clock.track_request())
                try:
                    future = self._executor.submit(self._invoke_shadow, shadow, mirrored)
                except RuntimeError:  # the executor was closed concurrently
                    clock_guard.close()
                else:
                    future.add_done_callback(partial(_release_clock, clock_guard))

    def close(self) -> None:
        """Stop mirroring."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def _invoke_shadow(self, shadow: HostedVariant, invocation: Invocation) -> None:
        start = time.monotonic()
        member = shadow.reserve()
        if member is None:
            return
        try:
            response = shadow.invoke(member, invocation, start)
        finally:
            shadow.pool.release(member)
        self._on_response(shadow.name, invocation, response)


def _release_clock(clock_guard: ExitStack, _future: Future[None]) -> None:
    clock_guard.close()
