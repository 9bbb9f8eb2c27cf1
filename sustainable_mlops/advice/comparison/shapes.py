"""Endpoints of a comparison: their plans and capacities.

`shapes/` has their HCL, and `shapes/plan.json` the plan of the AWS provider for it.
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
#: Region of the plan. For another Region only this name differs.
REGION = "eu-north-1"
ENDPOINT = "aws_sagemaker_endpoint"
_POLICY = "aws_appautoscaling_policy"
#: Metrics of a scaling policy that count the requests per instance.
_REQUEST_METRICS = ({"InvocationsPerInstance"}, {"SageMakerVariantInvocationsPerInstance"})
_TARGET_TRACKING = "target_tracking_scaling_policy_configuration.0"


@dataclass(frozen=True, slots=True)
class EndpointShape:
    """An endpoint as its module creates it by default."""

    #: Name of its folder and of its module in the plan.
    name: str
    #: `serverless`, `real-time` or `asynchronous`.
    kind: str
    #: This project, or a public module with its version.
    publisher: str
    #: Relevant defaults.
    defaults: str

    @property
    def is_ours(self) -> bool:
        """True if it is an endpoint of this project."""
        return self.publisher == OURS

    @property
    def title(self) -> str:
        """The title, such as `this project: serverless`."""
        return f"{self.publisher}: {self.kind}"


OURS = "this project"
SHAPES = (
    EndpointShape("serverless", "serverless", OURS, "2,048 MB, at most 5 parallel requests"),
    EndpointShape("realtime", "real-time", OURS, "2 to 4 ml.c7g.large in two zones"),
    EndpointShape("asynchronous", "asynchronous", OURS, "0 to 2 ml.c7g.xlarge"),
    EndpointShape(
        "aws_ia",
        "real-time",
        "aws-ia/terraform-aws-sagemaker-endpoint 0.0.1",
        "1 ml.t2.medium with throttled CPUs, without scaling",
    ),
    EndpointShape(
        "huggingface",
        "real-time",
        "philschmid/terraform-aws-sagemaker-huggingface 0.9.0",
        "1 ml.g4dn.xlarge without scaling; the type has no default, and all examples use this one",
    ),
)


@dataclass(frozen=True, slots=True)
class ShapeCapacity:
    """Memory and number of the instances, or serverless workers, that an endpoint may run."""

    #: None if it is serverless.
    instance: InstanceType | None
    memory_mb: float
    #: Minimum and maximum number of instances, or of workers of a serverless endpoint.
    minimum: float
    maximum: float
    #: Target requests a minute of an instance in its scaling policy; None if no policy counts requests.
    target_requests_per_minute: float | None


@cache
def load_shapes_plan(region: str) -> Plan:
    """Return the plan of all endpoints in a Region."""
    text = PLAN.read_text(encoding="utf-8").replace(REGION, region)
    return load(text.encode(), "the plan of the compared endpoints")


def estimate_parts(region: str, usage: Mapping[str, Mapping[str, Any]]) -> dict[str, ResourcePart]:
    """Return the part of each endpoint in a Region, by its name; `usage` has the usage of each as in a usage file."""
    resource_usage = ResourceUsage({f"module.{name}.*": dict(keys) for name, keys in usage.items()})
    parts = {}
    for resource in estimate_plan(load_shapes_plan(region), resource_usage).resources:
        if resource.type == ENDPOINT:
            (change,) = resource.changes
            assert change.after is not None
            parts[resource.address.split(".")[1]] = change.after
    return parts


@cache
def find_capacities(region: str) -> Mapping[str, ShapeCapacity]:
    """Return the capacity of each endpoint, by its name."""
    return {
        name: _read_capacity(name, part, load_shapes_plan(region)) for name, part in estimate_parts(region, {}).items()
    }


def _read_capacity(name: str, part: ResourcePart, plan: Plan) -> ShapeCapacity:
    activity = part.activity
    if isinstance(activity, ServerlessActivity):
        return ShapeCapacity(None, activity.memory_mb, 0, activity.max_concurrency or 0, None)
    assert isinstance(activity, FleetActivity)
    assert part.count is not None
    instance = instances.find(activity.instance_type)
    assert instance is not None
    targets = [
        target
        for policy in plan.list_by_type(_POLICY)
        if policy.address.startswith(f"module.{name}.")
        and list_policy_metrics(policy.new) in _REQUEST_METRICS
        and isinstance(target := policy.new.number(f"{_TARGET_TRACKING}.target_value"), int | float)
    ]
    return ShapeCapacity(
        instance, instance.memory_gib * 1024, part.count.low, part.count.high, targets[0] if targets else None
    )
