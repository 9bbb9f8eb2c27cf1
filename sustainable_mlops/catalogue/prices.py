"""Prices of instances: EC2's as they are listed; SageMaker's where a list is known, else worked out from EC2's."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from sustainable_mlops.catalogue.tables import Grade, rows

#: The Region of the price files.
REGION = "us-east-1"
_EC2_LIST = "EC2 list price of 2026-07-20"


@dataclass(frozen=True, slots=True)
class Price:
    """USD an instance-hour, on demand, in us-east-1: (low, central, high)."""

    usd_per_hour: tuple[float, float, float]
    kind: Literal["SageMaker price", "EC2 price x factor", "EC2 price"]
    grade: Grade
    #: Where it comes from, for a person.
    source: str


def find(instance: str) -> Price | None:
    """The price of `instance` (SageMaker's `ml.m5.xlarge`, or EC2's `m5.xlarge`); None where no file has it."""
    if (listed := _sagemaker().get(instance)) is not None:
        price, source = listed
        return Price((price, price, price), "SageMaker price", "B", f"SageMaker list price ({source})")
    name = instance.removeprefix("ml.")
    if (ec2 := _ec2().get(name)) is None:
        return None
    if name == instance:
        return Price((ec2, ec2, ec2), "EC2 price", "B", _EC2_LIST)
    low, factor, high = _factor(name)
    source = f"{_EC2_LIST} x {factor:g}, an assumption"
    return Price((ec2 * low, ec2 * factor, ec2 * high), "EC2 price x factor", "C", source)


def _factor(name: str) -> tuple[float, float, float]:
    factors = _factors()
    return factors.get(name) or factors.get(name.split(".")[0]) or factors["*"]


@cache
def _sagemaker() -> dict[str, tuple[float, str]]:
    return {row["instance"]: (float(row["usd_per_hour"]), row["source"]) for row in rows("prices_sagemaker")}


@cache
def _ec2() -> dict[str, float]:
    return {row["instance"]: float(row["usd_per_hour"]) for row in rows("prices_ec2")}


@cache
def _factors() -> dict[str, tuple[float, float, float]]:
    """What SageMaker charges, as a multiple of EC2's price, by type, family, or `*` for the rest."""
    return {
        name: (float(row["low"]), float(row["factor"]), float(row["high"]))
        for row in rows("price_factors")
        for name in row["types"].split()
    }
