"""Effect of each uncertain quantity on a result, or on the change between two results."""

from collections.abc import Callable, Iterable, Sequence
from math import exp, hypot, inf, log, log1p, sqrt
from typing import NamedTuple

from sustainable_mlops.catalogue.tables import Grade
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.footprint.quantities import Quantity

#: An unknown with a smaller effect (as a logarithm) does not influence the class of the result.
_MATTERS = log(1.1)

Values = Sequence[float]


class PropagationModel(NamedTuple):
    """A function from inputs to results, with the unit of each result."""

    function: Callable[[Values], Values]
    inputs: Sequence[Quantity]
    units: Sequence[str]

    @property
    def central_results(self) -> Values:
        """The results at the central values of the inputs."""
        return self.function([one.central for one in self.inputs])

    def compute_bound_results(self) -> dict[str, "_BoundResults"]:
        """Return the results at both ends of each unknown, by its key; inputs with one key vary together."""
        positions: dict[str, list[int]] = {}
        for position, one in enumerate(self.inputs):
            if not one.is_exact:
                positions.setdefault(one.key or one.text or f"input {position}", []).append(position)
        values = [one.central for one in self.inputs]
        bound_results = {}
        for key, group in positions.items():
            for position in group:
                values[position] = self.inputs[position].low
            at_low = self.function(values)
            for position in group:
                values[position] = self.inputs[position].high
            bound_results[key] = _BoundResults(self.inputs[group[0]], at_low, self.function(values))
            for position in group:
                values[position] = self.inputs[position].central
        return bound_results

    def list_grades(self, metric: int) -> list[Grade]:
        """Return the classes of the inputs that a result depends on."""
        values = [one.central for one in self.inputs]
        central, grades = self.function(values)[metric], []
        for position, one in enumerate(self.inputs):
            values[position] = one.central * 1.01
            if self.function(values)[metric] != central:
                grades.append(one.grade)
            values[position] = one.central
        return grades


class _Effect(NamedTuple):
    """The lowest and the highest value of a result while one unknown runs through its interval."""

    least: float
    most: float
    quantity: Quantity


class _BoundResults(NamedTuple):
    """The results at the low and at the high end of an unknown."""

    quantity: Quantity
    at_low: Values
    at_high: Values

    def get_effect(self, metric: int, central: float) -> _Effect:
        """Return the effect on one result, whose value at the central inputs is `central`."""
        ends = (self.at_low[metric], central, self.at_high[metric])
        return _Effect(min(ends), max(ends), self.quantity)

    def subtract(self, other: "_BoundResults") -> "_BoundResults":
        """Return the difference of two results that depend on the same unknown."""
        return _BoundResults(
            self.quantity, _subtract_values(self.at_low, other.at_low), _subtract_values(self.at_high, other.at_high)
        )


def propagate(model: PropagationModel) -> tuple[FootprintFigure, ...]:
    """Return the results of `model`, each with the interval that follows from the intervals of its inputs.

    One unknown at a time moves to its ends. The unknowns are independent and act as factors, so the logarithms of their
    effects add in quadrature (ISO/IEC Guide 98-3, clause 5.1, for products). The unknown with the widest effect is the
    driver of the result. The class of the result is the worst class of the unknowns that change it by a tenth or more.
    If none does, it is the worst class of all inputs of the result.
    """
    unknowns, figures = model.compute_bound_results().values(), []
    for metric, central in enumerate(model.central_results):
        effects = [one.get_effect(metric, central) for one in unknowns]
        down, up = _combine_as_factors(central, effects)
        sizes = [(_compute_ratio(effect), effect.quantity) for effect in effects]
        figures.append(_make_figure(central - down, central, central + up, sizes, metric, model))
    return tuple(figures)


def propagate_change(before: PropagationModel, after: PropagationModel) -> tuple[FootprintFigure, ...]:
    """Return the results of `after` minus the results of `before`, each with its interval.

    An unknown of both sides (a grid, a load) varies on both together and acts as a factor of the change. It acts as an
    amount if it changes the sign of the change. An unknown of one side only (the power of its silicon) acts as a factor
    of that side. The three kinds are independent: their effects on the change add in quadrature, as amounts (ISO/IEC
    Guide 98-3, clause 5.1, for sums).
    """
    old, new = before.compute_bound_results(), after.compute_bound_results()
    shared = [one.subtract(old[key]) for key, one in new.items() if key in old]
    added = [one for key, one in new.items() if key not in old]
    removed = [one for key, one in old.items() if key not in new]
    figures = []
    for metric, (old_value, new_value) in enumerate(zip(before.central_results, after.central_results, strict=True)):
        change = new_value - old_value
        shared_effects = [one.get_effect(metric, change) for one in shared]
        old_effects = [one.get_effect(metric, old_value) for one in removed]
        new_effects = [one.get_effect(metric, new_value) for one in added]
        down, up = _combine_change(change, shared_effects)
        old_down, old_up = _combine_as_factors(old_value, old_effects)
        new_down, new_up = _combine_as_factors(new_value, new_effects)
        low, high = change - hypot(down, old_up, new_down), change + hypot(up, old_down, new_up)
        sizes = [
            (_compute_amount(effect, change), effect.quantity)
            for effect in (*shared_effects, *new_effects, *old_effects)
        ]
        figures.append(_make_figure(low, change, high, sizes, metric, before, after))
    return tuple(figures)


def _subtract_values(values: Values, others: Values) -> Values:
    return [value - other for value, other in zip(values, others, strict=True)]


def _compute_ratio(effect: _Effect) -> float:
    return inf if effect.least <= 0 < effect.most else log(effect.most / effect.least) if effect.least > 0 else 0.0


def _compute_amount(effect: _Effect, change: float) -> float:
    width = effect.most - effect.least
    return log1p(width / abs(change)) if change else inf if width else 0.0


def _combine_as_factors(central: float, effects: Sequence[_Effect]) -> tuple[float, float]:
    """Return the distances to the lower and the upper bound of a non-negative result; the effects multiply."""
    if central <= 0:  # nothing to scale
        return _combine_as_amounts(central, effects)
    up = central * exp(sqrt(sum(log(effect.most / central) ** 2 for effect in effects))) - central
    if any(effect.least <= 0 for effect in effects):
        return central, up
    return central - central * exp(-sqrt(sum(log(central / effect.least) ** 2 for effect in effects))), up


def _combine_as_amounts(central: float, effects: Sequence[_Effect]) -> tuple[float, float]:
    return hypot(*(central - effect.least for effect in effects)), hypot(*(effect.most - central for effect in effects))


def _combine_change(central: float, effects: Sequence[_Effect]) -> tuple[float, float]:
    """Return the distances to the bounds of a change; the effects multiply if all of them keep its sign."""
    if central < 0:
        up, down = _combine_change(
            -central, [_Effect(-effect.most, -effect.least, effect.quantity) for effect in effects]
        )
        return down, up
    changes_sign = any(effect.least <= 0 for effect in effects)
    return _combine_as_amounts(central, effects) if changes_sign else _combine_as_factors(central, effects)


def _make_figure(
    low: float,
    central: float,
    high: float,
    sizes: Iterable[tuple[float, Quantity]],
    metric: int,
    *models: PropagationModel,
) -> FootprintFigure:
    ranked = sorted(sizes, key=lambda one: -one[0])
    grades = [one.grade for size, one in ranked if size >= _MATTERS]
    grades = grades or [grade for model in models for grade in model.list_grades(metric)]
    driver = ranked[0][1].text if ranked and ranked[0][0] > 0 else ""
    return FootprintFigure(low, central, high, max(grades, default="A"), driver, models[0].units[metric])
