"""Clusters of EMR on EC2: their master, core and task nodes."""

from collections.abc import Iterator
from dataclasses import replace

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.activities import ALWAYS
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.resource_parts import Part
from sustainable_mlops.footprint.services.ec2_machines import (
    Kind,
    Machines,
    Volume,
    Volumes,
    of_machines,
    on_average,
    unknown_machines,
    volume_of,
)
from sustainable_mlops.footprint.services.launch_templates import weight_of
from sustainable_mlops.footprint.services.plan_side import Side, known_number, never_set, says
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure
from sustainable_mlops.plan.document import parse_embedded_json

_CLUSTER = "aws_emr_cluster"
_SCALING = "aws_emr_managed_scaling_policy"
_SURCHARGE = Unknown(
    "cost of EMR", "what EMR asks for each machine, on top of EC2's price, is not in the catalogue", Lack.UNCOUNTED
)
_STOPS = "hours a month of a cluster that ends when idle"
_ENDS = "hours of a cluster that ends with its steps"
_SCALED = "nodes, between the limits of scaling"
_UNREAD = Unknown("nodes", "between which limits autoscaling_policy scales them is not known", Lack.UNCOUNTED)


def of_cluster(resource: Resource, side: Side) -> list[Part]:
    """`aws_emr_cluster`: its master and core nodes, whether they are groups or fleets."""
    return [part for role in ("master", "core") for part in _of_role(role, resource, side)]


def of_group(resource: Resource, side: Side) -> list[Part]:
    """`aws_emr_instance_group`: task nodes, of one type."""
    return _nodes("task nodes", _group(resource, side.values(resource), side), resource, side)


def of_fleet(resource: Resource, side: Side) -> list[Part]:
    """`aws_emr_instance_fleet`: task nodes, of several types."""
    return _nodes("task nodes", _fleet(side.values(resource)), resource, side)


def _of_role(role: str, resource: Resource, side: Side) -> list[Part]:
    values, name = side.values(resource), f"{role} nodes"
    for kind in ("group", "fleet"):
        block = values.block(f"{role}_instance_{kind}")
        if isinstance(block, Block):
            machines = _group(resource, block, side) if kind == "group" else _fleet(block)
            return _nodes(name, machines, resource, side)
        if block is UNKNOWN:
            return unknown_machines(name, says(UNKNOWN, f"{role}_instance_{kind}"))
    # A cluster of a single machine has no core nodes.
    return unknown_machines(name, "the cluster names none") if role == "master" else []


def _nodes(name: str, machines: Machines | str, resource: Resource, side: Side) -> list[Part]:
    if isinstance(machines, str):
        return unknown_machines(name, machines)
    cluster = resource if resource.type == _CLUSTER else side.joins.target(resource, "cluster_id", _CLUSTER)
    hours, limits = ALWAYS, None
    left_out = (*machines.left_out, _SURCHARGE)
    if isinstance(cluster, Resource):
        hours = _hours(cluster, side)
        if name == "core nodes":
            limits = _limits(cluster, machines.kinds[0], side)
            left_out += () if limits is not None else _perhaps(cluster, side)
    capacity = machines.capacity if limits is None else limits
    found = replace(machines, name=name, capacity=capacity, hours=hours, volumes_go=True, left_out=left_out)
    return of_machines(found, resource, side)


def _hours(cluster: Resource, side: Side) -> Quantity:
    values = side.values(cluster)
    if values.flag("keep_job_flow_alive_when_no_steps") is False:
        return assumptions()["job_hours_without_cap"].named(_ENDS)
    if values.blocks("auto_termination_policy") != []:
        return assumptions()["notebook_hours_with_idle_stop"].named(_STOPS)
    return ALWAYS


