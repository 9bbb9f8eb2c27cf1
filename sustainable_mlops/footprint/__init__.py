"""Energy, carbon, water and cost of SageMaker resources and EC2 instances, as intervals with a class.

    from sustainable_mlops.footprint import FleetActivity, estimate, estimate_job, estimate_plan, make_exact

    estimate(FleetActivity("ml.g5.xlarge", "eu-north-1", count=make_exact(2)))   # one month
    estimate_job("ml.m5.xlarge", 1, seconds=600, region="eu-north-1")                # one run
    footprint = estimate_plan(plan, read_usage("usage.yaml"))   # before, after, delta and uncounted resources
    find_alternatives(footprint)                                # ways to save carbon, with their drawbacks

`docs/footprint.md` explains the method. Figures are estimates unless their class is A. The estimate lists unknown parts
with a reason and does not count them.
"""

from sustainable_mlops.footprint.activities import (
    FleetActivity,
    JobActivity,
    ServerlessActivity,
    StorageActivity,
    TransferActivity,
)
from sustainable_mlops.footprint.alternatives import FootprintAlternative, find_alternatives
from sustainable_mlops.footprint.calibration import CarbonRatio, apply_calibration, read_calibration
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import (
    METRICS,
    UNITS,
    FootprintEstimate,
    FootprintFigure,
    UnknownItem,
    UnknownKind,
    format_figure,
    format_number,
)
from sustainable_mlops.footprint.model import estimate, estimate_job, estimate_per_thousand_requests
from sustainable_mlops.footprint.plan_footprint import (
    PartChange,
    PlanFootprint,
    ResourceFootprint,
    UncountedResource,
    estimate_job_footprint,
    estimate_plan,
)
from sustainable_mlops.footprint.power import compute_host_power
from sustainable_mlops.footprint.quantities import Quantity, make_bounded, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.usage import ResourceUsage, read_usage

__all__ = [
    "METRICS",
    "UNITS",
    "CarbonRatio",
    "Coefficients",
    "FleetActivity",
    "FootprintAlternative",
    "FootprintEstimate",
    "FootprintFigure",
    "JobActivity",
    "PartChange",
    "PlanFootprint",
    "Quantity",
    "ResourceFootprint",
    "ResourcePart",
    "ResourceUsage",
    "ServerlessActivity",
    "StorageActivity",
    "TransferActivity",
    "UncountedResource",
    "UnknownItem",
    "UnknownKind",
    "apply_calibration",
    "compute_host_power",
    "estimate",
    "estimate_job",
    "estimate_job_footprint",
    "estimate_per_thousand_requests",
    "estimate_plan",
    "find_alternatives",
    "format_figure",
    "format_number",
    "make_bounded",
    "make_exact",
    "read_calibration",
    "read_usage",
]
