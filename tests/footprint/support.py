"""Helpers for tests of plan footprints: constants, plans with a usage file, and figures."""

import json
from pathlib import Path
from typing import Any

from sustainable_mlops.footprint import PlanFootprint, ResourcePart, ResourceUsage, estimate_plan, read_usage
from tests.plan.plan_builder import build_plan

REGION = "us-east-1"
#: PUE of the Region.
PUE = 1.15
#: W of ml.m5.xlarge: 20 W of TDP x (r + 0.1) + 16 GB x m, at the loads of a job (0.7), a notebook (0.05) and idle.
M5_IDLE_W = 20 * (0.108 + 0.1) + 16 * 0.042
M5_NOTEBOOK_W = 20 * (0.1905 + 0.1) + 16 * 0.056
M5_JOB_W = 20 * (0.553 + 0.2 * (0.905 - 0.553) / 0.5 + 0.1) + 16 * (0.11 + 0.2 * (0.17 - 0.11) / 0.5)


def make_usage(folder: Path, resources: dict[str, Any] | None = None, **defaults: Any) -> ResourceUsage:
    """Return the content of a usage file with these entries."""
    path = folder / "usage.json"
    path.write_text(json.dumps({"resources": resources or {}, "defaults": defaults}))
    return read_usage(path)


def make_footprint(*changes: dict[str, Any], used: ResourceUsage | None = None, **document: Any) -> PlanFootprint:
    """Return the footprint of a plan with these changes."""
    return estimate_plan(build_plan(*changes, **document), used)


def get_kwh(result: PlanFootprint, side: str = "after") -> float:
    """Return the central energy of everything that is known."""
    figure = getattr(result, side).get("energy")
    assert figure is not None, result.unknowns
    return float(figure.central)


def compute_hours(result: PlanFootprint, watts: float, side: str = "after") -> float:
    """Return the hours that an instance with `watts` is on."""
    return get_kwh(result, side) / (watts * PUE / 1000)


def compute_volume_kwh(gb: float) -> float:
    """Return the energy of a volume in a month: 1.2 Wh/TBh of SSD, two copies."""
    return gb / 1000 * 1.2 * 2 * 730 / 1000 * PUE


def list_part_names(result: PlanFootprint) -> list[str]:
    """Return the names of the parts after the plan."""
    return [change.after.name for one in result.resources for change in one.changes if change.after]


def join_reasons(result: PlanFootprint) -> str:
    """Return the reasons of all unknown items."""
    return "; ".join(one.reason for _, one in result.unknowns)


#: W of m5.xlarge at the default load of an instance (0.3): half way between the points 0.1 and 0.5 of the curves.
M5_W = 20 * ((0.273 + 0.553) / 2 + 0.1) + 16 * (0.07 + 0.11) / 2


def get_cost(result: PlanFootprint, side: str = "after") -> float:
    """Return the central cost of everything that is known."""
    figure = getattr(result, side).get("cost")
    assert figure is not None, result.unknowns
    return float(figure.central)


def find_part(result: PlanFootprint, name: str) -> ResourcePart:
    """Return the part with this name after the plan."""
    return next(
        one.after for resource in result.resources for one in resource.changes if one.after and one.name == name
    )


def get_counts(result: PlanFootprint, name: str) -> tuple[float, float, float]:
    """Return the minimum, expected and maximum number of instances of the part with this name."""
    count = find_part(result, name).count
    assert count is not None
    return count.low, count.central, count.high
