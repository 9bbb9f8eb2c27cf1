"""What a run drew, emitted and cost: estimated from the times that SageMaker measured (docs/footprint.md)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.figure import Figure

if TYPE_CHECKING:
    from sustainable_mlops import footprint
    from sustainable_mlops.jobs.measurement.counters import Measured

#: The footprint model's metric to a run's name of it: kWh, kgCO2e, L and USD. `co2e` is operational + embodied.
NAMES = {
    "total": "co2e",
    "cost": "cost",
    "energy": "energy",
    "operational": "co2e_operational",
    "market_based": "co2e_market_based",
    "embodied": "co2e_embodied",
    "water": "water",
}


def figures(
    instance_type: str,
    instances: int,
    region: str,
    training_seconds: float,
    billable_seconds: float,
    *,
    spot: bool,
    volume_gb: float,
    measured: "Measured | None" = None,
) -> dict[str, Figure]:
    """Every figure of a run that has ended, with its range. None for a machine that is not known.

    Instances run, and draw, while they train; they are billed for less on spot. How busy they were is what counters
    said, where they did.
    """
    from sustainable_mlops.footprint import estimate_job
    from sustainable_mlops.jobs.measurement.load import load

    with suppress(UserError):
        return named(
            estimate_job(
                instance_type,
                instances,
                training_seconds,
                region,
                spot=spot,
                billable_seconds=billable_seconds,
                volume_gb=volume_gb,
                duty=load(measured, training_seconds, instance_type),
            ).figures
        )
    return {}


def named(found: Mapping[str, "footprint.Figure"]) -> dict[str, Figure]:
    """The figures of an estimate, under a run's names of them."""
    return {name: told(found[metric]) for metric, name in NAMES.items() if metric in found}


def told(figure: "footprint.Figure") -> Figure:
    """A figure of the footprint model as a record keeps it."""
    return Figure(
        value=figure.central,
        low=figure.low,
        high=figure.high,
        unit=figure.unit,
        basis="estimated",
        source="footprint model",
        grade=figure.grade,
        driver=figure.driver,
    )
