"""Footprint of a run, estimated from the seconds that SageMaker measured (docs/footprint.md)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.figure import RunFigure

if TYPE_CHECKING:
    from sustainable_mlops import footprint
    from sustainable_mlops.jobs.measurement.counters import CounterReadings

#: Metric of the footprint model to its name in a run: kWh, kgCO2e, L and USD. `co2e` is operational + embodied.
NAMES = {
    "total": "co2e",
    "cost": "cost",
    "energy": "energy",
    "operational": "co2e_operational",
    "market_based": "co2e_market_based",
    "embodied": "co2e_embodied",
    "water": "water",
}


def estimate_figures(
    instance_type: str,
    instances: int,
    region: str,
    training_seconds: float,
    billable_seconds: float,
    *,
    spot: bool,
    volume_gb: float,
    measured: "CounterReadings | None" = None,
) -> dict[str, RunFigure]:
    """Return the figures of an ended run, each with its interval; empty for an unknown instance type.

    Instances draw power while they train; spot bills fewer seconds. `measured` gives the load, if counters measured it.
    """
    from sustainable_mlops.footprint import estimate_job
    from sustainable_mlops.jobs.measurement.load import measure_load

    with suppress(UserError):
        return rename_figures(
            estimate_job(
                instance_type,
                instances,
                training_seconds,
                region,
                spot=spot,
                billable_seconds=billable_seconds,
                volume_gb=volume_gb,
                duty=measure_load(measured, training_seconds, instance_type),
            ).figures
        )
    return {}


def rename_figures(model_figures: Mapping[str, "footprint.FootprintFigure"]) -> dict[str, RunFigure]:
    """Return the figures of an estimate under the names of a run."""
    return {name: convert_figure(model_figures[metric]) for metric, name in NAMES.items() if metric in model_figures}


def find_carbon_ratio(instance_type: str, region: str) -> float | None:
    """Return the factor of a calibration file that the carbon figures of a job contain, or None."""
    from sustainable_mlops.footprint import Coefficients
    from sustainable_mlops.footprint.calibration import find_instance_service

    ratio = Coefficients.get_current().find_carbon_ratio(find_instance_service(instance_type), region)
    return None if ratio is None else ratio.central


def convert_figure(figure: "footprint.FootprintFigure") -> RunFigure:
    """Convert a figure of the footprint model to a figure of a record."""
    return RunFigure(
        value=figure.central,
        low=figure.low,
        high=figure.high,
        unit=figure.unit,
        basis="estimated",
        source="footprint model",
        grade=figure.grade,
        driver=figure.driver,
    )
