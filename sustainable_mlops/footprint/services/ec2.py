"""Single machines of EC2, what is reserved for machines, and volumes."""

from dataclasses import replace

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.footprint.activities import ZERO, StorageActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.quantities import exact_quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.ec2_machines import (
    InstanceOption,
    MachineGroup,
    MachineVolume,
    make_machine_parts,
    make_unknown_machines,
    read_instance_volumes,
    read_volume,
)
from sustainable_mlops.footprint.services.launch_templates import read_template
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Resource

_STATE = "aws_ec2_instance_state"
_TEMPLATE = "launch_template.0"
#: Of the vCPUs of a server, what its largest instance has at least.
_MIN_SERVER_SHARE = 0.9


def read_instance(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_instance`: one machine, as it says or its launch template does."""
    values = side.get_values(resource)
    machines = _read_machine(resource, side)
    if isinstance(machines, str):
        return make_unknown_machines("instance", machines)
    notes = list(machines.omissions)
    if values.text("tenancy") == "host":
        machines = replace(machines, spot_share=0.0, price_share=ZERO)
        notes.append(UnknownItem("instance", "its host is paid for, where it is counted"))
    elif values.text("tenancy") == "dedicated":
        notes.append(UnknownItem("cost of instance", "what EC2 asks for dedicated tenancy is not counted"))
    if _is_stopped(resource, side):
        machines = replace(machines, hours=ZERO)
    return make_machine_parts(replace(machines, omissions=tuple(notes)), resource, side)


def read_spot_request(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_spot_instance_request`: one machine on spot capacity."""
    machines = _read_machine(resource, side)
    if isinstance(machines, str):
        return make_unknown_machines("instance", machines)
    return make_machine_parts(replace(machines, spot_share=1.0), resource, side)


def _read_machine(resource: Resource, side: PlanSide) -> MachineGroup | str:
    """The machine, or why nobody knows which."""
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
    return MachineGroup("instance", (InstanceOption(instance_type),), spot_share=float(spot), volumes=volumes)


def _is_stopped(resource: Resource, side: PlanSide) -> bool:
    """Whether the plan keeps it stopped: then its volumes alone are there."""
    states = side.joins.find_sources(resource, _STATE, "instance_id").certain
    return any(side.get_values(state).text("state") == "stopped" for state in states)


def read_reservation(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_ec2_capacity_reservation`: machines that are paid for and kept free, until instances take their place."""
    return _make_reservation(resource, side, "")


def read_capacity_block(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_ec2_capacity_block_reservation`: the same for some days, at the price of its offering."""
    return _make_reservation(resource, side, "the offering of a capacity block names its price")


def _make_reservation(resource: Resource, side: PlanSide, unpriced: str) -> list[ResourcePart]:
    values, name = side.get_values(resource), "reserved machines"
    instance_type, count = values.text("instance_type"), to_known_number(values.number("instance_count"))
    if not isinstance(instance_type, str):
        return make_unknown_machines(name, explain_missing(instance_type, "instance_type"))
    if count is None:
        return make_unknown_machines(name, explain_missing(values.number("instance_count"), "instance_count"))
    twice = UnknownItem(
        name, "what runs in it is counted there too; give the instances that stay free in the usage file"
    )
    machines = MachineGroup(
        name=name,
        options=(InstanceOption(instance_type),),
        capacity=exact_quantity(count),
        unpriced_reason=unpriced,
        duty=ZERO,
        omissions=(twice,),
    )
    return make_machine_parts(machines, resource, side)


def read_host(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_ec2_host`: a server that is paid for whatever runs on it, at its largest instance's price and a tenth."""
    values = side.get_values(resource)
    given = [values.text("instance_family"), values.text("instance_type")]
    named = next((one for one in given if isinstance(one, str) and one), None)
    if named is None:
        return make_unknown_machines("host", explain_missing(UNKNOWN if UNKNOWN in given else None, "instance_family"))
    whole = _find_whole_server(named.split(".")[0])
    if whole is None:
        return make_unknown_machines("host", f"the catalogue does not know the price of a host for {named}")
    machines = MachineGroup(
        name="host",
        options=(InstanceOption(whole.name),),
        price_share=load_assumptions()["dedicated_host"],
        duty=ZERO,
        omissions=(UnknownItem("host", "what runs on it uses more power, and is counted there"),),
    )
    return make_machine_parts(machines, resource, side)


def _find_whole_server(family: str) -> InstanceType | None:
    """The instance that takes most of the server which the family runs on."""
    found = instances.list_family(family)
    if not found:
        return None
    usual = found[0].platform
    largest = [one for one in found if one.platform is usual][-1]
    return largest if largest.vcpu >= _MIN_SERVER_SHARE * usual.vcpu else None


def read_volume_resource(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_ebs_volume`: its GB."""
    found = read_volume(side.get_values(resource), "size", "type")
    if not isinstance(found, MachineVolume):
        return [make_unknown_part("volume", "storage", found.reason)]
    kept = StorageActivity(f"ebs_{found.kind}", side.find_region(resource), exact_quantity(found.gb))
    return [make_part(f"volume ({found.kind})", "storage", kept)]
