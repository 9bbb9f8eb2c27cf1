"""HyperPod clusters: instance groups of SageMaker's own machines, on until the cluster is deleted."""

from sustainable_mlops.footprint.activities import ALWAYS, Fleet
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.quantities import exactly
from sustainable_mlops.footprint.resource_parts import Part, known
from sustainable_mlops.footprint.services.ec2_machines import MACHINES, unknown_machines
from sustainable_mlops.footprint.services.plan_side import Side, default, known_number, says
from sustainable_mlops.plan import UNKNOWN, Block, Resource

_GROUPS = ("instance_groups", "restricted_instance_groups")


def of_cluster(resource: Resource, side: Side) -> list[Part]:
    """`aws_sagemaker_cluster`, by the names of CloudFormation's `AWS::SageMaker::Cluster` in snake case."""
    groups: list[Block] = []
    for name in _GROUPS:
        found = side.values(resource).blocks(name)
        if found is UNKNOWN:
            return unknown_machines("instance groups", says(UNKNOWN, name))
        groups += found
    if not groups:
        return unknown_machines("instance groups", says(None, "instance_groups"))
    return [part for number, group in enumerate(groups) for part in _group(group, number, resource, side)]


def _group(group: Block, number: int, resource: Resource, side: Side) -> list[Part]:
    named, keys = group.text("instance_group_name"), side.usage(resource.address)
    name = f"instance group {named if isinstance(named, str) else number + 1}"
    instance_type, count = group.text("instance_type"), group.number("instance_count")
    if not isinstance(instance_type, str):
        return unknown_machines(name, says(instance_type, "instance_type"))
    machines = known_number(count)
    if machines is None:
        return unknown_machines(name, says(count, "instance_count"))
    volumes = _volumes(group)
    fleet = Fleet(
        instance_type=instance_type,
        region=side.region(resource),
        count=exactly(machines, "machines"),
        hours=keys.get("hours_per_month") or ALWAYS,
        duty=default(keys, "duty", "machine_load"),
        volume_gb=volumes or 0.0,
        work="training",
    )
    unsure = Unknown(name, "the size of its volumes is not known until apply")
    return [known(name, MACHINES, fleet, (unsure,) if volumes is None else ())]


def _volumes(group: Block) -> float | None:
    """GB attached to each machine; None where nobody knows."""
    storage = group.blocks("instance_storage_configs")
    if storage is UNKNOWN:
        return None
    configs = [config for one in storage for config in _listed(one.blocks("ebs_volume_config"))]
    sizes = [0.0 if (size := config.number("volume_size_in_gb")) is None else known_number(size) for config in configs]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _listed(blocks: object) -> list[Block]:
    return blocks if isinstance(blocks, list) else [Block(UNKNOWN)]