def _group(resource: Resource, block: Block, side: Side) -> Machines | str:
    instance_type, count = block.text("instance_type"), block.number("instance_count")
    if not isinstance(instance_type, str):
        return says(instance_type, "instance_type")
    scaled = _scaled(block.text("autoscaling_policy"))
    path = f"{block.path}.instance_count" if block.path else "instance_count"
    number = 1.0 if count is None or never_set(resource, path, side) else known_number(count)
    if scaled is None and number is None:
        return says(count, "instance_count")
    capacity = exactly(number, "nodes") if scaled is None and number is not None else scaled
    assert capacity is not None
    spot = block.text("bid_price") not in (None, "")
    machines = Machines("", (Kind(instance_type),), capacity, spot=float(spot), volumes=_volumes([block]))
    if scaled is not None or block.text("autoscaling_policy") in (None, ""):
        return machines
    path = f"{block.path}.autoscaling_policy" if block.path else "autoscaling_policy"
    return machines if never_set(resource, path, side) else replace(machines, left_out=(_UNREAD,))


def _scaled(policy: "str | Unsure | None") -> Quantity | None:
    """Between the limits of the JSON that a group's own scaling is."""
    found = Block(parse_embedded_json(policy) if isinstance(policy, str) and policy else {})
    least = known_number(found.number("Constraints.MinCapacity"))
    most = known_number(found.number("Constraints.MaxCapacity"))
    return None if least is None or most is None or most < least else on_average(least, most, _SCALED)


def _fleet(block: Block) -> Machines | str:
    configs = block.blocks("instance_type_configs")
    if configs is UNKNOWN or not configs:
        return says(UNKNOWN if configs is UNKNOWN else None, "instance_type_configs")
    kinds = list(_kinds(configs))
    targets = [block.number(f"target_{kind}_capacity") for kind in ("on_demand", "spot")]
    if None in kinds or UNKNOWN in targets:
        return says(UNKNOWN, "which types it has, or how many,")
    on_demand, spot = (known_number(target) or 0.0 for target in targets)
    total = on_demand + spot
    return Machines(
        name="",
        kinds=tuple(kind for kind in kinds if kind is not None),
        capacity=exactly(total, "nodes"),
        spot=spot / total if total else 0.0,
        volumes=_volumes(configs[:1]),
    )


def _kinds(configs: list[Block]) -> Iterator[Kind | None]:
    for config in configs:
        name, weight = config.text("instance_type"), weight_of(config)
        yield Kind(name, weight) if isinstance(name, str) and weight is not None else None


def _volumes(blocks: list[Block]) -> Volumes:
    """What is asked for beside the volumes that EMR gives each type of its own accord."""
    known: list[Volume] = []
    left_out = [Unknown("volumes", "those that EMR adds of its own accord are not counted")]
    for block in blocks:
        configs = block.blocks("ebs_config")
        for config in [] if configs is UNKNOWN else configs:
            found = volume_of(config, "size", "type")
            number = config.number("volumes_per_instance")
            times = 1.0 if number is None else known_number(number)
            if isinstance(found, Volume) and times is not None:
                known.append(Volume(found.kind, found.gb * times))
            else:
                left_out.append(Unknown("volumes", "their size or number is not known until apply"))
    return Volumes(tuple(known), tuple(dict.fromkeys(left_out)))


def _limits(cluster: Resource, kind: Kind, side: Side) -> Quantity | None:
    """Between the limits of managed scaling, of which the core nodes stand for the task nodes too."""
    policies = side.joins.sources(cluster, _SCALING, "cluster_id").sure
    for policy in policies:
        limits = side.values(policy).block("compute_limits")
        if not isinstance(limits, Block):
            continue
        least, most = (known_number(limits.number(f"{end}_capacity_units")) for end in ("minimum", "maximum"))
        instance = instances.find(kind.instance_type)
        unit = instance.vcpu if limits.text("unit_type") == "VCPU" and instance is not None else 1
        if least is not None and most is not None and least <= most:
            return on_average(least / unit, most / unit, _SCALED)
    return None


def _perhaps(cluster: Resource, side: Side) -> tuple[Unknown, ...]:
    """That managed scaling whose limits nobody can tell scales it, or may."""
    policies = side.joins.sources(cluster, _SCALING, "cluster_id")
    reasons = [f"between which limits {one.address} scales them is not known" for one in policies.sure]
    reasons += [f"whether {one.address} scales them is not known until apply" for one in policies.maybe]
    return tuple(Unknown("core nodes", reason, Lack.UNCOUNTED) for reason in reasons[:1])
