"""What an hour of a machine emits and costs in each Region, for code that runs where this library is not."""

import json
from collections.abc import Iterable
from pathlib import Path

from sustainable_mlops.catalogue import regions
from sustainable_mlops.footprint import FootprintFigure, estimate_job

#: Digits kept: the figures are estimates, and the file is to be the same wherever it is made.
_DIGITS = 4


def render_factors(instance_types: Iterable[str], volume_gb: float) -> str:
    """JSON, Region → instance type → `co2e_kg` and `cost_usd` of an hour, each as low, central and high.

    A Region whose electricity is not known has no `co2e_kg`. Raises UserError for an instance type that is not known.
    """
    types = sorted(set(instance_types))
    lines = [
        f"  {json.dumps(region)}: {{\n"
        + ",\n".join(f"    {json.dumps(one)}: {json.dumps(_hour(one, region, volume_gb))}" for one in types)
        + "\n  }"
        for region in sorted(regions.load_all())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_factors(path: Path, instance_types: Iterable[str], volume_gb: float) -> None:
    """The file at `path`, which is sent with code that counts what it took."""
    path.write_text(render_factors(instance_types, volume_gb), encoding="utf-8")


def _hour(instance_type: str, region: str, volume_gb: float) -> dict[str, list[float]]:
    found = estimate_job(instance_type, 1, 3600, region, billable_seconds=3600, volume_gb=volume_gb).figures
    named = {"co2e_kg": "total", "cost_usd": "cost"}
    return {name: _range(found[metric]) for name, metric in named.items() if metric in found}


def _range(figure: FootprintFigure) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in (figure.low, figure.central, figure.high)]
