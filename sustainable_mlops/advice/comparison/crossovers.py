"""The load from which on another kind of this project's endpoints uses less."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from math import exp, inf, log
from typing import Any

from sustainable_mlops.footprint import FleetActivity, ServerlessActivity, estimate
from sustainable_mlops.footprint.model import estimate_change

#: The requests a day between which kinds are looked at.
MIN_LOAD, MAX_LOAD = 1.0, 1e9
_STEPS, _PRECISION = 72, 1.001

#: What each kind runs, at a load.
Activities = Callable[[float], Mapping[str, FleetActivity | ServerlessActivity]]


@dataclass(frozen=True, slots=True)
class Crossover:
    """Requests a day from which on `after` uses less than `before`, each of this project's kinds."""

    #: `total`, kgCO2e, or `cost`, USD.
    metric: str
    before: str
    after: str
    requests_per_day: float
    #: From where on it may, and from where on it surely does; None where that is at no load.
    low: float | None
    high: float | None
    #: Requests a day that `before` takes by its defaults at this peak.
    before_maximum: float

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return asdict(self)


def find_crossover(metric: str, activities: Activities, maximums: Mapping[str, float]) -> Crossover | None:
    """The first load at which the kind that uses least of a metric is another; None where it is the same at any.

    `takes`: the requests a day that each kind takes by its defaults.
    """
    loads = [exp(log(MIN_LOAD) + (log(MAX_LOAD) - log(MIN_LOAD)) * step / _STEPS) for step in range(_STEPS + 1)]
    before = _find_least(metric, activities(MIN_LOAD))
    central = _find_first_load(lambda load: _find_least(metric, activities(load)) != before, loads)
    if central is None:
        return None
    after = _find_least(metric, activities(central))

    def saves(load: float, end: str) -> bool:
        """Whether `after` uses less, at one end of the range of what it saves."""
        run = activities(load)
        figure = estimate_change(run[after], run[before]).get(metric)
        return figure is not None and getattr(figure, end) > 0

    may, surely = (_find_first_load(partial(saves, end=end), loads) for end in ("high", "low"))
    return Crossover(metric, before, after, central, may, surely, maximums[before])


def _find_least(metric: str, run: Mapping[str, FleetActivity | ServerlessActivity]) -> str:
    figures = {kind: estimate(one).get(metric) for kind, one in run.items()}
    return min(figures, key=lambda kind: figure.central if (figure := figures[kind]) else inf)


def _find_first_load(holds: Callable[[float], bool], loads: list[float]) -> float | None:
    """The load from which on it holds; None where it holds at none of `loads`, or at the least already."""
    at = next((number for number, load in enumerate(loads) if holds(load)), 0)
    if at == 0:
        return None
    low, high = loads[at - 1], loads[at]
    while high / low > _PRECISION:
        middle = exp((log(low) + log(high)) / 2)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
