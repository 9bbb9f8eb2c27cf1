"""Quantities that are not known exactly, and what a result owes to each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import exp, inf, isfinite, log, sqrt
from typing import NamedTuple

from sustainable_mlops.catalogue.tables import Grade
from sustainable_mlops.footprint.figures import Figure

#: An input that moves the result by less than this leaves the result's class alone.
_MATTERS = log(1.1)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number between `low` and `high`, most likely near `central`.

    `text` says what it is, for a person; `grade` is A (measured or given), B (derived) or C (assumed).
    """

    low: float
    central: float
    high: float
    grade: Grade = "A"
    text: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError where the three are not in order, or not numbers."""
        if not (isfinite(self.low) and isfinite(self.high) and self.low <= self.central <= self.high):
            raise ValueError(f"{self.text or 'quantity'}: {self.low}, {self.central}, {self.high} is no range")

    def __mul__(self, factor: float) -> "Quantity":
        return Quantity(self.low * factor, self.central * factor, self.high * factor, self.grade, self.text)

    @property
    def exact(self) -> bool:
        """Whether there is no interval."""
        return self.low == self.high

    def named(self, text: str) -> "Quantity":
        """The same with another text."""
        return Quantity(self.low, self.central, self.high, self.grade, text)

    def at(self, low: float, high: float) -> "Quantity":
        """The same, held between `low` and `high`."""

        def held(value: float) -> float:
            return min(max(value, low), high)

        return Quantity(held(self.low), held(self.central), held(self.high), self.grade, self.text)


def exactly(value: float, text: str = "", grade: Grade = "A") -> Quantity:
    """A known number."""
    return Quantity(value, value, value, grade, text)


def between(low: float, central: float, high: float, text: str = "", grade: Grade = "C") -> Quantity:
    """An assumed number."""
    return Quantity(low, central, high, grade, text)


Function = Callable[[Sequence[float]], Sequence[float]]


def propagate(function: Function, inputs: Sequence[Quantity], units: Sequence[str]) -> tuple[Figure, ...]:
    """The results of `function`, each with the range that the intervals of `inputs` leave it.

    Inputs are moved one at a time to their ends. As they are independent and act as factors, the logarithms of what
    they do add in quadrature (ISO/IEC Guide 98-3, clause 5.1, for products). The input with the widest effect is the
    result's driver; its class is the worst of the inputs that move it by a tenth or more, or where none does, of those
    it rests on.
    """
    values = [one.central for one in inputs]
    central = tuple(function(values))
    effects: list[list[_Effect]] = [[] for _ in central]
    for index, one in enumerate(inputs):
        if one.exact:
            continue
        values[index] = one.low
        at_low = function(values)
        values[index] = one.high
        at_high = function(values)
        values[index] = one.central
        for effect, least, middle, most in zip(effects, at_low, central, at_high, strict=True):
            effect.append(_Effect(min(least, middle, most), max(least, middle, most), one))
    return tuple(
        _figure(middle, effects[metric], units[metric], partial(_bases, function, inputs, metric))
        for metric, middle in enumerate(central)
    )


class _Effect(NamedTuple):
    """What a result becomes while one input runs through its interval."""

    least: float
    most: float
    of: Quantity

    @property
    def swing(self) -> float:
        return inf if self.least <= 0 < self.most else log(self.most / self.least) if self.least > 0 else 0.0


def _figure(central: float, effects: Sequence[_Effect], unit: str, bases: Callable[[], list[Quantity]]) -> Figure:
    ranked = sorted(effects, key=lambda effect: -effect.swing)
    mattering = [effect.of for effect in ranked if effect.swing >= _MATTERS]
    grade: Grade = max((one.grade for one in mattering or bases()), default="A")
    driver = ranked[0].of.text if ranked and ranked[0].swing > 0 else ""
    if central <= 0:  # nothing to scale: the widest single effect is the range
        return Figure(central, central, max([central, *(effect.most for effect in effects)]), grade, driver, unit)
    low, high = 0.0, exp(sqrt(sum(log(effect.most / central) ** 2 for effect in effects)))
    if all(effect.least > 0 for effect in effects):
        low = exp(-sqrt(sum(log(central / effect.least) ** 2 for effect in effects)))
    return Figure(central * low, central, central * high, grade, driver, unit)


def _bases(function: Function, inputs: Sequence[Quantity], metric: int) -> list[Quantity]:
    """The inputs that the result depends on at all."""
    values = [one.central for one in inputs]
    central, found = function(values)[metric], []
    for index, one in enumerate(inputs):
        values[index] = one.central * 1.01
        if function(values)[metric] != central:
            found.append(one)
        values[index] = one.central
    return found
