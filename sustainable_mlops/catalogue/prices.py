"""Instance prices of EC2 and SageMaker in us-east-1, and the price factors of other Regions.

A SageMaker price is listed, or derived from the EC2 price.
"""

import re
from typing import Literal, NamedTuple

from sustainable_mlops.catalogue.tables import Grade, load_table, parse_float, parse_grade, parse_interval, read_rows

#: The Region of the price files.
REGION = "us-east-1"
#: Minimum uncertainty of a price factor. `price_regions.csv` merges rows within 3 %, and SageMaker's own prices in
#: other Regions lie within this share of its factors.
_LEAST_SPREAD = 0.02
#: In `price_regions.csv`: all Regions without a known price list, and all services without a row in a Region.
_ANY = "*"


class Price(NamedTuple):
    """Price of an instance-hour in USD, on demand, in us-east-1: (low, central, high)."""

    usd_per_hour: tuple[float, float, float]
    kind: Literal["SageMaker price", "EC2 price x factor", "EC2 price"]
    grade: Grade
    #: Source for a reader.
    source: str


class RegionalPrice(NamedTuple):
    """Price in a Region as a multiple of the price in us-east-1: (low, central, high)."""

    factor: tuple[float, float, float]
    grade: Grade
    #: Date of the price lists.
    date: str
    #: Interval that the factor covers: the instance prices in the Region, or the prices in all Regions. None if the
    #: price lists of the Region contain the family, or families with the same letter.
    span: Literal["Region", "Regions"] | None
    #: Families and services with the same factor in the Region.
    names: str


def find(instance: str) -> Price | None:
    """Return the price of `instance` (`ml.m5.xlarge`, or `m5.xlarge` of EC2); None if no file has it."""
    if (list_price := _load_sagemaker_prices().get(instance)) is not None:
        price, its_grade, source = list_price
        return Price((price, price, price), "SageMaker price", its_grade, f"SageMaker list price ({source})")
    name = instance.removeprefix("ml.")
    if (ec2_price := _load_ec2_prices().get(name)) is None:
        return None
    ec2, its_grade, source = ec2_price
    if name == instance:
        return Price((ec2, ec2, ec2), "EC2 price", its_grade, source)
    low, factor, high = _find_factor(name)
    source = f"{source} x {factor:g}, an assumption"
    return Price((ec2 * low, ec2 * factor, ec2 * high), "EC2 price x factor", "C", source)


def find_regional_price(region: str | None, name: str) -> RegionalPrice:
    """Return the price factor of `name` in `region`: a family (`m5`), a storage class, or another service.

    Without a price list for the family, the factor is that of families with the same letter (`m` for `m9i`), else the
    interval over all Regions.
    """
    if region == REGION:
        return RegionalPrice((1.0, 1.0, 1.0), "A", "", None, name)
    factors, region_key, series = _load_regional_prices(), region or _ANY, re.split("[^a-z]", name)[0]
    keys = [(where, service) for where in (region_key, _ANY) for service in (name, series)] + [
        (region_key, _ANY),
        (_ANY, _ANY),
    ]
    return next(factors[key] for key in keys if key in factors)


def list_regions() -> list[str]:
    """Return the names of the Regions with prices of their own."""
    return sorted({region for region, _name in _load_regional_prices()} - {_ANY})


def _find_factor(name: str) -> tuple[float, float, float]:
    factors = _load_factors()
    return factors.get(name) or factors.get(name.split(".")[0]) or factors[_ANY]


@load_table
def _load_sagemaker_prices() -> dict[str, tuple[float, Grade, str]]:
    return {
        row["instance"]: (
            parse_float(row["usd_per_hour"]),
            parse_grade(row["class"]),
            f"{row['source']}, {row['date']}",
        )
        for row in read_rows("prices_sagemaker")
    }


@load_table
def _load_ec2_prices() -> dict[str, tuple[float, Grade, str]]:
    return {
        row["instance"]: (
            parse_float(row["usd_per_hour"]),
            parse_grade(row["class"]),
            f"EC2 list price of {row['date']}",
        )
        for row in read_rows("prices_ec2")
    }


@load_table
def _load_factors() -> dict[str, tuple[float, float, float]]:
    """Return the SageMaker price as a multiple of the EC2 price, by type, family, or `*` for the rest."""
    return {name: _read_bounds(row) for row in read_rows("price_factors") for name in row["types"].split()}


@load_table
def _load_regional_prices() -> dict[tuple[str, str], RegionalPrice]:
    prices: dict[tuple[str, str], RegionalPrice] = {}
    for row in read_rows("price_regions"):
        region, names = row["region"], row["names"]
        span: Literal["Regions", "Region"] | None = "Regions" if region == _ANY else None
        price = RegionalPrice(_widen(_read_bounds(row)), parse_grade(row["class"]), row["date"], span, names)
        for name in names.split():
            is_whole_region = name == _ANY and span is None
            prices[region, name] = price._replace(span="Region") if is_whole_region else price
    return prices


def _widen(factor: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the interval with its rounding error. A Region with the prices of us-east-1 has them exactly."""
    low, central, high = factor
    return factor if low == high == 1.0 else (low * (1 - _LEAST_SPREAD), central, high * (1 + _LEAST_SPREAD))


def _read_bounds(row: dict[str, str]) -> tuple[float, float, float]:
    return parse_interval(row, "low", "factor", "high")
