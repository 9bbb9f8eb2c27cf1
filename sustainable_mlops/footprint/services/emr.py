"""Clusters of EMR on EC2: their master, core and task nodes."""

from collections.abc import Iterator

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.activities import ALWAYS
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.ec2_fleets import (
    InstanceGroup,
    InstanceOption,
    InstanceVolume,
    InstanceVolumes,
    estimate_average_size,
    make_instance_parts,
    make_unknown_instances,
    read_volume,
)
from sustainable_mlops.footprint.services.launch_templates import read_weight
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure
from sustainable_mlops.plan.document import parse_embedded_json

_CLUSTER = "aws_emr_cluster"
_SCALING = "aws_emr_managed_scaling_policy"
_SURCHARGE = UnknownItem(
    "cost of EMR",
    "the EMR fee for each instance, on top of the EC2 price, is not in the catalogue",
    UnknownKind.UNCOUNTED,
)
_IDLE_STOP_TEXT = "hours a month of a cluster that ends when idle"
_STEPS_END_TEXT = "hours of a cluster that ends with its steps"
_SCALING_TEXT = "nodes, between the limits of scaling"
_UNKNOWN_LIMITS = UnknownItem("nodes", "the limits of autoscaling_policy are unknown", UnknownKind.UNCOUNTED)


