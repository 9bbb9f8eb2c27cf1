"""Shadow variants: they are asked what the production variant is asked, and nobody hears their answers."""

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.hosting.variant import HostedVariant

#: How many requests a fleet's shadow variants are asked at once; others wait, and no production request does.
_AT_ONCE = 8

#: Told of what a shadow variant answers: its name, what it was asked and what it said.
VariantResponseListener = Callable[[str, Invocation, InvocationResponse], None]


class Shadows:
    """Those of one fleet. Of the requests, as many are mirrored as a shadow variant's weight is of the production
    variants' together, all where it is as large. (AWS documents weights of 1 and 1 alone; the rest is assumed.)"""

    def __init__(
        self,
        shadows: Mapping[str, HostedVariant],
        production: Mapping[str, HostedVariant],
        clock: Clock,
        heard: VariantResponseListener,
    ) -> None:
        self._clock = clock
        self._shadows = shadows
        self._production = production
        self._heard = heard
        self._asking = ThreadPoolExecutor(_AT_ONCE, "shadow") if shadows else None

    def mirror(self, asked: Invocation) -> None:
        """Ask them too, soon; returns at once. The time is not moved ahead before they have answered."""
        mirrored = replace(asked, target_variant="", streams=False)
        for shadow in self._shadows.values():
            whole = sum(variant.weight for variant in self._production.values())
            if self._asking is not None and random.random() * whole < shadow.weight:  # noqa: S311 a sample
                waited_for = ExitStack()
                waited_for.enter_context(self._clock.track_request())
                try:
                    asking = self._asking.submit(self._ask, shadow, mirrored)
                except RuntimeError:  # closed meanwhile
                    waited_for.close()
                else:
                    asking.add_done_callback(partial(_close, waited_for))

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.shutdown(wait=False, cancel_futures=True)

    def _ask(self, shadow: HostedVariant, asked: Invocation) -> None:
        began = time.monotonic()
        member = shadow.reserve()
        if member is None:
            return
        try:
            answer = shadow.invoke(member, asked, began)
        finally:
            shadow.pool.release(member)
        self._heard(shadow.name, asked, answer)


def _close(waited_for: ExitStack, _over: Future[None]) -> None:
    waited_for.close()
