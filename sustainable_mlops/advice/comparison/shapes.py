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
_REQUEST_METRICS = ({"InvocationsPerInstance"}, {"SageMakerVariantInvocationsPerInstance"})
_TARGET_TRACKING = "target_tracking_scaling_policy_configuration.0"


@dataclass(frozen=True, slots=True)
class EndpointShape:
    """An endpoint, as its module makes it by default."""

    #: Its folder, and the module of the plan that it is in.
    name: str
    #: `serverless`, `real-time` or `asynchronous`.
    kind: str
    #: Whose it is: this project's, or a public module and its version.
    publisher: str
    #: What its defaults are, as far as they matter.
    defaults: str

    @property
    def is_ours(self) -> bool:
        """Whether it is one of this project's."""
        return self.publisher == OURS

    @property
    def title(self) -> str:
        """`this project: serverless`."""
        return f"{self.publisher}: {self.kind}"


OURS = "this project"
SHAPES = (
    EndpointShape("serverless", "serverless", OURS, "2,048 MB, at most 5 requests at once"),
    EndpointShape("realtime", "real-time", OURS, "2 to 4 ml.c7g.large in two zones"),
    EndpointShape("asynchronous", "asynchronous", OURS, "0 to 2 ml.c7g.xlarge"),
    EndpointShape(
        "aws_ia",
        "real-time",
        "aws-ia/terraform-aws-sagemaker-endpoint 0.0.1",
        "1 ml.t2.medium, whose CPUs are throttled at times, and which nothing scales",
    ),
    EndpointShape(
        "huggingface",
        "real-time",
        "philschmid/terraform-aws-sagemaker-huggingface 0.9.0",
        "1 ml.g4dn.xlarge, which nothing scales; it has no default for the type, and all its examples take this",
    ),
)


@dataclass(frozen=True, slots=True)
class ShapeMachines:
    """What a shape may run."""

    #: None where it is serverless.
    instance: InstanceType | None
    memory_mb: float
    #: Instances at least and at most; of a serverless endpoint, workers.
    minimum: float
    maximum: float
    #: Requests a minute that its policy lets an instance have; None where none counts them.
    target_requests_per_minute: float | None


@cache
def load_shapes_plan(region: str) -> Plan:
    """The plan of all shapes in a Region."""
    text = PLAN.read_text(encoding="utf-8").replace(REGION, region)
    return load(text.encode(), "the plan of the compared endpoints")


def estimate_parts(region: str, usage: Mapping[str, Mapping[str, Any]]) -> dict[str, ResourcePart]:
    """What each shape runs in a Region, by its name; `usage` says how each is used, as a usage file does."""
    used = ResourceUsage({f"module.{name}.*": dict(keys) for name, keys in usage.items()})
    found = {}
    for resource in estimate_plan(load_shapes_plan(region), used).resources:
        if resource.type == ENDPOINT:
            (change,) = resource.changes
            assert change.after is not None
            found[resource.address.split(".")[1]] = change.after
    return found


@cache
def find_machines(region: str) -> Mapping[str, ShapeMachines]:
    """What each shape may run, by its name."""
    return {
        name: _read_machines(name, part, load_shapes_plan(region)) for name, part in estimate_parts(region, {}).items()
    }


def _read_machines(name: str, part: ResourcePart, planned: Plan) -> ShapeMachines:
    activity = part.activity
    if isinstance(activity, ServerlessActivity):
        return ShapeMachines(None, activity.memory_mb, 0, activity.max_concurrency or 0, None)
    assert isinstance(activity, FleetActivity)
    assert part.count is not None
    instance = instances.find(activity.instance_type)
    assert instance is not None
    tracked = [
        target
        for policy in planned.list_by_type(_POLICY)
        if policy.address.startswith(f"module.{name}.")
        and list_policy_metrics(policy.new) in _REQUEST_METRICS
        and isinstance(target := policy.new.number(f"{_TARGET_TRACKING}.target_value"), int | float)
    ]
    return ShapeMachines(
        instance, instance.memory_gib * 1024, part.count.low, part.count.high, tracked[0] if tracked else None
    )
