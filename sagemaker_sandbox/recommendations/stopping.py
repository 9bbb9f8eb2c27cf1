"""When a benchmark has seen enough, and which of what it has seen counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.recommendations.load import Window

#: Invocations are flat once more users have twice not brought so much more. AWS publishes no figure; assumed.
_MORE = 1.05
#: The percentile of a job that names none. AWS publishes none; assumed.
_PERCENTILE = 95.0


class UnfitError(Exception):
    """Nothing that was seen is what was asked for."""


@dataclass(frozen=True)
class Conditions:
    """A job's StoppingConditions. `most` are requests a minute, `slowest` is in seconds."""

    most: int | None = None
    percentile: float = _PERCENTILE
    slowest: float | None = None
    flat: bool = True

    @classmethod
    def of(cls, conditions: Fields) -> "Conditions":
        """As the request has them."""
        threshold = (conditions.get("ModelLatencyThresholds") or [{}])[0]
        milliseconds = threshold.get("ValueInMilliseconds")
        return cls(
            most=conditions.get("MaxInvocations"),
            percentile=float(threshold.get("Percentile", f"P{_PERCENTILE:g}")[1:]),
            slowest=None if milliseconds is None else milliseconds / 1000,
            flat=conditions.get("FlatInvocations", "Stop") == "Stop",
        )

    def over(self, seen: Sequence[Window]) -> bool:
        """Whether the load is to end after these windows."""
        last = seen[-1]
        reached = self.most is not None and last.per_minute >= self.most
        return reached or bool(last.throttled) or self._late(last) or (self.flat and _flat(seen))

    def _late(self, window: Window) -> bool:
        return bool(window.model) and self.slowest is not None and window.latency(self.percentile) > self.slowest

    def best(self, seen: Sequence[Window]) -> Window:
        """The window with the most invocations among those that are fast enough. Raises UnfitError."""
        fit = [window for window in seen if window.model and not self._late(window)]
        if not fit:
            raise UnfitError(
                f"the P{self.percentile:g} model latency exceeded ModelLatencyThresholds at all loads"
                if any(window.model for window in seen)
                else "no request was answered"
            )
        return max(fit, key=lambda window: window.per_minute)


def _flat(seen: Sequence[Window]) -> bool:
    growing = [window for number, window in enumerate(seen) if number == 0 or window.users > seen[number - 1].users]
    before = [window.per_minute for window in growing[:-2]]
    return bool(before) and all(window.per_minute < _MORE * max(before) for window in growing[-2:])
