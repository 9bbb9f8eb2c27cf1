"""Node groups of EKS."""

from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.ec2_fleets import (
    InstanceGroup,
    InstanceOption,
    InstanceVolume,
    InstanceVolumes,
    make_instance_parts,
    make_unknown_instances,
)
from sustainable_mlops.footprint.services.launch_templates import LaunchSettings, read_template
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Resource

#: Defaults of EKS (API reference of EKS, CreateNodegroup).
_DEFAULT_TYPE = "t3.medium"
_DEFAULT_GB = 20.0
_NAME = "nodes"


def read_node_group(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instances of `aws_eks_node_group`.

    The expected size is the desired size. An autoscaler in the cluster may change it within the limits.
    """
    values = side.get_values(resource)
    has_template = not is_never_set(resource, "launch_template.0", side)
    launch = read_template(resource, "launch_template.0", side) if has_template else LaunchSettings(_DEFAULT_TYPE)
    kinds, capacity = _list_options(resource, launch, side), _read_capacity(resource, side)
    if isinstance(kinds, str):
        return make_unknown_instances(_NAME, kinds)
    if isinstance(capacity, str):
        return make_unknown_instances(_NAME, capacity)
    capacity_type = values.text("capacity_type")
    nodes = InstanceGroup(
        name=_NAME,
        options=kinds,
        capacity=capacity,
        spot_share=float(capacity_type == "SPOT" or launch.spot),
        unpriced_reason="only the offering of a capacity block has its price"
        if capacity_type == "CAPACITY_BLOCK"
        else "",
        volumes=launch.volumes if has_template else _read_disk(resource, side),
    )
    return make_instance_parts(nodes, resource, side)


def _list_options(resource: Resource, launch: LaunchSettings, side: PlanSide) -> tuple[InstanceOption, ...] | str:
    if is_never_set(resource, "instance_types", side) or side.get_values(resource).texts("instance_types") == []:
        return (InstanceOption(launch.instance_type),) if launch.instance_type is not None else launch.reason
    instance_types = side.get_values(resource).texts("instance_types")
    if instance_types is UNKNOWN or UNKNOWN in instance_types:
        return explain_missing(UNKNOWN, "instance_types")
    return tuple(InstanceOption(str(name)) for name in dict.fromkeys(instance_types))


def _read_capacity(resource: Resource, side: PlanSide) -> Quantity | str:
    values = side.get_values(resource)
    sizes = [to_known_number(values.number(f"scaling_config.0.{name}_size")) for name in ("min", "desired", "max")]
    if (given_count := side.get_usage(resource.address).get("instances")) is not None:
        return given_count
    least, desired, most = sizes
    if least is None or desired is None or most is None or not least <= desired <= most:
        return "the number of nodes is not known until apply"
    return Quantity(
        least, desired, most, "A" if least == most else "C", "nodes, between the limits of the group", unit="nodes"
    )


def _read_disk(resource: Resource, side: PlanSide) -> InstanceVolumes:
    size = None if is_never_set(resource, "disk_size", side) else side.get_values(resource).number("disk_size")
    gb = _DEFAULT_GB if size is None else to_known_number(size)
    return InstanceVolumes(() if gb is None else (InstanceVolume("gp3", gb),))
