"""Energy, carbon, water and cost of SageMaker resources and of EC2's machines, as ranges with class and assumption.

    from sustainable_mlops.footprint import Fleet, estimate, exactly, estimate_job, of_plan, read_usage

    estimate(Fleet("ml.g5.xlarge", "eu-north-1", count=exactly(2)))     # -> Estimate, a month
    estimate_job("ml.m5.xlarge", 1, seconds=600, region="eu-north-1")   # -> Estimate, one run
    of_plan(plan, read_usage("usage.yaml"))                             # -> PlanFootprint: before, after, delta, and
                                                                        #    uncounted: machines that nobody counted
    alternatives(footprint)                                             # -> what would save carbon, and what it costs

`docs/footprint.md` has the method. Figures are estimates unless their class is A; what cannot be known is listed with
the reason and counted nowhere.
"""

from sustainable_mlops.footprint.activities import Fleet, Job, Serverless, Storage, Transfer
from sustainable_mlops.footprint.alternatives import Alternative, alternatives
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import METRICS, UNITS, Estimate, Figure, Lack, Unknown, shown
from sustainable_mlops.footprint.model import estimate, estimate_job, per_thousand_requests
from sustainable_mlops.footprint.plan_footprint import (
    Change,
    PlanFootprint,
    ResourceFootprint,
    Uncounted,
    of_job,
    of_plan,
)
from sustainable_mlops.footprint.power import host_power
from sustainable_mlops.footprint.quantities import Quantity, between, exactly
from sustainable_mlops.footprint.resource_parts import Part
from sustainable_mlops.footprint.usage import Usage, read_usage

__all__ = [
    "METRICS",
    "UNITS",
    "Alternative",
    "Change",
    "Coefficients",
    "Estimate",
    "Figure",
    "Fleet",
    "Job",
    "Lack",
    "Part",
    "PlanFootprint",
    "Quantity",
    "ResourceFootprint",
    "Serverless",
    "Storage",
    "Transfer",
    "Uncounted",
    "Unknown",
    "Usage",
    "alternatives",
    "between",
    "estimate",
    "estimate_job",
    "exactly",
    "host_power",
    "of_job",
    "of_plan",
    "per_thousand_requests",
    "read_usage",
    "shown",
]
