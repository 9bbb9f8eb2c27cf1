"""Emissions of instances: the estimate of the footprint model, times the factor of the ledger.

The sandbox cannot measure emissions. It uses the product's own model, so the ratio of a reported total to the product's
estimate is the factor. A test can therefore check all code between the two.
"""

from typing import NamedTuple

from sagemaker_sandbox.resources.usage_log import InstancePeriod

KG_PER_TONNE = 1000.0
LITRES_PER_M3 = 1000.0


class Emissions(NamedTuple):
    """Emissions in tonnes of CO2e by scope and method, and water in cubic meters.

    `scope_2_mbm` and `scope_2_lbm` are those of the market-based and the location-based method.
    """

    scope_2_lbm: float = 0.0
    scope_2_mbm: float = 0.0
    scope_3: float = 0.0
    water: float = 0.0

    def add(self, other: "Emissions") -> "Emissions":
        """Return the sum of both."""
        return Emissions(*(value + more for value, more in zip(self, other, strict=True)))

    def multiply(self, factor: float) -> "Emissions":
        """Return the emissions times a factor."""
        return Emissions(*(value * factor for value in self))


def estimate_emissions(period: InstancePeriod, region: str) -> Emissions:
    """Return the emissions of a period; none for an instance type that the catalogue does not have."""
    from sustainable_mlops.base.errors import UserError
    from sustainable_mlops.footprint import FleetActivity, estimate, estimate_job, make_exact

    try:
        if period.purpose == "job":
            figures = estimate_job(
                period.instance_type, period.count, period.hours * 3600, region, volume_gb=period.volume_gb
            ).figures
        else:
            count, hours = make_exact(float(period.count)), make_exact(period.hours)
            figures = estimate(FleetActivity(period.instance_type, region, count, hours)).figures
    except UserError:
        return Emissions()
    values = {metric: figure.central for metric, figure in figures.items()}
    operational = values.get("operational", 0.0) / KG_PER_TONNE
    market_based = values["market_based"] / KG_PER_TONNE if "market_based" in values else operational
    embodied, water = values.get("embodied", 0.0) / KG_PER_TONNE, values.get("water", 0.0) / LITRES_PER_M3
    return Emissions(operational, market_based, embodied, water)
