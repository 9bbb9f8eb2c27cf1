"""A formula with its inputs and its place, and the estimate they make."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sustainable_mlops.catalogue import prices, regions
from sustainable_mlops.catalogue.regions import Region
from sustainable_mlops.footprint.activities import NONE
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import METRICS, UNITS, Estimate, Figure, Lack, Unknown
from sustainable_mlops.footprint.propagation import Model, propagate, propagate_change
from sustainable_mlops.footprint.quantities import Quantity

#: Values of a calculation's inputs → kWh of the machines (before PUE), kg embodied, USD.
Formula = Callable[[Sequence[float]], tuple[float, float, float]]

_UNITS = tuple(UNITS[metric] for metric in METRICS)
_CLAIM = "AWS's claim that its purchases match the Region's use"
_CLAIMED = Figure(0.0, 0.0, 0.0, "C", _CLAIM, UNITS["market_based"])


#: What is said of a price that no list has.
_SPANS = {
    "Region": "no list known here has it: the span of what the Region charges for instances",
    "Regions": "no list known here has it: the span of the Regions known",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something runs: what a kWh of its machines costs the climate and the water."""

    pue: Quantity
    grid: Quantity
    market_based: float
    water: Quantity
    #: The Region, whose prices are looked up; None where nobody says which it is.
    region: str | None
    #: Figures that are not known there.
    missing: frozenset[str]
    unknowns: tuple[Unknown, ...]

    def price(self, name: str) -> Quantity:
        """What the price of us-east-1 is times there, of `name`: a family of instances, a storage class, a service."""
        found, where = prices.elsewhere(self.region, name), self.region or "a Region that is not told"
        said = _SPANS[found.span] if found.span else f"lists of {found.date}"
        # Things of one row move together; so do all where only a span is known.
        key = f"price in {where}" + ("" if found.span else f": {found.names}")
        text = f"price of {name} in {where} over that in {prices.REGION} ({said})"
        return Quantity(*found.factor, found.grade, text, key)


def place(name: str | None, coefficients: Coefficients) -> Place:
    """The Region called `name`; what depends on it is missing where it is None or the catalogue has none."""
    region = regions.find(name) if name is not None else None
    if region is not None:
        return place_of(region, coefficients)
    untold = "the plan does not say which Region it is in; give --region"
    reason = untold if name is None else f"the catalogue has no Region {name}"
    return Place(
        pue=coefficients.pue_fleet.of(name or "unknown"),
        grid=NONE,
        market_based=0.0,
        water=NONE,
        region=name,
        missing=frozenset({"operational", "market_based", "total", "water"}),
        unknowns=(Unknown("carbon and water of the electricity", reason, Lack.UNCOUNTED),),
    )


def place_of(region: Region, coefficients: Coefficients) -> Place:
    """What `region` means for a result."""
    missing, unknowns = set(), []
    if region.market_based is None:
        missing.add("market_based")
        unknowns.append(
            Unknown(f"market-based carbon in {region.name}", "AWS claims no matching purchases for this Region")
        )
    if region.water_l_per_kwh is None:
        missing.add("water")
        unknowns.append(Unknown(f"water in {region.name}", "AWS publishes no water figure for this Region"))
    margin, wue = coefficients.pue_margin, region.water_l_per_kwh or 0.0
    if region.pue_published:
        pue = Quantity(max(region.pue - margin, 1.0), region.pue, region.pue + margin, "B", "PUE of the Region")
    else:
        pue = coefficients.pue_fleet
    grid_text = f"carbon intensity of the grid ({region.grid_source})"
    low, central, high = region.grid
    return Place(
        pue=pue.of(region.name),
        grid=Quantity(low, central, high, region.grid_grade, grid_text).of(region.name),
        market_based=region.market_based or 0.0,
        water=Quantity(
            wue * (1 - coefficients.wue_margin), wue, wue * (1 + coefficients.wue_margin), "B", "water of the Region"
        ).of(region.name),
        region=region.name,
        missing=frozenset(missing),
        unknowns=tuple(unknowns),
    )


class Calculation:
    """A formula, its inputs, and the figures it cannot give."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._inputs: list[Quantity] = [place.pue, place.grid, place.water]
        self._missing = set(place.missing)
        self._unknowns = list(place.unknowns)
        self._formula: Formula | None = None
        self._requests: int | None = None

    def input(self, quantity: Quantity) -> int:
        """Take `quantity` in; its place among the values that the formula gets."""
        self._inputs.append(quantity)
        return len(self._inputs) - 1

    def lacks(self, metric: str, unknown: Unknown) -> None:
        """`metric` cannot be given, or not wholly."""
        self._missing.add(metric)
        self._unknowns.append(unknown)

    def notes(self, unknown: Unknown) -> None:
        """Something the figures leave out."""
        self._unknowns.append(unknown)

    def by(self, formula: Formula) -> None:
        """`formula`: values → kWh of the machines (before PUE), kg embodied, USD."""
        self._formula = formula

    def per_thousand(self, requests: Quantity) -> None:
        """Give the figures of 1,000 requests instead."""
        self._requests = next((i for i, one in enumerate(self._inputs) if one is requests), None)
        if self._requests is None:
            self._requests = self.input(requests)

    def result(self) -> Estimate:
        """The estimate."""
        return Estimate(
            self._known(propagate(self._model), self._missing),
            tuple(self._unknowns),
            tuple(dict.fromkeys(_said(one) for one in self._inputs if not one.exact and one.text)),
        )

    def since(self, before: "Calculation") -> Mapping[str, Figure]:
        """Its figures less those of `before`; without the metrics that either cannot give."""
        found = propagate_change(before._model, self._model)
        return self._known(found, self._missing | before._missing)

    def _known(self, found: Sequence[Figure], missing: set[str]) -> Mapping[str, Figure]:
        figures = {metric: figure for metric, figure in zip(METRICS, found, strict=True) if metric not in missing}
        claimed = self._place.market_based == 0 and "market_based" in figures
        return figures | {"market_based": _CLAIMED} if claimed else figures

    @property
    def _model(self) -> Model:
        formula, market, requests = self._formula, self._place.market_based, self._requests
        assert formula is not None

        def figures(values: Sequence[float]) -> tuple[float, ...]:
            machines, embodied, cost = formula(values)
            energy = machines * values[0]
            operational = energy * values[1] / 1000
            found = (
                energy,
                operational,
                energy * market / 1000,
                embodied,
                operational + embodied,
                machines * values[2],
                cost,
            )
            return found if requests is None else tuple(figure * 1000 / values[requests] for figure in found)

        return Model(figures, self._inputs, _UNITS)


def _said(quantity: Quantity) -> str:
    low, central, high = (_number(value) for value in (quantity.low, quantity.central, quantity.high))
    return f"{quantity.text}: {central} ({low} to {high}), class {quantity.grade}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
