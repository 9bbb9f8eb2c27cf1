"""The endpoints that are compared: their plans, and what these run.

`shapes/` has them as HCL, and `shapes/plan.json` what the AWS provider plans for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.footprint import FleetActivity, ResourceUsage, ServerlessActivity, estimate_plan
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.plan.metrics import list_policy_metrics

FOLDER = Path(__file__).parent / "shapes"
PLAN = FOLDER / "plan.json"
#: The Region that the plan is made for; for another it differs in that name alone.
REGION = "eu-north-1"
ENDPOINT = "aws_sagemaker_endpoint"
_POLICY = "aws_appautoscaling_policy"
#: The requests of each instance, as a policy may name them.
_REQUESTS = ({"InvocationsPerInstance"}, {"SageMakerVariantInvocationsPerInstance"})
_TRACKED = "target_tracking_scaling_policy_configuration.0"


@dataclass(frozen=True, slots=True)
class Shape:
    """An endpoint, as its module makes it by default."""

    #: Its folder, and the module of the plan that it is in.
    name: str
    #: `serverless`, `real-time` or `asynchronous`.
    kind: str
    #: Whose it is: this project's, or a public module and its version.
    by: str
    #: What its defaults are, as far as they matter.
    defaults: str

    @property
    def ours(self) -> bool:
        """Whether it is one of this project's."""
        return self.by == OURS

    @property
    def title(self) -> str:
        """`this project: serverless`."""
        return f"{self.by}: {self.kind}"


OURS = "this project"
SHAPES = (
    Shape("serverless", "serverless", OURS, "2,048 MB, at most 5 requests at once"),
    Shape("realtime", "real-time", OURS, "2 to 4 ml.c7g.large in two zones"),
    Shape("asynchronous", "asynchronous", OURS, "0 to 2 ml.c7g.xlarge"),
    Shape(
        "aws_ia",
        "real-time",
        "aws-ia/terraform-aws-sagemaker-endpoint 0.0.1",
        "1 ml.t2.medium, whose CPUs are throttled at times, and which nothing scales",
    ),
    Shape(
        "huggingface",
        "real-time",
        "philschmid/terraform-aws-sagemaker-huggingface 0.9.0",
        "1 ml.g4dn.xlarge, which nothing scales; it has no default for the type, and all its examples take this",
    ),
)


@dataclass(frozen=True, slots=True)
class Machines:
    """What a shape may run."""

    #: None where it is serverless.
    instance: InstanceType | None
    memory_mb: float
    #: Instances at least and at most; of a serverless endpoint, workers.
    least: float
    most: float
    #: Requests a minute that its policy lets an instance have; None where none counts them.
    tracked: float | None


@cache
def plan(region: str) -> Plan:
    """The plan of all shapes in a Region."""
    text = PLAN.read_text(encoding="utf-8").replace(REGION, region)
    return load(text.encode(), "the plan of the compared endpoints")


def parts(region: str, usage: Mapping[str, Mapping[str, Any]]) -> dict[str, ResourcePart]:
    """What each shape runs in a Region, by its name; `usage` says how each is used, as a usage file does."""
    used = ResourceUsage({f"module.{name}.*": dict(keys) for name, keys in usage.items()})
    found = {}
    for resource in estimate_plan(plan(region), used).resources:
        if resource.type == ENDPOINT:
            (change,) = resource.changes
            assert change.after is not None
            found[resource.address.split(".")[1]] = change.after
    return found


@cache
def machines(region: str) -> Mapping[str, Machines]:
    """What each shape may run, by its name."""
    return {name: _machines(name, part, plan(region)) for name, part in parts(region, {}).items()}


def _machines(name: str, part: ResourcePart, planned: Plan) -> Machines:
    activity = part.activity
    if isinstance(activity, ServerlessActivity):
        return Machines(None, activity.memory_mb, 0, activity.max_concurrency or 0, None)
    assert isinstance(activity, FleetActivity)
    assert part.count is not None
    instance = instances.find(activity.instance_type)
    assert instance is not None
    tracked = [
        target
        for policy in planned.list_by_type(_POLICY)
        if policy.address.startswith(f"module.{name}.")
        and list_policy_metrics(policy.new) in _REQUESTS
        and isinstance(target := policy.new.number(f"{_TRACKED}.target_value"), int | float)
    ]
    return Machines(
        instance, instance.memory_gib * 1024, part.count.low, part.count.high, tracked[0] if tracked else None
    )
