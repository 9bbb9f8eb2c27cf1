"""What changes the size of a fleet that nobody counts here, as that is not in the plan."""

from sustainable_mlops.footprint.resource_parts import ResourcePart, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import PlanSide
from sustainable_mlops.plan import Resource

_GROUP = "aws_autoscaling_group"
_CLUSTER = "aws_emr_cluster"
_OUTSIDE_PLAN = "the fleet that it scales is not in the plan"
_UNKNOWN_FLEET = "whether the fleet that it scales is in the plan is not known until apply"
_UNKNOWN_COUNT = "how many there are of what it scales is not counted"


def read_scalable_target(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_appautoscaling_target`, or its scheduled action: unknown, but for an endpoint of the plan."""
    values = side.get_values(resource)
    namespace = values.text("service_namespace")
    if namespace == "ec2":
        found = side.joins.find_target(resource, "resource_id", "aws_spot_fleet_request")
        return _report_unless(isinstance(found, Resource), _OUTSIDE_PLAN)
    endpoint = side.joins.find_scaled_variant(resource).endpoint
    if isinstance(endpoint, Resource):
        return []
    if isinstance(namespace, str) and namespace not in ("", "sagemaker"):
        return _report_unless(False, _UNKNOWN_COUNT)
    return _report_unless(False, _OUTSIDE_PLAN if endpoint is None else _UNKNOWN_FLEET)


def read_group_schedule(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_autoscaling_schedule`: unknown, but for a group of the plan, which is counted with it."""
    return _read_scaler(resource, side, "autoscaling_group_name", _GROUP)


def read_managed_scaling(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_emr_managed_scaling_policy`: unknown, but for a cluster of the plan, which is counted with it."""
    return _read_scaler(resource, side, "cluster_id", _CLUSTER)


def _read_scaler(resource: Resource, side: PlanSide, path: str, kind: str) -> list[ResourcePart]:
    found = side.joins.find_target(resource, path, kind)
    return _report_unless(isinstance(found, Resource), _OUTSIDE_PLAN if found is None else _UNKNOWN_FLEET)


def _report_unless(counted: bool, reason: str) -> list[ResourcePart]:
    return [] if counted else [make_unknown_part("machines", "other", reason)]
