"""What changes the size of a fleet that nobody counts here, as that is not in the plan."""

from sustainable_mlops.footprint.resource_parts import Part, unknown
from sustainable_mlops.footprint.services.plan_side import Side
from sustainable_mlops.plan import Resource

_GROUP = "aws_autoscaling_group"
_CLUSTER = "aws_emr_cluster"
_ELSEWHERE = "the fleet that it scales is not in the plan"
_UNTOLD = "whether the fleet that it scales is in the plan is not known until apply"
_UNCOUNTED = "how many there are of what it scales is not counted"


def of_scalable_target(resource: Resource, side: Side) -> list[Part]:
    """`aws_appautoscaling_target`, or its scheduled action: unknown, but for an endpoint of the plan."""
    values = side.values(resource)
    namespace = values.text("service_namespace")
    if namespace == "ec2":
        found = side.joins.target(resource, "resource_id", "aws_spot_fleet_request")
        return _unless(isinstance(found, Resource), _ELSEWHERE)
    endpoint = side.joins.scaled(resource).endpoint
    if isinstance(endpoint, Resource):
        return []
    if isinstance(namespace, str) and namespace not in ("", "sagemaker"):
        return _unless(False, _UNCOUNTED)
    return _unless(False, _ELSEWHERE if endpoint is None else _UNTOLD)


def of_group_schedule(resource: Resource, side: Side) -> list[Part]:
    """`aws_autoscaling_schedule`: unknown, but for a group of the plan, which is counted with it."""
    return _of(resource, side, "autoscaling_group_name", _GROUP)


def of_managed_scaling(resource: Resource, side: Side) -> list[Part]:
    """`aws_emr_managed_scaling_policy`: unknown, but for a cluster of the plan, which is counted with it."""
    return _of(resource, side, "cluster_id", _CLUSTER)


def _of(resource: Resource, side: Side, path: str, kind: str) -> list[Part]:
    found = side.joins.target(resource, path, kind)
    return _unless(isinstance(found, Resource), _ELSEWHERE if found is None else _UNTOLD)


def _unless(counted: bool, reason: str) -> list[Part]:
    return [] if counted else [unknown("machines", "other", reason)]
