"""Footprint of making a model, from measured seconds and factors.json (kWh, kgCO2e and USD of an instance
hour by Region).

The factors come from the footprint model; pipeline.py writes them. The container has neither the model nor a network.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING or __package__:
    from . import job_instance
    from .features import InputError
else:  # a container has all files in one folder
    import job_instance
    from features import InputError

FACTORS = Path(__file__).with_name("factors.json")


class StepUsage(NamedTuple):
    """Instances of one step: the seconds they worked in total, and the seconds that are billed."""

    step: str
    instance_type: str
    seconds: float
    billed_seconds: float


def read_region() -> str | None:
    """Return the Region of this process; None outside of SageMaker."""
    return os.environ.get("AWS_REGION")


def read_reports(folder: Path | None) -> list[StepUsage]:
    """Return the usage of data preparation, from one report per instance. Raises InputError."""
    if folder is None:
        return []
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise InputError(f"{folder} contains no report: write one with prepare.py --report")
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [StepUsage("prepare", report["instance_type"], report["seconds"], report["seconds"]) for report in reports]


def parse_training(values: list[str] | None) -> list[StepUsage]:
    """Return the usage of training from instance type, count, seconds and billed seconds. Raises InputError."""
    if values is None:
        return []
    instance_type, *numbers = values
    try:
        count, seconds, billed = (float(number) for number in numbers)
    except ValueError:
        raise InputError(f"--trained {' '.join(values)}: COUNT, SECONDS and BILLED must be numbers") from None
    return [StepUsage("train", instance_type, count * seconds, count * billed)]


def measure_this_instance(seconds: float) -> StepUsage | None:
    """Return the usage of the evaluation itself; None outside of SageMaker."""
    instance_type = job_instance.read_instance_type()
    return StepUsage("evaluate", instance_type, seconds, seconds) if instance_type else None


def estimate_footprint(usages: Iterable[StepUsage], region: str | None) -> dict[str, Any]:
    """Return `co2e_kg`, `cost_usd` and `energy_kwh` (low, value and high), and the instance seconds by step.

    Raises InputError for an instance type without factors: an unknown footprint is not zero.
    """
    factors = json.loads(FACTORS.read_text(encoding="utf-8"))
    totals = {name: [0.0, 0.0, 0.0] for name in ("co2e_kg", "cost_usd", "energy_kwh")}
    seconds: dict[str, float] = {}
    for usage in usages:
        try:
            hourly = factors[region][usage.instance_type]
        except KeyError:
            raise InputError(
                f"{FACTORS.name} has no factors of {usage.instance_type} in {region}: add the instance type to "
                "pipeline.yaml and run pipeline.py"
            ) from None
        for name, total in totals.items():
            hours = (usage.billed_seconds if name == "cost_usd" else usage.seconds) / 3600
            totals[name] = [part + hours * factor for part, factor in zip(total, hourly[name], strict=True)]
        seconds[usage.step] = round(seconds.get(usage.step, 0.0) + usage.seconds, 3)
    ranges = {
        name: {key: float(f"{value:.4g}") for key, value in zip(("low", "value", "high"), total, strict=True)}
        for name, total in totals.items()
    }
    return {**ranges, "instance_seconds": seconds, "region": region}
