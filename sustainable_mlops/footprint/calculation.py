"""A formula with its inputs and its location, and the estimate that results from them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sustainable_mlops.catalogue import prices, regions
from sustainable_mlops.catalogue.regions import CatalogueRegion
from sustainable_mlops.footprint.activities import ONE, ZERO
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import (
    METRICS,
    UNITS,
    FootprintEstimate,
    FootprintFigure,
    UnknownItem,
    UnknownKind,
)
from sustainable_mlops.footprint.propagation import PropagationModel, propagate, propagate_change
from sustainable_mlops.footprint.quantities import Quantity, make_bounded

#: Function from the input values to kWh of the hardware (before PUE), kg of embodied carbon and USD.
Formula = Callable[[Sequence[float]], tuple[float, float, float]]

_UNITS = tuple(UNITS[metric] for metric in METRICS)
_CLAIM = "AWS's claim that its purchases match the Region's use"
_ZERO_BY_CLAIM = FootprintFigure(0.0, 0.0, 0.0, "C", _CLAIM, UNITS["market_based"])


#: Unit of the PUE: energy of the building for the energy of its hardware.
_RATIO = "kWh/kWh"
#: Descriptions of a price that no price list contains.
_SPAN_TEXTS = {
    "Region": "in no known price list: the interval of the prices of instances in the Region",
    "Regions": "in no known price list: the interval of the prices in the known Regions",
}


class GridLocation(NamedTuple):
    """Region of an instance: carbon and water of its electricity, and its prices."""

    pue: Quantity
    grid: Quantity
    market_based: float
    water: Quantity
    #: Name of the Region for the price lookup; None if unknown.
    region: str | None
    #: Metrics without a figure in this Region.
    missing: frozenset[str]
    unknowns: tuple[UnknownItem, ...]
    #: Factor of operational and embodied carbon from a calibration file.
    carbon_ratio: Quantity = ONE

    def find_price_factor(self, name: str) -> Quantity:
        """Return the price of `name` in the Region as a multiple of its price in us-east-1.

        `name` is an instance family, a storage class or a service.
        """
        regional_price, where = prices.find_regional_price(self.region, name), self.region or "an unknown Region"
        source = _SPAN_TEXTS[regional_price.span] if regional_price.span else f"lists of {regional_price.date}"
        # Prices of one table row vary together, and so do all prices that are known only as an interval.
        key = f"price in {where}" + ("" if regional_price.span else f": {regional_price.names}")
        text = f"price of {name} in {where} over that in {prices.REGION} ({source})"
        return Quantity(*regional_price.factor, regional_price.grade, text, key, "x")


def find_location(name: str | None, coefficients: Coefficients) -> GridLocation:
    """Return the location of a Region; its grid figures are missing if the Region is None or not in the catalogue."""
    region = regions.find(name) if name is not None else None
    if region is not None:
        return make_location(region, coefficients)
    no_region = "the plan does not contain the Region; pass --region"
    reason = no_region if name is None else f"the catalogue has no Region {name}"
    return GridLocation(
        pue=coefficients.pue_fleet_average.separate_for_item(name or "unknown"),
        grid=ZERO,
        market_based=0.0,
        water=ZERO,
        region=name,
        missing=frozenset({"operational", "market_based", "total", "water"}),
        unknowns=(UnknownItem("carbon and water of the electricity", reason, UnknownKind.UNCOUNTED),),
    )


def make_location(region: CatalogueRegion, coefficients: Coefficients) -> GridLocation:
    """Return the location of a Region of the catalogue."""
    missing, unknowns = set(), []
    if region.market_based is None:
        missing.add("market_based")
        unknowns.append(
            UnknownItem(f"market-based carbon in {region.name}", "AWS claims no matching purchases for this Region")
        )
    if region.water_l_per_kwh is None:
        missing.add("water")
        unknowns.append(UnknownItem(f"water in {region.name}", "AWS publishes no water figure for this Region"))
    margin, wue, margin_of_water = coefficients.pue_margin, region.water_l_per_kwh or 0.0, coefficients.wue_margin
    if region.is_pue_published:
        pue = Quantity(
            max(region.pue - margin, 1.0), region.pue, region.pue + margin, "B", "PUE of the Region", unit=_RATIO
        )
    else:
        pue = coefficients.pue_fleet_average
    grid_text = f"carbon intensity of the grid ({region.grid_source})"
    low, central, high = region.grid
    return GridLocation(
        pue=pue.separate_for_item(region.name),
        grid=Quantity(low, central, high, region.grid_grade, grid_text, unit="gCO2e/kWh").separate_for_item(
            region.name
        ),
        market_based=region.market_based or 0.0,
        water=make_bounded(
            wue * (1 - margin_of_water), wue, wue * (1 + margin_of_water), "water of the Region", "B", "L/kWh"
        ).separate_for_item(region.name),
        region=region.name,
        missing=frozenset(missing),
        unknowns=tuple(unknowns),
    )


class Calculation:
    """A formula, its inputs, and the metrics without a figure."""

    def __init__(self, location: GridLocation) -> None:
        self._location = location
        self._inputs: list[Quantity] = [location.pue, location.grid, location.water, location.carbon_ratio]
        self._missing = set(location.missing)
        self._unknowns = list(location.unknowns)
        self._formula: Formula | None = None
        self._requests: int | None = None

    def add_input(self, quantity: Quantity) -> int:
        """Add an input quantity and return its index among the values of the formula."""
        self._inputs.append(quantity)
        return len(self._inputs) - 1

    def mark_missing(self, metric: str, unknown: UnknownItem) -> None:
        """Record that `metric` has no figure or an incomplete one, with the reason."""
        self._missing.add(metric)
        self._unknowns.append(unknown)

    def add_note(self, unknown: UnknownItem) -> None:
        """Record something that the figures leave out."""
        self._unknowns.append(unknown)

    def set_formula(self, formula: Formula) -> None:
        """Set the function from the input values to kWh of the hardware (before PUE), kg embodied and USD."""
        self._formula = formula

    def divide_by_requests(self, requests: Quantity) -> None:
        """Compute the figures of 1,000 requests instead of a month."""
        self._requests = next((i for i, one in enumerate(self._inputs) if one is requests), None)
        if self._requests is None:
            self._requests = self.add_input(requests)

    def compute_estimate(self) -> FootprintEstimate:
        """Return the estimate."""
        ratio = self._location.carbon_ratio
        reported_inputs = [one for one in self._inputs if one.text and (one is ratio or not one.is_exact)]
        return FootprintEstimate(
            self._select_figures(propagate(self._model), self._missing),
            tuple(self._unknowns),
            tuple(dict.fromkeys(map(_format_quantity, reported_inputs))),
        )

    def compute_change(self, before: "Calculation") -> Mapping[str, FootprintFigure]:
        """Return the figures minus the figures of `before`, without the metrics that either side cannot give."""
        differences = propagate_change(before._model, self._model)
        return self._select_figures(differences, self._missing | before._missing)

    def _select_figures(self, results: Sequence[FootprintFigure], missing: set[str]) -> Mapping[str, FootprintFigure]:
        figures = {metric: figure for metric, figure in zip(METRICS, results, strict=True) if metric not in missing}
        is_zero_by_claim = self._location.market_based == 0 and "market_based" in figures
        return figures | {"market_based": _ZERO_BY_CLAIM} if is_zero_by_claim else figures

    @property
    def _model(self) -> PropagationModel:
        formula, market, requests = self._formula, self._location.market_based, self._requests
        assert formula is not None

        def compute_metrics(values: Sequence[float]) -> tuple[float, ...]:
            hardware_energy, embodied, cost = formula(values)
            energy = hardware_energy * values[0]
            operational = energy * values[1] / 1000 * values[3]
            embodied *= values[3]
            results = (
                energy,
                operational,
                energy * market / 1000,
                embodied,
                operational + embodied,
                hardware_energy * values[2],
                cost,
            )
            return results if requests is None else tuple(figure * 1000 / values[requests] for figure in results)

        return PropagationModel(compute_metrics, self._inputs, _UNITS)


def _format_quantity(quantity: Quantity) -> str:
    low, central, high = (_format_value(value) for value in (quantity.low, quantity.central, quantity.high))
    value = f"{central} {quantity.unit}".rstrip()
    return f"{quantity.text}: {value} ({low} to {high}), class {quantity.grade}"


def _format_value(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
