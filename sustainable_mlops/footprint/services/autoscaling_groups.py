"""Auto Scaling groups and EC2 fleets: instances of one or several types, on demand and on spot capacity."""

from collections.abc import Iterator

from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.ec2_fleets import (
    NO_VOLUMES,
    InstanceGroup,
    InstanceOption,
    InstanceVolumes,
    estimate_average_size,
    make_instance_parts,
    make_unknown_instances,
    read_instance_volumes,
)
from sustainable_mlops.footprint.services.launch_templates import (
    LaunchSettings,
    list_options,
    read_launch_configuration,
    read_template,
)
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Matches, Resource

_POLICY = "aws_autoscaling_policy"
_SCHEDULE = "aws_autoscaling_schedule"
_PROVIDER = "aws_ecs_capacity_provider"
_PROVIDER_PATH = "auto_scaling_group_provider.0"
_MIXED = "mixed_instances_policy.0"
_NAME = "instances"
_OTHER_UNIT = "its target capacity is in vCPUs or memory, not in instances"


def read_group(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instances of `aws_autoscaling_group`: its start size, or a size between its limits if it is scaled."""
    values = side.get_values(resource)
    launch, mixed = _read_launch(resource, side), not is_never_set(resource, _MIXED, side)
    overrides, capacity = (
        values.blocks(f"{_MIXED}.launch_template.0.override") if mixed else [],
        _read_capacity(resource, side),
    )
    options = (
        explain_missing(UNKNOWN, "the list of its instance types")
        if overrides is UNKNOWN
        else list_options(overrides, launch)
    )
    if isinstance(options, str):
        return make_unknown_instances(_NAME, options)
    if isinstance(capacity, str):
        return make_unknown_instances(_NAME, capacity)
    instance_group = InstanceGroup(
        name=_NAME,
        options=options,
        capacity=capacity,
        spot_share=_compute_spot_share(values.block(f"{_MIXED}.instances_distribution"), launch, capacity.central),
        volumes=launch.volumes,
        omissions=tuple(_list_omissions(resource, side)),
    )
    return make_instance_parts(instance_group, resource, side)


def _read_launch(resource: Resource, side: PlanSide) -> LaunchSettings:
    if not is_never_set(resource, _MIXED, side):
        return read_template(resource, f"{_MIXED}.launch_template.0.launch_template_specification.0", side)
    if not is_never_set(resource, "launch_template.0", side):
        return read_template(resource, "launch_template.0", side)
    if not is_never_set(resource, "launch_configuration", side):
        return read_launch_configuration(resource, "launch_configuration", side)
    return LaunchSettings(reason="it has neither a launch template nor a launch configuration")


def _read_capacity(resource: Resource, side: PlanSide) -> Quantity | str:
    """Return the number of instances or weight units, or the reason why it is unknown."""
    values = side.get_values(resource)
    minimum, maximum = (to_known_number(values.number(name)) for name in ("min_size", "max_size"))
    if (given_count := side.get_usage(resource.address).get("instances")) is not None:
        return given_count
    if minimum is None or maximum is None or maximum < minimum:
        return "the number of instances is not known until apply"
    if _is_scaled(resource, side):
        return estimate_average_size(minimum, maximum, "instances, between the limits of the group")
    start = (
        minimum
        if is_never_set(resource, "desired_capacity", side)
        else to_known_number(values.number("desired_capacity"))
    )
    if start is None:
        return explain_missing(values.number("desired_capacity"), "desired_capacity")
    sizes = [size for one in _find_schedules(resource, side).certain for size in _list_sizes(side.get_values(one))]
    low, high = min([start, *sizes]), max([start, *sizes])
    if low == high:
        return make_exact(start, "instances")
    return estimate_average_size(low, high, "instances, between the sizes of the scheduled actions")


def _is_scaled(resource: Resource, side: PlanSide) -> bool:
    """Return whether a policy, or ECS for its tasks, changes the size of the group."""
    policies, providers = _find_scalers(resource, side)
    return any(side.get_values(one).flag("enabled") is not False for one in policies.certain) or any(
        side.get_values(one).text(f"{_PROVIDER_PATH}.managed_scaling.0.status") != "DISABLED"
        for one in providers.certain
    )


def _find_scalers(resource: Resource, side: PlanSide) -> tuple[Matches, Matches]:
    """Return the scaling policies and the ECS capacity providers of the group."""
    policies = side.joins.find_sources(resource, _POLICY, "autoscaling_group_name")
    return policies, side.joins.find_sources(resource, _PROVIDER, f"{_PROVIDER_PATH}.auto_scaling_group_arn")


def _find_schedules(resource: Resource, side: PlanSide) -> Matches:
    return side.joins.find_sources(resource, _SCHEDULE, "autoscaling_group_name")


def _list_sizes(schedule: Block) -> list[float]:
    """Return the size that a scheduled action sets; -1 means unchanged."""
    size = to_known_number(schedule.number("desired_capacity"))
    if size is None:
        size = to_known_number(schedule.number("min_size"))
    return [] if size is None else [size]


def _list_omissions(resource: Resource, side: PlanSide) -> list[UnknownItem]:
    """Return notes on what may make the group much larger; the usage file can give the average size instead."""
    notes = (
        [] if side.get_usage(resource.address).get("instances") is not None else list(_report_scaling(resource, side))
    )
    pool = side.get_values(resource).block("warm_pool")
    if pool is UNKNOWN and not is_never_set(resource, "warm_pool", side):
        notes.append(UnknownItem("warm pool", explain_missing(UNKNOWN, "its pool state"), UnknownKind.UNCOUNTED))
    elif isinstance(pool, Block) and (pool.text("pool_state") is UNKNOWN or pool.text("pool_state") == "Running"):
        notes.append(UnknownItem("warm pool", "its running instances are not counted", UnknownKind.UNCOUNTED))
    return notes


def _report_scaling(resource: Resource, side: PlanSide) -> Iterator[UnknownItem]:
    """Yield a note on each size change with an unknown amount or duration."""
    possible_scalers = (
        []
        if _is_scaled(resource, side)
        else [one for matches in _find_scalers(resource, side) for one in matches.possible]
    )
    schedules = _find_schedules(resource, side)
    for one in [*possible_scalers, *schedules.possible][:1]:
        yield UnknownItem(_NAME, f"it is not known until apply whether {one.address} scales it", UnknownKind.UNCOUNTED)
    for one in schedules.certain:
        recurrence = side.get_values(one).text("recurrence")
        when = f" ({recurrence})" if isinstance(recurrence, str) and recurrence else ""
        reason = f"the duration of {one.address}{when} is not counted; set instances in the usage file"
        yield UnknownItem(_NAME, reason, UnknownKind.UNCOUNTED)


def _compute_spot_share(distribution: object, launch: LaunchSettings, count: float) -> float:
    """Return the share of `count` instances on spot capacity."""
    if not isinstance(distribution, Block):
        return float(launch.spot)
    base = to_known_number(distribution.number("on_demand_base_capacity")) or 0.0
    percentage = to_known_number(distribution.number("on_demand_percentage_above_base_capacity"))
    on_demand = (
        min(base, count) + max(count - base, 0.0) * (100.0 if percentage is None else min(percentage, 100.0)) / 100
    )
    return 1 - on_demand / count if count else 0.0


def read_fleet(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instances of `aws_ec2_fleet`: its target capacity."""
    values, target = side.get_values(resource), "target_capacity_specification.0"
    total = to_known_number(values.number(f"{target}.total_target_capacity"))
    on_demand = to_known_number(values.number(f"{target}.on_demand_target_capacity"))
    on_spot = to_known_number(values.number(f"{target}.spot_target_capacity"))
    if values.text(f"{target}.target_capacity_unit_type") not in (None, "", "units"):
        return make_unknown_instances(_NAME, _OTHER_UNIT)
    if total is not None:
        is_spot_default = values.text(f"{target}.default_target_capacity_type") == "spot"
        on_spot = (on_spot or 0.0) + (total - (on_spot or 0.0) - (on_demand or 0.0) if is_spot_default else 0.0)
    return _read_fleet_parts(resource, total, on_spot or 0.0, "override", side)


def read_spot_fleet(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instances of `aws_spot_fleet_request`: its target capacity on spot, except the on-demand part."""
    values = side.get_values(resource)
    total = to_known_number(values.number("target_capacity"))
    on_demand = to_known_number(values.number("on_demand_target_capacity")) or 0.0
    if values.text("target_capacity_unit_type") not in (None, "", "units"):
        return make_unknown_instances(_NAME, _OTHER_UNIT)
    specifications = values.blocks("launch_specification")
    if specifications is UNKNOWN or not specifications:
        return _read_fleet_parts(resource, total, (total or 0.0) - on_demand, "overrides", side)
    options = list_options(specifications, LaunchSettings())
    volumes = read_instance_volumes(resource, specifications[0], side, f"{specifications[0].path}.")
    return _make_fleet_parts(resource, options, total, (total or 0.0) - on_demand, volumes, side)


def _read_fleet_parts(
    resource: Resource, total: float | None, on_spot: float, overrides: str, side: PlanSide
) -> list[ResourcePart]:
    configs = side.get_values(resource).blocks("launch_template_config")
    if configs is UNKNOWN or not configs:
        return make_unknown_instances(
            _NAME, explain_missing(UNKNOWN if configs is UNKNOWN else None, "launch_template_config")
        )
    options: list[InstanceOption] = []
    volumes = NO_VOLUMES
    for config in configs:
        launch = read_template(resource, f"{config.path}.launch_template_specification.0", side)
        blocks = config.blocks(overrides)
        block_options = explain_missing(UNKNOWN, overrides) if blocks is UNKNOWN else list_options(blocks, launch)
        if isinstance(block_options, str):
            return make_unknown_instances(_NAME, block_options)
        options += block_options
        volumes = volumes if volumes.volumes else launch.volumes
    return _make_fleet_parts(resource, tuple(dict.fromkeys(options)), total, on_spot, volumes, side)


def _make_fleet_parts(
    resource: Resource,
    options: tuple[InstanceOption, ...] | str,
    total: float | None,
    on_spot: float,
    volumes: InstanceVolumes,
    side: PlanSide,
) -> list[ResourcePart]:
    if isinstance(options, str):
        return make_unknown_instances(_NAME, options)
    if total is None:
        return make_unknown_instances(_NAME, "its target capacity is not known until apply")
    spot = min(max(on_spot / total, 0.0), 1.0) if total else 0.0
    return make_instance_parts(
        InstanceGroup(_NAME, options, make_exact(total, "instances"), spot, volumes=volumes), resource, side
    )
