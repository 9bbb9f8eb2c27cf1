"""Logarithmic axis of a chart."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, isfinite, log10

from sustainable_mlops.jobs.figure import RunFigure

#: Maximum ratio between an end of an interval and its figure; farther ends are drawn at the edge.
_MAX_FACTOR = 20.0
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class LogAxis:
    """A logarithmic axis from `low` to `high`, both above 0."""

    low: float
    high: float

    def get_position(self, value: float) -> float:
        """Return the position of a value: 0 at the low end, 1 at the high end; values outside are at the end."""
        limited = min(max(value, self.low), self.high)
        return (log10(limited) - log10(self.low)) / (log10(self.high) - log10(self.low))

    @property
    def ticks(self) -> list[float]:
        """Round values on the axis: powers of ten, and their multiples by two and five if there is only one power."""
        powers = range(floor(log10(self.low)), floor(log10(self.high)) + 1)
        inside = [10.0**power * step for power in powers for step in _STEPS if self._contains(10.0**power * step)]
        tens = [value for value in inside if value in {10.0**power for power in powers}]
        return tens if len(tens) > 1 else inside

    def _contains(self, value: float) -> bool:
        return self.low <= value <= self.high


def fit_axis(figures: Iterable[RunFigure | None]) -> LogAxis | None:
    """Return the axis of these figures with their intervals; None if no figure is above 0."""
    ends = []
    for figure in figures:
        if figure is None or not isfinite(figure.value) or figure.value <= 0:
            continue
        low, high = figure.low or figure.value, figure.high or figure.value
        ends += [max(low, figure.value / _MAX_FACTOR), min(high, figure.value * _MAX_FACTOR)]
    if not ends:
        return None
    return LogAxis(min(ends) / 1.1, max(ends) * 1.1)
