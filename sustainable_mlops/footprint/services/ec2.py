"""Single EC2 instances, reservations of instances, and volumes."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.footprint.activities import ONE, ZERO, StorageActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.ec2_fleets import (
    InstanceGroup,
    InstanceOption,
    InstanceVolume,
    make_instance_parts,
    make_performance_parts,
    make_unknown_instances,
    read_instance_volumes,
    read_volume,
)
from sustainable_mlops.footprint.services.launch_templates import read_template
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Resource

_STATE = "aws_ec2_instance_state"
_TEMPLATE = "launch_template.0"
#: Minimum share of the server's vCPUs in its largest instance.
_MIN_SERVER_SHARE = 0.9


def read_instance(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instance of `aws_instance`, as configured or as in its launch template."""
    values = side.get_values(resource)
    group = _read_instance(resource, side)
    if isinstance(group, str):
        return make_unknown_instances("instance", group)
    notes = list(group.omissions)
    if values.text("tenancy") == "host":
        group = group._replace(spot_share=0.0, price_share=ZERO)
        notes.append(UnknownItem("instance", "its cost is that of its host, which has its own estimate"))
    elif values.text("tenancy") == "dedicated":
        notes.append(UnknownItem("cost of instance", "the fee for dedicated tenancy is not counted"))
    if _is_stopped(resource, side):
        group = group._replace(hours=ZERO)
    return make_instance_parts(group._replace(omissions=tuple(notes)), resource, side)


def read_spot_request(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instance of `aws_spot_instance_request`, on spot capacity."""
    group = _read_instance(resource, side)
    if isinstance(group, str):
        return make_unknown_instances("instance", group)
    return make_instance_parts(group._replace(spot_share=1.0), resource, side)


def _read_instance(resource: Resource, side: PlanSide) -> InstanceGroup | str:
    """Return the instance, or the reason why it is unknown."""
    values = side.get_values(resource)
    instance_type, volumes = values.text("instance_type"), read_instance_volumes(resource, values, side)
    spot = values.text("instance_market_options.0.market_type") == "spot"
    reason = explain_missing(instance_type, "instance_type")
    if not is_never_set(resource, _TEMPLATE, side):
        launch = read_template(resource, _TEMPLATE, side)
        volumes, spot = (launch.volumes if launch.volumes.volumes else volumes), spot or launch.spot
        if not isinstance(instance_type, str):
            instance_type, reason = launch.instance_type, launch.reason
    if not isinstance(instance_type, str):
        return reason
    return InstanceGroup("instance", (InstanceOption(instance_type),), spot_share=float(spot), volumes=volumes)


def _is_stopped(resource: Resource, side: PlanSide) -> bool:
    """Return whether the plan keeps the instance stopped: then only its volumes are counted."""
    states = side.joins.find_sources(resource, _STATE, "instance_id").certain
    return any(side.get_values(state).text("state") == "stopped" for state in states)


def read_reservation(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the capacity of `aws_ec2_capacity_reservation`, which costs money until instances use it."""
    return _make_reservation(resource, side, "")


def read_capacity_block(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the capacity of `aws_ec2_capacity_block_reservation`: a reservation for some days at its own price."""
    return _make_reservation(resource, side, "only the offering of a capacity block has its price")


def _make_reservation(resource: Resource, side: PlanSide, unpriced_reason: str) -> list[ResourcePart]:
    values, name = side.get_values(resource), "reserved instances"
    instance_type, count = values.text("instance_type"), to_known_number(values.number("instance_count"))
    if not isinstance(instance_type, str):
        return make_unknown_instances(name, explain_missing(instance_type, "instance_type"))
    if count is None:
        return make_unknown_instances(name, explain_missing(values.number("instance_count"), "instance_count"))
    double_count = UnknownItem(
        name, "instances that use it have their own estimates; set the number of free instances in the usage file"
    )
    group = InstanceGroup(
        name=name,
        options=(InstanceOption(instance_type),),
        capacity=make_exact(count),
        unpriced_reason=unpriced_reason,
        duty=ZERO,
        omissions=(double_count,),
    )
    return make_instance_parts(group, resource, side)


def read_host(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the server of `aws_ec2_host`, at the price of its largest instance plus a tenth."""
    values = side.get_values(resource)
    family_and_type = [values.text("instance_family"), values.text("instance_type")]
    type_name = next((one for one in family_and_type if isinstance(one, str) and one), None)
    if type_name is None:
        return make_unknown_instances(
            "host", explain_missing(UNKNOWN if UNKNOWN in family_and_type else None, "instance_family")
        )
    instance = _find_whole_server(type_name.split(".")[0])
    if instance is None:
        return make_unknown_instances("host", f"the catalogue does not know the price of a host for {type_name}")
    group = InstanceGroup(
        name="host",
        options=(InstanceOption(instance.name),),
        price_share=load_assumptions()["dedicated_host"],
        duty=ZERO,
        omissions=(UnknownItem("host", "the instances on it use more power and have their own estimates"),),
    )
    return make_instance_parts(group, resource, side)


def _find_whole_server(family: str) -> InstanceType | None:
    """Return the instance type that occupies most of the server of the family."""
    instance_types = instances.list_family(family)
    if not instance_types:
        return None
    platform = instance_types[0].platform
    largest = [one for one in instance_types if one.platform is platform][-1]
    return largest if largest.vcpu >= _MIN_SERVER_SHARE * platform.vcpu else None


def read_volume_resource(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the GB of `aws_ebs_volume`."""
    volume = read_volume(side.get_values(resource), "size", "type")
    if not isinstance(volume, InstanceVolume):
        return [make_unknown_part("volume", "storage", volume.reason)]
    activity = StorageActivity(f"ebs_{volume.kind}", side.find_region(resource), make_exact(volume.gb))
    parts = make_performance_parts([volume], ONE, activity.region)
    return [make_part(f"volume ({volume.kind})", "storage", activity), *parts]
