"""kWh, kgCO2e and USD of an instance hour by Region, for code that runs without this library."""

import json
from collections.abc import Iterable
from pathlib import Path

from sustainable_mlops.catalogue import regions
from sustainable_mlops.footprint import FootprintFigure, estimate_job

#: Significant digits. The figures are estimates, and the file must be the same on every computer.
_DIGITS = 4


def render_factors(instance_types: Iterable[str], volume_gb: float) -> str:
    """Return JSON: Region → instance type → `energy_kwh`, `co2e_kg` and `cost_usd` of an hour: low, central and high.

    A Region with unknown electricity has no `co2e_kg`. Raises UserError for an unknown instance type.
    """
    types = sorted(set(instance_types))
    lines = [
        f"  {json.dumps(region)}: {{\n"
        + ",\n".join(
            f"    {json.dumps(instance_type)}: {json.dumps(_estimate_hour(instance_type, region, volume_gb))}"
            for instance_type in types
        )
        + "\n  }"
        for region in sorted(regions.load_all())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_factors(path: Path, instance_types: Iterable[str], volume_gb: float) -> None:
    """Write the file at `path`, which jobs send with code that computes its footprint."""
    path.write_text(render_factors(instance_types, volume_gb), encoding="utf-8")


def _estimate_hour(instance_type: str, region: str, volume_gb: float) -> dict[str, list[float]]:
    figures = estimate_job(instance_type, 1, 3600, region, billable_seconds=3600, volume_gb=volume_gb).figures
    metrics = {"co2e_kg": "total", "cost_usd": "cost", "energy_kwh": "energy"}
    return {name: _list_bounds(figures[metric]) for name, metric in metrics.items() if metric in figures}


def _list_bounds(figure: FootprintFigure) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in (figure.low, figure.central, figure.high)]
