"""What making a model took, from measured seconds and factors.json: kgCO2e and USD an hour of each machine and Region.

The factors are the footprint model's, written by pipeline.py: the container has nothing of it, and no network.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING or __package__:
    from . import machine
    from .features import InputError
else:  # in a container, the files lie side by side
    import machine
    from features import InputError

FACTORS = Path(__file__).with_name("factors.json")


class Use(NamedTuple):
    """Machines that worked: together so many seconds, of which so many are billed."""

    step: str
    instance_type: str
    seconds: float
    billed: float


def region() -> str | None:
    """Where this runs."""
    return os.environ.get("AWS_REGION")


def of_reports(folder: Path | None) -> list[Use]:
    """What preparing took, a report a machine. Raises InputError."""
    if folder is None:
        return []
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise InputError(f"{folder} holds no report: prepare.py --report writes them")
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return [Use("prepare", one["instance_type"], one["seconds"], one["seconds"]) for one in reports]


def of_training(told: list[str] | None) -> list[Use]:
    """What training took: instance type, count, seconds of each and seconds billed. Raises InputError."""
    if told is None:
        return []
    instance_type, *numbers = told
    try:
        count, seconds, billed = (float(number) for number in numbers)
    except ValueError:
        raise InputError(f"--trained {' '.join(told)}: COUNT, SECONDS and BILLED must be numbers") from None
    return [Use("train", instance_type, count * seconds, count * billed)]


def this_machine(seconds: float) -> Use | None:
    """What evaluating took; None outside of SageMaker."""
    found = machine.instance_type()
    return Use("evaluate", found, seconds, seconds) if found else None


def figures(used: Iterable[Use], where: str | None) -> dict[str, Any]:
    """`co2e_kg` and `cost_usd`, each with low, value and high, and the instance-seconds by step.

    Raises InputError for a machine that the factors do not have there: unknown is not nothing.
    """
    factors = json.loads(FACTORS.read_text(encoding="utf-8"))
    totals = {name: [0.0, 0.0, 0.0] for name in ("co2e_kg", "cost_usd")}
    seconds: dict[str, float] = {}
    for use in used:
        try:
            hourly = factors[where][use.instance_type]
        except KeyError:
            raise InputError(
                f"{FACTORS.name} has nothing of {use.instance_type} in {where}: name the instance type in "
                "pipeline.yaml and run pipeline.py"
            ) from None
        for name, hours in (("co2e_kg", use.seconds / 3600), ("cost_usd", use.billed / 3600)):
            totals[name] = [total + hours * factor for total, factor in zip(totals[name], hourly[name], strict=True)]
        seconds[use.step] = round(seconds.get(use.step, 0.0) + use.seconds, 3)
    ranges = {
        name: {key: float(f"{value:.4g}") for key, value in zip(("low", "value", "high"), total, strict=True)}
        for name, total in totals.items()
    }
    return {**ranges, "instance_seconds": seconds, "region": where}
