"""Load above which another kind of this project's endpoints uses less."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from math import exp, inf, log
from typing import Any

from sustainable_mlops.footprint import FleetActivity, ServerlessActivity, estimate
from sustainable_mlops.footprint.model import estimate_change

#: Range of the compared loads, in requests a day.
MIN_LOAD, MAX_LOAD = 1.0, 1e9
_STEPS, _PRECISION = 72, 1.001

#: Function that returns the activity of each kind at a load.
Activities = Callable[[float], Mapping[str, FleetActivity | ServerlessActivity]]


@dataclass(frozen=True, slots=True)
class Crossover:
    """Requests a day above which the kind `after` uses less than the kind `before`."""

    #: `total`, kgCO2e, or `cost`, USD.
    metric: str
    before: str
    after: str
    requests_per_day: float
    #: Load above which it may use less, and load above which it certainly does; None if there is no such load.
    low: float | None
    high: float | None
    #: Maximum requests a day of `before` with its defaults and this peak.
    before_maximum: float

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return asdict(self)


def find_crossover(metric: str, activities: Activities, maximums: Mapping[str, float]) -> Crossover | None:
    """Return the first load at which another kind uses the least of a metric; None if one kind is best at all loads.

    `maximums` has the maximum requests a day of each kind with its defaults.
    """
    loads = [exp(log(MIN_LOAD) + (log(MAX_LOAD) - log(MIN_LOAD)) * step / _STEPS) for step in range(_STEPS + 1)]
    before = _find_least(metric, activities(MIN_LOAD))
    central = _find_first_load(lambda load: _find_least(metric, activities(load)) != before, loads)
    if central is None:
        return None
    after = _find_least(metric, activities(central))

    def is_saving(load: float, end: str) -> bool:
        """Return whether `after` uses less at one end of the interval of the saving."""
        activity_by_kind = activities(load)
        figure = estimate_change(activity_by_kind[after], activity_by_kind[before]).get(metric)
        return figure is not None and getattr(figure, end) > 0

    possible, certain = (_find_first_load(partial(is_saving, end=end), loads) for end in ("high", "low"))
    return Crossover(metric, before, after, central, possible, certain, maximums[before])


def _find_least(metric: str, activity_by_kind: Mapping[str, FleetActivity | ServerlessActivity]) -> str:
    figures = {kind: estimate(one).get(metric) for kind, one in activity_by_kind.items()}
    return min(figures, key=lambda kind: figure.central if (figure := figures[kind]) else inf)


def _find_first_load(condition: Callable[[float], bool], loads: list[float]) -> float | None:
    """Return the load above which the condition holds; None if it holds at none of `loads` or already at the first."""
    position = next((number for number, load in enumerate(loads) if condition(load)), 0)
    if position == 0:
        return None
    low, high = loads[position - 1], loads[position]
    while high / low > _PRECISION:
        middle = exp((log(low) + log(high)) / 2)
        low, high = (low, middle) if condition(middle) else (middle, high)
    return high
