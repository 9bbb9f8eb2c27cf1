"""What a result, or the change between two, owes to each quantity that is not known exactly."""

from collections.abc import Callable, Iterable, Sequence
from math import exp, hypot, inf, log, log1p, sqrt
from typing import NamedTuple

from sustainable_mlops.catalogue.tables import Grade
from sustainable_mlops.footprint.figures import Figure
from sustainable_mlops.footprint.quantities import Quantity

#: An unknown that moves the result by less than this leaves the result's class alone.
_MATTERS = log(1.1)

Values = Sequence[float]


class Model(NamedTuple):
    """Results of inputs, each result in its unit."""

    function: Callable[[Values], Values]
    inputs: Sequence[Quantity]
    units: Sequence[str]

    @property
    def central(self) -> Values:
        """The results of the inputs' central values."""
        return self.function([one.central for one in self.inputs])

    def unknowns(self) -> dict[str, "_Moved"]:
        """The results at both ends of each unknown, by its key; inputs of one key move together."""
        places: dict[str, list[int]] = {}
        for place, one in enumerate(self.inputs):
            if not one.exact:
                places.setdefault(one.key or one.text or f"input {place}", []).append(place)
        values = [one.central for one in self.inputs]
        found = {}
        for key, moving in places.items():
            for place in moving:
                values[place] = self.inputs[place].low
            at_low = self.function(values)
            for place in moving:
                values[place] = self.inputs[place].high
            found[key] = _Moved(self.inputs[moving[0]], at_low, self.function(values))
            for place in moving:
                values[place] = self.inputs[place].central
        return found

    def bases(self, metric: int) -> list[Grade]:
        """The classes of the inputs that a result depends on at all."""
        values = [one.central for one in self.inputs]
        central, found = self.function(values)[metric], []
        for place, one in enumerate(self.inputs):
            values[place] = one.central * 1.01
            if self.function(values)[metric] != central:
                found.append(one.grade)
            values[place] = one.central
        return found


class _Effect(NamedTuple):
    """What one result becomes while an unknown runs through its interval."""

    least: float
    most: float
    of: Quantity


class _Moved(NamedTuple):
    """The results at the low and at the high end of an unknown."""

    of: Quantity
    at_low: Values
    at_high: Values

    def effect(self, metric: int, central: float) -> _Effect:
        """On the result that is `central` otherwise."""
        ends = (self.at_low[metric], central, self.at_high[metric])
        return _Effect(min(ends), max(ends), self.of)

    def less(self, other: "_Moved") -> "_Moved":
        """The difference of two results while one unknown moves both."""
        return _Moved(self.of, _less(self.at_low, other.at_low), _less(self.at_high, other.at_high))


def propagate(model: Model) -> tuple[Figure, ...]:
    """The results of `model`, each with the range that the intervals of its inputs leave it.

    Unknowns are moved one at a time to their ends. As they are independent and act as factors, the logarithms of what
    they do add in quadrature (ISO/IEC Guide 98-3, clause 5.1, for products). The one with the widest effect is the
    result's driver; its class is the worst of those that move it by a tenth or more, or where none does, of the inputs
    it rests on.
    """
    unknowns, found = model.unknowns().values(), []
    for metric, central in enumerate(model.central):
        effects = [one.effect(metric, central) for one in unknowns]
        down, up = _as_factors(central, effects)
        sizes = [(_ratio(effect), effect.of) for effect in effects]
        found.append(_figure(central - down, central, central + up, sizes, metric, model))
    return tuple(found)


def propagate_change(before: Model, after: Model) -> tuple[Figure, ...]:
    """The results of `after` less those of `before`, each with the range that the intervals leave the change.

    What is unknown on both sides (a grid, a load) moves on both at once, and acts as a factor of the change, or where
    it turns its sign, as an amount. What is unknown on one side alone (the power of its silicon) acts as a factor of
    that side. The three are independent: what they do to the change adds in quadrature, as amounts (ISO/IEC Guide
    98-3, clause 5.1, for sums).
    """
    old, new = before.unknowns(), after.unknowns()
    shared = [one.less(old[key]) for key, one in new.items() if key in old]
    come = [one for key, one in new.items() if key not in old]
    gone = [one for key, one in old.items() if key not in new]
    found = []
    for metric, (was, becomes) in enumerate(zip(before.central, after.central, strict=True)):
        change = becomes - was
        of_both = [one.effect(metric, change) for one in shared]
        of_old = [one.effect(metric, was) for one in gone]
        of_new = [one.effect(metric, becomes) for one in come]
        down, up = _of_change(change, of_both)
        old_down, old_up = _as_factors(was, of_old)
        new_down, new_up = _as_factors(becomes, of_new)
        low, high = change - hypot(down, old_up, new_down), change + hypot(up, old_down, new_up)
        sizes = [(_amount(effect, change), effect.of) for effect in (*of_both, *of_new, *of_old)]
        found.append(_figure(low, change, high, sizes, metric, before, after))
    return tuple(found)


def _less(values: Values, others: Values) -> Values:
    return [value - other for value, other in zip(values, others, strict=True)]


def _ratio(effect: _Effect) -> float:
    return inf if effect.least <= 0 < effect.most else log(effect.most / effect.least) if effect.least > 0 else 0.0


def _amount(effect: _Effect, change: float) -> float:
    moved = effect.most - effect.least
    return log1p(moved / abs(change)) if change else inf if moved else 0.0


def _as_factors(central: float, effects: Sequence[_Effect]) -> tuple[float, float]:
    """How far down and up the effects take a result that is 0 or more, as factors of it."""
    if central <= 0:  # nothing to scale
        return _as_amounts(central, effects)
    up = central * exp(sqrt(sum(log(effect.most / central) ** 2 for effect in effects))) - central
    if any(effect.least <= 0 for effect in effects):
        return central, up
    return central - central * exp(-sqrt(sum(log(central / effect.least) ** 2 for effect in effects))), up


def _as_amounts(central: float, effects: Sequence[_Effect]) -> tuple[float, float]:
    return hypot(*(central - effect.least for effect in effects)), hypot(*(effect.most - central for effect in effects))


def _of_change(central: float, effects: Sequence[_Effect]) -> tuple[float, float]:
    """How far down and up the effects take a change, as factors where all of them keep its sign."""
    if central < 0:
        up, down = _of_change(-central, [_Effect(-effect.most, -effect.least, effect.of) for effect in effects])
        return down, up
    turns = any(effect.least <= 0 for effect in effects)
    return _as_amounts(central, effects) if turns else _as_factors(central, effects)


def _figure(
    low: float, central: float, high: float, sizes: Iterable[tuple[float, Quantity]], metric: int, *models: Model
) -> Figure:
    ranked = sorted(sizes, key=lambda one: -one[0])
    grades = [one.grade for size, one in ranked if size >= _MATTERS]
    grades = grades or [grade for model in models for grade in model.bases(metric)]
    driver = ranked[0][1].text if ranked and ranked[0][0] > 0 else ""
    return Figure(low, central, high, max(grades, default="A"), driver, models[0].units[metric])
