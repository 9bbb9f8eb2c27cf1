"""Attributes that determine the size of resources without an estimate. Describes and compares sizes."""

import re
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.footprint.services.plan_side import PlanSide, is_never_set
from sustainable_mlops.plan import UNKNOWN, Resource

#: Attributes whose value needs no name in a text, such as `db.t4g.micro`.
_NAMES = """
    bundle_id class_name compute_type environment_class host_instance_type instance_class instance_type license_model
    node_type replication_instance_class shape tracking_server_size worker_type
"""
#: Attributes whose value needs its name in a text.
_NUMBERS = """
    allocated_storage base_capacity capacity compute_count cpu desired_capacity desired_count deployment_mode
    deployment_type dpu_count edition iops max_allocated_storage max_capacity max_size max_workers memory memory_size
    min_capacity min_size min_workers model_units multi_az num_cache_clusters num_cache_nodes num_node_groups num_shards
    number_of_broker_nodes number_of_nodes number_of_workers per_unit_storage_throughput
    provisioned_concurrent_executions replicas_per_node_group replication_factor shard_capacity shard_count
    storage_capacity storage_throughput storage_type target_dpus throughput_capacity throughput_capacity_per_ha_pair
    web_app_units
"""
_LABELS = dict.fromkeys(_NAMES.split(), "") | {name: f"{name} " for name in _NUMBERS.split()}
#: Attributes inside blocks.
_BLOCKS = {
    "broker_node_group_info": ("instance_type",),
    "cluster_config": (
        "instance_type",
        "instance_count",
        "dedicated_master_type",
        "dedicated_master_count",
        "warm_type",
        "warm_count",
    ),
    "compute_capacity": ("desired_instances",),
    "ebs_options": ("volume_type", "volume_size", "iops"),
    "ephemeral_storage": ("size",),
    "environment": ("compute_type",),
    "instance_configuration": ("cpu", "memory"),
    "serverlessv2_scaling_configuration": ("min_capacity", "max_capacity"),
}
#: Attributes whose change does not add cost.
_COST_NEUTRAL_NAMES = frozenset(
    (
        "default_cooldown",
        "default_instance_warmup",
        "enabled_metrics",
        "health_check_grace_period",
        "health_check_type",
        "launch_template",
        "load_balancers",
        "metrics_granularity",
        "require_tls",
        "tag",
        "target_group_arns",
        "task_definition",
        "termination_policies",
    )
)
#: Largest increase that counts as small, if the number at most doubles; two units for other attributes.
_SMALL_INCREASES = {
    "allocated_storage": 200,
    "max_allocated_storage": 200,
    "memory_size": 1024,
    "size": 2048,
    "volume_size": 200,
}
_SMALL_INCREASE = 2
_SIZES = {name: rank for rank, name in enumerate(("nano", "micro", "small", "medium", "large", "xlarge"))}
_MULTIPLE = LazyPattern(r"(\d+)x(?:large|l)")

#: Names and values of the attributes that are set.
Size = tuple[tuple[str, Any], ...]


def read_size(resource: Resource, side: PlanSide) -> Size:
    """Return the attributes that determine the size of a resource, with their values."""
    values = side.get_values(resource)
    paths = []
    for name in values:
        if name in _LABELS:
            paths.append((name, name))
        elif name in _BLOCKS:
            paths += [(inner, f"{name}.0.{inner}") for inner in _BLOCKS[name]]
    size = [(name, path, values.get(path)) for name, path in paths]
    return tuple(
        (name, value if isinstance(value, str | int | float) or value is UNKNOWN else str(value))
        for name, path, value in size
        if value is not None and value != "" and not (value is UNKNOWN and is_never_set(resource, path, side))
    )


def is_size_path(path: str) -> bool:
    """Return whether the attribute at `path`, without positions, belongs to the size of a resource."""
    block, _, name = path.partition(".")
    return block in _LABELS if not name else name in _BLOCKS.get(block, ())


def is_size_attribute(name: str) -> bool:
    """Return whether the attribute belongs to the size of a resource, or if its change does not add cost."""
    return name in _LABELS or is_cost_neutral(name)


def is_cost_neutral(name: str) -> bool:
    """Return whether a change of the attribute does not add cost."""
    return name in _COST_NEUTRAL_NAMES


def describe_size(before: Size | None, after: Size) -> str:
    """Return `db.t4g.micro → db.r6i.32xlarge`, or the size after if it is new; empty if the size does not change."""
    if before is None:
        return ", ".join(_format(name, value) for name, value in after[:3])
    old, new = dict(before), dict(after)
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{_format(name, old.get(name))} → {_format_value(new.get(name))}" for name in changed)


def _format(name: str, value: Any) -> str:
    return f"{_LABELS.get(name, '' if name.endswith('_type') else f'{name} ')}{_format_value(value)}"


def _format_value(value: Any) -> str:
    if value is None or value is UNKNOWN:
        return "not set" if value is None else "not known"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def may_grow(before: Size, after: Size) -> bool:
    """Return whether a resource becomes larger by more than a small step, or may do so."""
    old, new = dict(before), dict(after)
    return any(_is_larger(name, old.get(name), new.get(name)) for name in {**old, **new})


def _is_larger(name: str, old: Any, new: Any) -> bool:
    if old is UNKNOWN or new is UNKNOWN:
        return True
    if old == new:
        return False
    old_number, new_number = _parse_number(old), _parse_number(new)
    if old_number is not None and new_number is not None:
        is_small = new_number <= 2 * old_number and new_number - old_number <= _SMALL_INCREASES.get(
            name, _SMALL_INCREASE
        )
        return new_number > old_number and not is_small
    old_rank, new_rank = _rank(old), _rank(new)
    return old_rank is None or new_rank is None or new_rank >= old_rank


def _parse_number(value: Any) -> float | None:
    """Return the number of a value; an attribute that is not set is 0."""
    try:
        return float(value or 0)
    except ValueError:
        return None


def _rank(value: Any) -> int | None:
    """Return the rank of the size in the name of an instance type; None if it has none."""
    for part in re.split(r"[._-]", str(value).lower()):
        if part in _SIZES:
            return _SIZES[part]
        if match := _MULTIPLE.fullmatch(part):
            return len(_SIZES) - 2 + int(match[1])
    return None
