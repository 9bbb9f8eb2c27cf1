"""What tests of plans' footprints share: addresses, plans with a usage file, figures."""

import json
from pathlib import Path
from typing import Any

from sustainable_mlops.footprint import PlanFootprint, ResourcePart, ResourceUsage, estimate_plan, read_usage
from tests.plan.plan_builder import build_plan

REGION = "us-east-1"
#: PUE and gCO2e/kWh there.
PUE = 1.15
#: W of ml.m5.xlarge: 20 W of TDP x (r + 0.1) + 16 GB x m, at the loads of a job (0.7), a notebook (0.05) and idle.
M5_IDLE_W = 20 * (0.108 + 0.1) + 16 * 0.042
M5_NOTEBOOK_W = 20 * (0.1905 + 0.1) + 16 * 0.056
M5_JOB_W = 20 * (0.553 + 0.2 * (0.905 - 0.553) / 0.5 + 0.1) + 16 * (0.11 + 0.2 * (0.17 - 0.11) / 0.5)


def usage(folder: Path, resources: dict[str, Any] | None = None, **defaults: Any) -> ResourceUsage:
    """The usage file with these entries, read."""
    path = folder / "usage.json"
    path.write_text(json.dumps({"resources": resources or {}, "defaults": defaults}))
    return read_usage(path)


def footprint(*changes: dict[str, Any], used: ResourceUsage | None = None, **document: Any) -> PlanFootprint:
    """Of a plan with these changes."""
    return estimate_plan(build_plan(*changes, **document), used)


def kwh(found: PlanFootprint, side: str = "after") -> float:
    """Central, of all that is known."""
    figure = getattr(found, side).get("energy")
    assert figure is not None, found.unknowns
    return float(figure.central)


def hours(found: PlanFootprint, watts: float, side: str = "after") -> float:
    """Of a machine that draws `watts`: how long it is on."""
    return kwh(found, side) / (watts * PUE / 1000)


def volume_kwh(gb: float, on: float = 730) -> float:
    """1.2 Wh/TBh of SSD, two copies."""
    return gb / 1000 * 1.2 * 2 * on / 1000 * PUE


def parts(found: PlanFootprint) -> list[str]:
    """Their names, after."""
    return [change.after.name for one in found.resources for change in one.changes if change.after]


def reasons(found: PlanFootprint) -> str:
    """Why what is not known is not."""
    return "; ".join(one.reason for _, one in found.unknowns)


#: W of m5.xlarge at the load of a machine whose use nobody tells (0.3): half way between the curves' 0.1 and 0.5.
M5_W = 20 * ((0.273 + 0.553) / 2 + 0.1) + 16 * (0.07 + 0.11) / 2


def cost(found: PlanFootprint, side: str = "after") -> float:
    """Central, of all that is known."""
    figure = getattr(found, side).get("cost")
    assert figure is not None, found.unknowns
    return float(figure.central)


def part(found: PlanFootprint, name: str) -> ResourcePart:
    """The part of that name, after."""
    return next(one.after for resource in found.resources for one in resource.changes if one.after and one.name == name)


def counts(found: PlanFootprint, name: str) -> tuple[float, float, float]:
    """How many machines the part of that name has: least, expected, most."""
    count = part(found, name).count
    assert count is not None
    return count.low, count.central, count.high
