"""Attributes that determine the size of resources without an estimate, as text for a reader."""

from sustainable_mlops.plan import UNKNOWN, Block

#: Attributes whose value says what it is, such as `db.t4g.micro`.
_NAMES = """
    bundle_id cache_node_type class_name compute_type db_instance_class environment_class host_instance_type
    instance_class instance_type node_type replication_instance_class shape tracking_server_size worker_type
"""
#: Attributes whose value needs its name.
_NUMBERS = """
    allocated_storage base_capacity capacity compute_count cpu desired_capacity desired_count deployment_mode
    deployment_type dpu_count edition fleet_capacity iops max_capacity max_workers memory memory_size min_workers
    model_units multi_az num_cache_clusters num_cache_nodes num_node_groups num_shards number_of_broker_nodes
    number_of_nodes number_of_workers provisioned_concurrent_executions replicas_per_node_group replication_factor
    shard_capacity shard_count storage_capacity storage_throughput storage_type throughput_capacity target_dpus
    web_app_units
"""
_LABELS = dict.fromkeys(_NAMES.split(), "") | {name: f"{name} " for name in _NUMBERS.split()}
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
    "environment": ("compute_type",),
    "serverlessv2_scaling_configuration": ("min_capacity", "max_capacity"),
}

Size = tuple[tuple[str, str], ...]


def read_size(values: Block) -> Size:
    """Return the attributes that determine the size of a resource, with their values."""
    size = []
    for name in values:
        if name in _LABELS:
            size.append((name, values.get(name)))
        elif name in _BLOCKS:
            size += [(inner, values.get(f"{name}.0.{inner}")) for inner in _BLOCKS[name]]
    return tuple((name, _format(name, value)) for name, value in size if value is not None and value != "")


def _format(name: str, value: object) -> str:
    if value is UNKNOWN:
        return "not known"
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    label = _LABELS.get(name, "" if name.endswith("_type") else f"{name} ")
    return f"{label}{text}"


def describe_size(before: Size | None, after: Size) -> str:
    """Return `db.t4g.micro → db.r6i.32xlarge`, or the size after if it is new; empty if the size does not change."""
    if before is None:
        return ", ".join(text for _, text in after[:3])
    old, new = dict(before), dict(after)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{old.get(name, 'not set')} → {new.get(name, 'not set')}" for name in names)
