"""Single machines of EC2, what is reserved for machines, and volumes."""

from dataclasses import replace

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import Instance
from sustainable_mlops.footprint.activities import NONE, Storage
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.quantities import exactly
from sustainable_mlops.footprint.resource_parts import Part, known, unknown
from sustainable_mlops.footprint.services.ec2_machines import (
    Kind,
    Machines,
    Volume,
    of_machines,
    root_and_others,
    unknown_machines,
    volume_of,
)
from sustainable_mlops.footprint.services.launch_templates import of_template
from sustainable_mlops.footprint.services.plan_side import Side, known_number, never_set, says
from sustainable_mlops.plan import UNKNOWN, Resource

_STATE = "aws_ec2_instance_state"
_TEMPLATE = "launch_template.0"
#: Of the vCPUs of a server, what its largest instance has at least.
_MOST_OF_A_SERVER = 0.9


def of_instance(resource: Resource, side: Side) -> list[Part]:
    """`aws_instance`: one machine, as it says or its launch template does."""
    values = side.values(resource)
    machines = _single(resource, side)
    if isinstance(machines, str):
        return unknown_machines("instance", machines)
    notes = list(machines.left_out)
    if values.text("tenancy") == "host":
        machines = replace(machines, spot=0.0, paid=NONE)
        notes.append(Unknown("instance", "its host is paid for, where it is counted"))
    elif values.text("tenancy") == "dedicated":
        notes.append(Unknown("cost of instance", "what EC2 asks for dedicated tenancy is not counted"))
    if _stopped(resource, side):
        machines = replace(machines, hours=NONE)
    return of_machines(replace(machines, left_out=tuple(notes)), resource, side)


def of_spot_request(resource: Resource, side: Side) -> list[Part]:
    """`aws_spot_instance_request`: one machine on spot capacity."""
    machines = _single(resource, side)
    if isinstance(machines, str):
        return unknown_machines("instance", machines)
    return of_machines(replace(machines, spot=1.0), resource, side)


def _single(resource: Resource, side: Side) -> Machines | str:
    """The machine, or why nobody knows which."""
    values = side.values(resource)
    instance_type, volumes = values.text("instance_type"), root_and_others(resource, values, side)
    spot = values.text("instance_market_options.0.market_type") == "spot"
    reason = says(instance_type, "instance_type")
    if not never_set(resource, _TEMPLATE, side):
        launch = of_template(resource, _TEMPLATE, side)
        volumes, spot = (launch.volumes if launch.volumes.known else volumes), spot or launch.spot
        if not isinstance(instance_type, str):
            instance_type, reason = launch.instance_type, launch.reason
    if not isinstance(instance_type, str):
        return reason
    return Machines("instance", (Kind(instance_type),), spot=float(spot), volumes=volumes)


def _stopped(resource: Resource, side: Side) -> bool:
    """Whether the plan keeps it stopped: then its volumes alone are there."""
    states = side.joins.sources(resource, _STATE, "instance_id").sure
    return any(side.values(state).text("state") == "stopped" for state in states)


def of_reservation(resource: Resource, side: Side) -> list[Part]:
    """`aws_ec2_capacity_reservation`: machines that are paid for and kept free, until instances take their place."""
    return _reserved(resource, side, "")


def of_capacity_block(resource: Resource, side: Side) -> list[Part]:
    """`aws_ec2_capacity_block_reservation`: the same for some days, at the price of its offering."""
    return _reserved(resource, side, "the offering of a capacity block names its price")


def _reserved(resource: Resource, side: Side, unpriced: str) -> list[Part]:
    values, name = side.values(resource), "reserved machines"
    instance_type, count = values.text("instance_type"), known_number(values.number("instance_count"))
    if not isinstance(instance_type, str):
        return unknown_machines(name, says(instance_type, "instance_type"))
    if count is None:
        return unknown_machines(name, says(values.number("instance_count"), "instance_count"))
    twice = Unknown(name, "what runs in it is counted there too; give the instances that stay free in the usage file")
    machines = Machines(
        name=name,
        kinds=(Kind(instance_type),),
        capacity=exactly(count),
        unpriced=unpriced,
        duty=NONE,
        left_out=(twice,),
    )
    return of_machines(machines, resource, side)


def of_host(resource: Resource, side: Side) -> list[Part]:
    """`aws_ec2_host`: a server that is paid for whatever runs on it, at its largest instance's price and a tenth."""
    values = side.values(resource)
    given = [values.text("instance_family"), values.text("instance_type")]
    named = next((one for one in given if isinstance(one, str) and one), None)
    if named is None:
        return unknown_machines("host", says(UNKNOWN if UNKNOWN in given else None, "instance_family"))
    whole = _whole_server(named.split(".")[0])
    if whole is None:
        return unknown_machines("host", f"the catalogue does not know the price of a host for {named}")
    machines = Machines(
        name="host",
        kinds=(Kind(whole.name),),
        paid=assumptions()["dedicated_host"],
        duty=NONE,
        left_out=(Unknown("host", "what runs on it uses more power, and is counted there"),),
    )
    return of_machines(machines, resource, side)


def _whole_server(family: str) -> Instance | None:
    """The instance that takes most of the server which the family runs on."""
    found = instances.of_family(family)
    if not found:
        return None
    usual = found[0].platform
    largest = [one for one in found if one.platform is usual][-1]
    return largest if largest.vcpu >= _MOST_OF_A_SERVER * usual.vcpu else None


def of_volume(resource: Resource, side: Side) -> list[Part]:
    """`aws_ebs_volume`: its GB."""
    found = volume_of(side.values(resource), "size", "type")
    if not isinstance(found, Volume):
        return [unknown("volume", "storage", found.reason)]
    kept = Storage(f"ebs_{found.kind}", side.region(resource), exactly(found.gb))
    return [known(f"volume ({found.kind})", "storage", kept)]
