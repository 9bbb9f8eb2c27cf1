"""What a run drew, emitted and cost: estimated from the times that SageMaker measured (docs/footprint.md)."""

from contextlib import suppress
from typing import TYPE_CHECKING

from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.jobs.record import Figure, RunRecord

#: The footprint model's metric to the record's name of it.
_NAMES = {"energy": "energy", "operational": "co2e_operational", "embodied": "co2e_embodied", "cost": "cost"}


def figures(record: "RunRecord", training_seconds: float, billable_seconds: float) -> dict[str, "Figure"]:
    """Energy (kWh), carbon (kgCO2e, location-based, and of the hardware's making) and cost (USD), each with its range.

    Instances run, and draw, while they train; they are billed for less on spot. None for a machine that is not known.
    """
    from sustainable_mlops.footprint import estimate_job
    from sustainable_mlops.jobs.record import Figure

    with suppress(UserError):
        found = estimate_job(
            record.instance_type,
            record.instance_count,
            training_seconds,
            record.region,
            spot=record.spot,
            billable_seconds=billable_seconds,
        ).figures
        return {
            name: Figure(
                value=found[metric].central,
                low=found[metric].low,
                high=found[metric].high,
                unit=found[metric].unit,
                basis="estimated",
                source=f"footprint model, class {found[metric].grade}; moved most by: {found[metric].driver}",
            )
            for metric, name in _NAMES.items()
            if metric in found
        }
    return {}
