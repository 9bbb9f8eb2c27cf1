"""Fixed prices of services in us-east-1, by the hour or the month: `prices_services.csv`.

Each row has the resource types with this price, the condition on their attributes, and the attribute with the number
of units. Code reads a row without types by its name.
"""

from typing import NamedTuple

from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.catalogue.tables import Grade, load_table, parse_float, parse_grade, parse_number, read_rows

#: Hours of a month, by the period of a price.
_MONTHS = {"hour": HOURS_PER_MONTH, "month": 1.0}


class PriceCondition(NamedTuple):
    """An attribute and the values that select a price; an empty value means that the attribute is not set."""

    attribute: str
    #: None for any value.
    values: frozenset[str] | None


class ServicePrice(NamedTuple):
    """A fixed price of one unit: an endpoint, a key, a rule."""

    item: str
    types: tuple[str, ...]
    conditions: tuple[PriceCondition, ...]
    #: Attribute with the number of units, or with a list of them; empty for one unit.
    count: str  # type: ignore[assignment]  # not the method of a tuple
    #: Number of units if the attribute is not set.
    default_count: float
    #: Name of the units in reports.
    unit: str
    #: USD a month in us-east-1: (low, central, high).
    usd_per_month: tuple[float, float, float]
    #: True if all commercial Regions have the same price.
    is_global: bool
    #: Additional costs that depend on the usage.
    excludes: str
    grade: Grade
    source: str


@load_table
def load_all() -> tuple[ServicePrice, ...]:
    """Return every price in the order of the file."""
    return tuple(_parse_price(row) for row in read_rows("prices_services"))


@load_table
def load_by_item() -> dict[str, ServicePrice]:
    """Return one price of each item; rows of one item have the same price."""
    return {price.item: price for price in load_all()}


@load_table
def load_by_type() -> dict[str, tuple[ServicePrice, ...]]:
    """Return the prices of each resource type."""
    by_type: dict[str, tuple[ServicePrice, ...]] = {}
    for price in load_all():
        for name in price.types:
            by_type[name] = (*by_type.get(name, ()), price)
    return by_type


def reads_attribute(kind: str, path: str) -> bool:
    """Return whether an attribute determines a price of the type, or the number of units."""
    prices = load_by_type().get(kind, ())
    attributes = [one for price in prices for one in (price.count, *(each.attribute for each in price.conditions))]
    return any(path == (name := one.replace(".0.", ".")) or path.startswith(f"{name}.") for one in attributes if one)


def _parse_price(row: dict[str, str]) -> ServicePrice:
    months = _MONTHS[row["per"]]
    central = parse_float(row["usd"])
    low, high = parse_number(row["low"]), parse_number(row["high"])
    bounds = central if low is None else low, central, central if high is None else high
    if not bounds[0] <= central <= bounds[2]:
        raise ValueError(row["high"])
    attribute, _, default = row["count"].partition(":")
    return ServicePrice(
        item=row["item"],
        types=tuple(f"aws_{name}" for name in row["types"].split()),
        conditions=tuple(map(_parse_condition, row["when"].split())),
        count=attribute,
        default_count=parse_float(default) if attribute else 1.0,
        unit=row["unit"],
        usd_per_month=(bounds[0] * months, central * months, bounds[2] * months),
        is_global={"global": True, "regional": False}[row["scope"]],
        excludes=row["excludes"],
        grade=parse_grade(row["class"]),
        source=row["source"],
    )


def _parse_condition(text: str) -> PriceCondition:
    attribute, _, values = text.partition("=")
    return PriceCondition(attribute, None if values == "*" else frozenset(values.split("|")))
