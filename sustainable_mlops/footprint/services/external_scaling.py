"""Scaling of fleets outside the plan."""

from sustainable_mlops.footprint.resource_parts import ResourcePart, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import PlanSide
from sustainable_mlops.plan import Resource

_GROUP = "aws_autoscaling_group"
_CLUSTER = "aws_emr_cluster"
_OUTSIDE_PLAN = "its fleet is not in the plan"
_UNKNOWN_FLEET = "its fleet is not known until apply"
_UNKNOWN_COUNT = "the size of the fleet that it scales is not estimated"


def read_scalable_target(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for `aws_appautoscaling_target` or its scheduled action.

    A target that is an endpoint of the plan has no part, because the endpoint counts it.
    """
    values = side.get_values(resource)
    namespace = values.text("service_namespace")
    if namespace == "ec2":
        fleet = side.joins.find_target(resource, "resource_id", "aws_spot_fleet_request")
        return _report_unless(isinstance(fleet, Resource), _OUTSIDE_PLAN)
    endpoint = side.joins.find_scaled_variant(resource).endpoint
    if isinstance(endpoint, Resource):
        return []
    if isinstance(namespace, str) and namespace not in ("", "sagemaker"):
        return _report_unless(False, _UNKNOWN_COUNT)
    return _report_unless(False, _OUTSIDE_PLAN if endpoint is None else _UNKNOWN_FLEET)


def read_group_schedule(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for `aws_autoscaling_schedule`; a group of the plan counts its own schedules."""
    return _read_scaler(resource, side, "autoscaling_group_name", _GROUP)


def read_managed_scaling(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for `aws_emr_managed_scaling_policy`; a cluster of the plan counts its own policy."""
    return _read_scaler(resource, side, "cluster_id", _CLUSTER)


def _read_scaler(resource: Resource, side: PlanSide, path: str, kind: str) -> list[ResourcePart]:
    target = side.joins.find_target(resource, path, kind)
    return _report_unless(isinstance(target, Resource), _OUTSIDE_PLAN if target is None else _UNKNOWN_FLEET)


def _report_unless(is_counted: bool, reason: str) -> list[ResourcePart]:
    return [] if is_counted else [make_unknown_part("instances", "other", reason)]