def read_cluster(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the master and core nodes of `aws_emr_cluster`, which are groups or fleets."""
    return [part for role in ("master", "core") for part in _read_role(role, resource, side)]


def read_group(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the task nodes of `aws_emr_instance_group`, which have one type."""
    return _make_nodes("task nodes", _read_group_instances(resource, side.get_values(resource), side), resource, side)


def read_fleet(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the task nodes of `aws_emr_instance_fleet`, which have several types."""
    return _make_nodes("task nodes", _read_fleet_instances(side.get_values(resource)), resource, side)


def _read_role(role: str, resource: Resource, side: PlanSide) -> list[ResourcePart]:
    values, name = side.get_values(resource), f"{role} nodes"
    for kind in ("group", "fleet"):
        block = values.block(f"{role}_instance_{kind}")
        if isinstance(block, Block):
            group = _read_group_instances(resource, block, side) if kind == "group" else _read_fleet_instances(block)
            return _make_nodes(name, group, resource, side)
        if block is UNKNOWN:
            return make_unknown_instances(name, explain_missing(UNKNOWN, f"{role}_instance_{kind}"))
    # A cluster with a single instance has no core nodes.
    return make_unknown_instances(name, "the cluster contains none") if role == "master" else []


def _make_nodes(name: str, group: InstanceGroup | str, resource: Resource, side: PlanSide) -> list[ResourcePart]:
    if isinstance(group, str):
        return make_unknown_instances(name, group)
    cluster = resource if resource.type == _CLUSTER else side.joins.find_target(resource, "cluster_id", _CLUSTER)
    hours, limits = ALWAYS, None
    left_out = (*group.omissions, _SURCHARGE)
    if isinstance(cluster, Resource):
        hours = _estimate_hours(cluster, side)
        if name == "core nodes":
            limits = _find_managed_limits(cluster, group.options[0], side)
            left_out += () if limits is not None else _report_managed_scaling(cluster, side)
    capacity = group.capacity if limits is None else limits
    nodes = group._replace(name=name, capacity=capacity, hours=hours, has_volumes_only_when_on=True, omissions=left_out)
    return make_instance_parts(nodes, resource, side)


def _estimate_hours(cluster: Resource, side: PlanSide) -> Quantity:
    values = side.get_values(cluster)
    if values.flag("keep_job_flow_alive_when_no_steps") is False:
        return load_assumptions()["job_hours_without_cap"].replace_text(_STEPS_END_TEXT)
    if values.blocks("auto_termination_policy") != []:
        return load_assumptions()["notebook_hours_with_idle_stop"].replace_text(_IDLE_STOP_TEXT)
    return ALWAYS


def _read_group_instances(resource: Resource, block: Block, side: PlanSide) -> InstanceGroup | str:
    instance_type, count = block.text("instance_type"), block.number("instance_count")
    if not isinstance(instance_type, str):
        return explain_missing(instance_type, "instance_type")
    scaled_capacity = _read_scaling_limits(block.text("autoscaling_policy"))
    path = f"{block.path}.instance_count" if block.path else "instance_count"
    number = 1.0 if count is None or is_never_set(resource, path, side) else to_known_number(count)
    if scaled_capacity is None and number is None:
        return explain_missing(count, "instance_count")
    capacity = make_exact(number, "nodes") if scaled_capacity is None and number is not None else scaled_capacity
    assert capacity is not None
    spot = block.text("bid_price") not in (None, "")
    group = InstanceGroup(
        "", (InstanceOption(instance_type),), capacity, spot_share=float(spot), volumes=_list_volumes([block])
    )
    if scaled_capacity is not None or block.text("autoscaling_policy") in (None, ""):
        return group
    path = f"{block.path}.autoscaling_policy" if block.path else "autoscaling_policy"
    return group if is_never_set(resource, path, side) else group._replace(omissions=(_UNKNOWN_LIMITS,))


def _read_scaling_limits(policy: "str | Unsure | None") -> Quantity | None:
    """Return the average size between the limits of the JSON policy of a group."""
    document = Block(parse_embedded_json(policy) if isinstance(policy, str) and policy else {})
    least = to_known_number(document.number("Constraints.MinCapacity"))
    most = to_known_number(document.number("Constraints.MaxCapacity"))
    return None if least is None or most is None or most < least else estimate_average_size(least, most, _SCALING_TEXT)


def _read_fleet_instances(block: Block) -> InstanceGroup | str:
    configs = block.blocks("instance_type_configs")
    if configs is UNKNOWN or not configs:
        return explain_missing(UNKNOWN if configs is UNKNOWN else None, "instance_type_configs")
    kinds = list(_list_options(configs))
    targets = [block.number(f"target_{kind}_capacity") for kind in ("on_demand", "spot")]
    if None in kinds or UNKNOWN in targets:
        return explain_missing(UNKNOWN, "the instance types or their number")
    on_demand, spot = (to_known_number(target) or 0.0 for target in targets)
    total = on_demand + spot
    return InstanceGroup(
        name="",
        options=tuple(kind for kind in kinds if kind is not None),
        capacity=make_exact(total, "nodes"),
        spot_share=spot / total if total else 0.0,
        volumes=_list_volumes(configs[:1]),
    )


def _list_options(configs: list[Block]) -> Iterator[InstanceOption | None]:
    for config in configs:
        name, weight = config.text("instance_type"), read_weight(config)
        yield InstanceOption(name, weight) if isinstance(name, str) and weight is not None else None


def _list_volumes(blocks: list[Block]) -> InstanceVolumes:
    """Return the configured volumes; EMR adds others for each instance type."""
    volumes: list[InstanceVolume] = []
    left_out = [UnknownItem("volumes", "the volumes that EMR adds itself are not counted")]
    for block in blocks:
        configs = block.blocks("ebs_config")
        for config in [] if configs is UNKNOWN else configs:
            volume = read_volume(config, "size", "type")
            number = config.number("volumes_per_instance")
            times = 1.0 if number is None else to_known_number(number)
            if isinstance(volume, InstanceVolume) and times is not None:
                volumes.append(InstanceVolume(volume.kind, volume.gb * times))
            else:
                left_out.append(UnknownItem("volumes", "size or number is not known until apply"))
    return InstanceVolumes(tuple(volumes), tuple(dict.fromkeys(left_out)))


def _find_managed_limits(cluster: Resource, kind: InstanceOption, side: PlanSide) -> Quantity | None:
    """Return the average size between the limits of managed scaling; core nodes then represent task nodes too."""
    policies = side.joins.find_sources(cluster, _SCALING, "cluster_id").certain
    for policy in policies:
        limits = side.get_values(policy).block("compute_limits")
        if not isinstance(limits, Block):
            continue
        least, most = (to_known_number(limits.number(f"{end}_capacity_units")) for end in ("minimum", "maximum"))
        instance = instances.find(kind.instance_type)
        unit = instance.vcpu if limits.text("unit_type") == "VCPU" and instance is not None else 1
        if least is not None and most is not None and least <= most:
            return estimate_average_size(least / unit, most / unit, _SCALING_TEXT)
    return None


def _report_managed_scaling(cluster: Resource, side: PlanSide) -> tuple[UnknownItem, ...]:
    """Return a note if managed scaling with unknown limits scales the cluster, or may do so."""
    policies = side.joins.find_sources(cluster, _SCALING, "cluster_id")
    reasons = [f"the limits of {one.address} are unknown" for one in policies.certain]
    reasons += [f"it is not known until apply whether {one.address} scales them" for one in policies.possible]
    return tuple(UnknownItem("core nodes", reason, UnknownKind.UNCOUNTED) for reason in reasons[:1])
