"""Prices of instances in us-east-1, EC2's as listed, SageMaker's as listed or worked out; what other Regions charge."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from sustainable_mlops.catalogue.tables import Grade, parse_grade, read_rows

#: The Region of the price files.
REGION = "us-east-1"
#: Rows of `price_regions.csv` within 3 % are one; SageMaker's own prices elsewhere lie within this of what it gives.
_LEAST_SPREAD = 0.02
#: In `price_regions.csv`: the Regions that no list is known of, and what no other row of a Region is about.
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Price:
    """USD an instance-hour, on demand, in us-east-1: (low, central, high)."""

    usd_per_hour: tuple[float, float, float]
    kind: Literal["SageMaker price", "EC2 price x factor", "EC2 price"]
    grade: Grade
    #: Where it comes from, for a person.
    source: str


@dataclass(frozen=True, slots=True)
class RegionalPrice:
    """What a Region charges for something, as a multiple of us-east-1's price: (low, central, high)."""

    factor: tuple[float, float, float]
    grade: Grade
    #: When the price lists were read that it comes from.
    date: str
    #: Where it is a span: of what the Region charges for instances, or of what all Regions charge; None where lists
    #: have the family, or those of its letters, in the Region.
    span: Literal["Region", "Regions"] | None
    #: What the same figure is for, there.
    names: str


def find(instance: str) -> Price | None:
    """The price of `instance` (SageMaker's `ml.m5.xlarge`, or EC2's `m5.xlarge`); None where no file has it."""
    if (listed := _load_sagemaker_prices().get(instance)) is not None:
        price, its_grade, source = listed
        return Price((price, price, price), "SageMaker price", its_grade, f"SageMaker list price ({source})")
    name = instance.removeprefix("ml.")
    if (found := _load_ec2_prices().get(name)) is None:
        return None
    ec2, its_grade, source = found
    if name == instance:
        return Price((ec2, ec2, ec2), "EC2 price", its_grade, source)
    low, factor, high = _find_factor(name)
    source = f"{source} x {factor:g}, an assumption"
    return Price((ec2 * low, ec2 * factor, ec2 * high), "EC2 price x factor", "C", source)


def find_regional_price(region: str | None, name: str) -> RegionalPrice:
    """What `region` charges for `name`: a family of instances (`m5`), a storage class, or another thing.

    Where no list has the family there, those of its letters stand for it (`m` for `m9i`), then the span of all Regions.
    """
    if region == REGION:
        return RegionalPrice((1.0, 1.0, 1.0), "A", "", None, name)
    found, here, series = _load_regional_prices(), region or _ANY, re.split("[^a-z]", name)[0]
    keys = [(where, what) for where in (here, _ANY) for what in (name, series)] + [(here, _ANY), (_ANY, _ANY)]
    return next(found[key] for key in keys if key in found)


def _find_factor(name: str) -> tuple[float, float, float]:
    factors = _load_factors()
    return factors.get(name) or factors.get(name.split(".")[0]) or factors[_ANY]


@cache
def _load_sagemaker_prices() -> dict[str, tuple[float, Grade, str]]:
    return {
        row["instance"]: (float(row["usd_per_hour"]), parse_grade(row["class"]), f"{row['source']}, {row['date']}")
        for row in read_rows("prices_sagemaker")
    }


@cache
def _load_ec2_prices() -> dict[str, tuple[float, Grade, str]]:
    return {
        row["instance"]: (float(row["usd_per_hour"]), parse_grade(row["class"]), f"EC2 list price of {row['date']}")
        for row in read_rows("prices_ec2")
    }


@cache
def _load_factors() -> dict[str, tuple[float, float, float]]:
    """What SageMaker charges, as a multiple of EC2's price, by type, family, or `*` for the rest."""
    return {name: _read_bounds(row) for row in read_rows("price_factors") for name in row["types"].split()}


@cache
def _load_regional_prices() -> dict[tuple[str, str], RegionalPrice]:
    return {
        (row["region"], name): RegionalPrice(
            factor=_widen(_read_bounds(row)),
            grade=parse_grade(row["class"]),
            date=row["date"],
            span="Regions" if row["region"] == _ANY else "Region" if name == _ANY else None,
            names=row["names"],
        )
        for row in read_rows("price_regions")
        for name in row["names"].split()
    }


def _widen(factor: tuple[float, float, float]) -> tuple[float, float, float]:
    """`factor` with what its rounding leaves open; where a Region charges what us-east-1 does, it does so exactly."""
    low, central, high = factor
    return factor if low == high == 1.0 else (low * (1 - _LEAST_SPREAD), central, high * (1 + _LEAST_SPREAD))


def _read_bounds(row: dict[str, str]) -> tuple[float, float, float]:
    return float(row["low"]), float(row["factor"]), float(row["high"])
