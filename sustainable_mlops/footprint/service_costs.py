"""Calculation of services with a fixed price, whose energy and carbon are unknown."""

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import service_prices
from sustainable_mlops.catalogue.regions import find_partition
from sustainable_mlops.footprint.activities import ONE, ZERO, ServiceActivity
from sustainable_mlops.footprint.calculation import Calculation, GridLocation
from sustainable_mlops.footprint.figures import METRICS, UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity

_OTHER_METRICS = frozenset(METRICS) - {"cost"}


def calculate_service(activity: ServiceActivity, location: GridLocation) -> Calculation:
    """Return the calculation for units of a service in `location`; it has a cost only."""
    price = service_prices.load_by_item().get(activity.item)
    if price is None:
        raise UserError(f"{activity.item}: no price known")
    # Other partitions have separate price lists, even for prices that all other Regions share.
    has_one_price = price.is_global and find_partition(location.region or "") == "aws"
    calculation = Calculation(
        GridLocation(ZERO, ZERO, 0.0, ZERO, region=location.region, missing=_OTHER_METRICS, unknowns=())
    )
    count = calculation.add_input(activity.count)
    usd = calculation.add_input(
        Quantity(*price.usd_per_month, price.grade, f"price of one {price.item} a month", unit="USD")
    )
    factor = calculation.add_input(ONE if has_one_price else location.find_price_factor("services"))
    usage = f"; not counted: {price.excludes}" if price.excludes else ""
    calculation.add_note(
        UnknownItem(price.item, f"its fixed price is counted; its carbon is not known{usage}", UnknownKind.CARBON)
    )
    calculation.set_formula(lambda v: (0.0, 0.0, v[count] * v[usd] * v[factor]))
    return calculation
