"""Auto Scaling groups, and fleets of EC2: machines of one type or several, on demand and on spot capacity."""

from collections.abc import Iterator

from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.resource_parts import Part
from sustainable_mlops.footprint.services.ec2_machines import (
    NO_VOLUMES,
    Kind,
    Machines,
    Volumes,
    of_machines,
    on_average,
    root_and_others,
    unknown_machines,
)
from sustainable_mlops.footprint.services.launch_templates import Launch, kinds, of_configuration, of_template
from sustainable_mlops.footprint.services.plan_side import Side, known_number, never_set, says
from sustainable_mlops.plan import UNKNOWN, Block, Matches, Resource

_POLICY = "aws_autoscaling_policy"
_SCHEDULE = "aws_autoscaling_schedule"
_PROVIDER = "aws_ecs_capacity_provider"
_OF_PROVIDER = "auto_scaling_group_provider.0"
_MIXED = "mixed_instances_policy.0"
_NAME = "instances"


def of_group(resource: Resource, side: Side) -> list[Part]:
    """`aws_autoscaling_group`: as many machines as it starts with, or between its limits where something scales it."""
    values = side.values(resource)
    launch, mixed = _launch(resource, side), not never_set(resource, _MIXED, side)
    overrides, capacity = (
        values.blocks(f"{_MIXED}.launch_template.0.override") if mixed else [],
        _capacity(resource, side),
    )
    found = says(UNKNOWN, "which instance types it mixes") if overrides is UNKNOWN else kinds(overrides, launch)
    if isinstance(found, str):
        return unknown_machines(_NAME, found)
    if isinstance(capacity, str):
        return unknown_machines(_NAME, capacity)
    machines = Machines(
        name=_NAME,
        kinds=found,
        capacity=capacity,
        spot=_spot(values.block(f"{_MIXED}.instances_distribution"), launch, capacity.central),
        volumes=launch.volumes,
        left_out=tuple(_notes(resource, side)),
    )
    return of_machines(machines, resource, side)


def _launch(resource: Resource, side: Side) -> Launch:
    if not never_set(resource, _MIXED, side):
        return of_template(resource, f"{_MIXED}.launch_template.0.launch_template_specification.0", side)
    if not never_set(resource, "launch_template.0", side):
        return of_template(resource, "launch_template.0", side)
    if not never_set(resource, "launch_configuration", side):
        return of_configuration(resource, "launch_configuration", side)
    return Launch(reason="it names neither a launch template nor a launch configuration")


def _capacity(resource: Resource, side: Side) -> Quantity | str:
    """How many machines, or of their weights; or why nobody knows."""
    values = side.values(resource)
    least, most = (known_number(values.number(name)) for name in ("min_size", "max_size"))
    if (given := side.usage(resource.address).get("instances")) is not None:
        return given
    if least is None or most is None or most < least:
        return "how many machines it may have is not known until apply"
    if _is_scaled(resource, side):
        return on_average(least, most, "machines, between the limits of the group")
    start = least if never_set(resource, "desired_capacity", side) else known_number(values.number("desired_capacity"))
    if start is None:
        return says(values.number("desired_capacity"), "desired_capacity")
    sizes = [size for one in _schedules(resource, side).sure for size in _sizes(side.values(one))]
    low, high = min([start, *sizes]), max([start, *sizes])
    if low == high:
        return exactly(start, "machines")
    return on_average(low, high, "machines, between the sizes of the scheduled actions")


def _is_scaled(resource: Resource, side: Side) -> bool:
    """Whether a policy, or ECS for its tasks, changes the size of the group."""
    policies, providers = _scalers(resource, side)
    return any(side.values(one).flag("enabled") is not False for one in policies.sure) or any(
        side.values(one).text(f"{_OF_PROVIDER}.managed_scaling.0.status") != "DISABLED" for one in providers.sure
    )


def _scalers(resource: Resource, side: Side) -> tuple[Matches, Matches]:
    """The policies, and the capacity providers of ECS, of the group."""
    policies = side.joins.sources(resource, _POLICY, "autoscaling_group_name")
    return policies, side.joins.sources(resource, _PROVIDER, f"{_OF_PROVIDER}.auto_scaling_group_arn")


def _schedules(resource: Resource, side: Side) -> Matches:
    return side.joins.sources(resource, _SCHEDULE, "autoscaling_group_name")


def _sizes(schedule: Block) -> list[float]:
    """The size that a scheduled action brings about; it says -1 of what it leaves as it is."""
    found = known_number(schedule.number("desired_capacity"))
    if found is None:
        found = known_number(schedule.number("min_size"))
    return [] if found is None else [found]


