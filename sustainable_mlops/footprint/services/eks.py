"""Node groups of EKS."""

from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import Part
from sustainable_mlops.footprint.services.ec2_machines import (
    Kind,
    Machines,
    Volume,
    Volumes,
    of_machines,
    unknown_machines,
)
from sustainable_mlops.footprint.services.launch_templates import Launch, of_template
from sustainable_mlops.footprint.services.plan_side import Side, known_number, never_set, says
from sustainable_mlops.plan import UNKNOWN, Resource

#: What EKS takes where nobody says (API reference of EKS, CreateNodegroup).
_DEFAULT_TYPE = "t3.medium"
_DEFAULT_GB = 20.0
_NAME = "nodes"


def of_node_group(resource: Resource, side: Side) -> list[Part]:
    """`aws_eks_node_group`: its desired size, which an autoscaler in the cluster may move between its limits."""
    values = side.values(resource)
    named = not never_set(resource, "launch_template.0", side)
    launch = of_template(resource, "launch_template.0", side) if named else Launch(_DEFAULT_TYPE)
    kinds, capacity = _kinds(resource, launch, side), _capacity(resource, side)
    if isinstance(kinds, str):
        return unknown_machines(_NAME, kinds)
    if isinstance(capacity, str):
        return unknown_machines(_NAME, capacity)
    bought = values.text("capacity_type")
    machines = Machines(
        name=_NAME,
        kinds=kinds,
        capacity=capacity,
        spot=float(bought == "SPOT" or launch.spot),
        unpriced="the offering of a capacity block names its price" if bought == "CAPACITY_BLOCK" else "",
        volumes=launch.volumes if named else _disk(resource, side),
    )
    return of_machines(machines, resource, side)


def _kinds(resource: Resource, launch: Launch, side: Side) -> tuple[Kind, ...] | str:
    if never_set(resource, "instance_types", side) or side.values(resource).texts("instance_types") == []:
        return (Kind(launch.instance_type),) if launch.instance_type is not None else launch.reason
    found = side.values(resource).texts("instance_types")
    if found is UNKNOWN or UNKNOWN in found:
        return says(UNKNOWN, "instance_types")
    return tuple(Kind(str(name)) for name in dict.fromkeys(found))


def _capacity(resource: Resource, side: Side) -> Quantity | str:
    values = side.values(resource)
    sizes = [known_number(values.number(f"scaling_config.0.{name}_size")) for name in ("min", "desired", "max")]
    if (given := side.usage(resource.address).get("instances")) is not None:
        return given
    least, desired, most = sizes
    if least is None or desired is None or most is None or not least <= desired <= most:
        return "how many nodes it has is not known until apply"
    return Quantity(least, desired, most, "A" if least == most else "C", "nodes, between the limits of the group")


def _disk(resource: Resource, side: Side) -> Volumes:
    size = None if never_set(resource, "disk_size", side) else side.values(resource).number("disk_size")
    gb = _DEFAULT_GB if size is None else known_number(size)
    return Volumes(() if gb is None else (Volume("gp3", gb),))