def _notes(resource: Resource, side: Side) -> list[Unknown]:
    """What may make it much larger than is counted. How many there are on average, the usage file may tell."""
    notes = [] if side.usage(resource.address).get("instances") is not None else list(_sized(resource, side))
    pool = side.values(resource).block("warm_pool")
    if pool is UNKNOWN and not never_set(resource, "warm_pool", side):
        notes.append(Unknown("warm pool", says(UNKNOWN, "what it keeps running"), Lack.UNCOUNTED))
    elif isinstance(pool, Block) and (pool.text("pool_state") is UNKNOWN or pool.text("pool_state") == "Running"):
        notes.append(Unknown("warm pool", "the machines that it keeps running are not counted", Lack.UNCOUNTED))
    return notes


def _sized(resource: Resource, side: Side) -> Iterator[Unknown]:
    """What changes its size, and nobody knows how much or for how long."""
    maybe = [] if _is_scaled(resource, side) else [one for found in _scalers(resource, side) for one in found.maybe]
    schedules = _schedules(resource, side)
    for one in [*maybe, *schedules.maybe][:1]:
        yield Unknown(_NAME, f"whether it is scaled by {one.address} is not known until apply", Lack.UNCOUNTED)
    for one in schedules.sure:
        recurrence = side.values(one).text("recurrence")
        when = f" ({recurrence})" if isinstance(recurrence, str) and recurrence else ""
        reason = f"how long {one.address}{when} keeps its size is not counted; give instances in the usage file"
        yield Unknown(_NAME, reason, Lack.UNCOUNTED)


def _spot(distribution: object, launch: Launch, count: float) -> float:
    """The share of `count` machines on spot capacity."""
    if not isinstance(distribution, Block):
        return float(launch.spot)
    base = known_number(distribution.number("on_demand_base_capacity")) or 0.0
    above = known_number(distribution.number("on_demand_percentage_above_base_capacity"))
    on_demand = min(base, count) + max(count - base, 0.0) * (100.0 if above is None else min(above, 100.0)) / 100
    return 1 - on_demand / count if count else 0.0


def of_fleet(resource: Resource, side: Side) -> list[Part]:
    """`aws_ec2_fleet`: as much capacity as it aims at."""
    values, target = side.values(resource), "target_capacity_specification.0"
    total = known_number(values.number(f"{target}.total_target_capacity"))
    on_demand = known_number(values.number(f"{target}.on_demand_target_capacity"))
    on_spot = known_number(values.number(f"{target}.spot_target_capacity"))
    if values.text(f"{target}.target_capacity_unit_type") not in (None, "", "units"):
        return unknown_machines(_NAME, "it aims at vCPUs or memory instead of machines")
    if total is not None:
        by_default = values.text(f"{target}.default_target_capacity_type") == "spot"
        on_spot = (on_spot or 0.0) + (total - (on_spot or 0.0) - (on_demand or 0.0) if by_default else 0.0)
    return _fleet(resource, total, on_spot or 0.0, "override", side)


def of_spot_fleet(resource: Resource, side: Side) -> list[Part]:
    """`aws_spot_fleet_request`: the same on spot capacity, but for what it wants on demand."""
    values = side.values(resource)
    total = known_number(values.number("target_capacity"))
    on_demand = known_number(values.number("on_demand_target_capacity")) or 0.0
    if values.text("target_capacity_unit_type") not in (None, "", "units"):
        return unknown_machines(_NAME, "it aims at vCPUs or memory instead of machines")
    specifications = values.blocks("launch_specification")
    if specifications is UNKNOWN or not specifications:
        return _fleet(resource, total, (total or 0.0) - on_demand, "overrides", side)
    found = kinds(specifications, Launch())
    volumes = root_and_others(resource, specifications[0], side, f"{specifications[0].path}.")
    return _aimed(resource, found, total, (total or 0.0) - on_demand, volumes, side)


def _fleet(resource: Resource, total: float | None, on_spot: float, overrides: str, side: Side) -> list[Part]:
    configs = side.values(resource).blocks("launch_template_config")
    if configs is UNKNOWN or not configs:
        return unknown_machines(_NAME, says(UNKNOWN if configs is UNKNOWN else None, "launch_template_config"))
    every: list[Kind] = []
    volumes = NO_VOLUMES
    for config in configs:
        launch = of_template(resource, f"{config.path}.launch_template_specification.0", side)
        blocks = config.blocks(overrides)
        found = says(UNKNOWN, overrides) if blocks is UNKNOWN else kinds(blocks, launch)
        if isinstance(found, str):
            return unknown_machines(_NAME, found)
        every += found
        volumes = volumes if volumes.known else launch.volumes
    return _aimed(resource, tuple(dict.fromkeys(every)), total, on_spot, volumes, side)


def _aimed(
    resource: Resource,
    found: tuple[Kind, ...] | str,
    total: float | None,
    on_spot: float,
    volumes: Volumes,
    side: Side,
) -> list[Part]:
    if isinstance(found, str):
        return unknown_machines(_NAME, found)
    if total is None:
        return unknown_machines(_NAME, "the capacity that it aims at is not known until apply")
    spot = min(max(on_spot / total, 0.0), 1.0) if total else 0.0
    return of_machines(Machines(_NAME, found, exactly(total, "machines"), spot, volumes=volumes), resource, side)
