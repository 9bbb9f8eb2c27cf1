"""HyperPod clusters: instance groups of SageMaker instances, which are on until the cluster is deleted."""

from sustainable_mlops.footprint.activities import ALWAYS, FleetActivity
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part
from sustainable_mlops.footprint.services.ec2_fleets import INSTANCES_KIND, make_unknown_instances
from sustainable_mlops.footprint.services.plan_side import (
    PlanSide,
    explain_missing,
    get_usage_or_default,
    note_training_plan,
    to_known_number,
)
from sustainable_mlops.plan import UNKNOWN, Block, Resource

_GROUPS = ("instance_groups", "restricted_instance_groups")


def read_cluster(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the groups of `aws_sagemaker_cluster`.

    Its attributes are those of CloudFormation's `AWS::SageMaker::Cluster` in snake case.
    """
    groups: list[Block] = []
    for name in _GROUPS:
        blocks = side.get_values(resource).blocks(name)
        if blocks is UNKNOWN:
            return make_unknown_instances("instance groups", explain_missing(UNKNOWN, name))
        groups += blocks
    if not groups:
        return make_unknown_instances("instance groups", explain_missing(None, "instance_groups"))
    return [part for number, group in enumerate(groups) for part in _read_group(group, number, resource, side)]


def _read_group(group: Block, number: int, resource: Resource, side: PlanSide) -> list[ResourcePart]:
    group_name, keys = group.text("instance_group_name"), side.get_usage(resource.address)
    name = f"instance group {group_name if isinstance(group_name, str) else number + 1}"
    instance_type, count = group.text("instance_type"), group.number("instance_count")
    if not isinstance(instance_type, str):
        return make_unknown_instances(name, explain_missing(instance_type, "instance_type"))
    known_count = to_known_number(count)
    if known_count is None:
        return make_unknown_instances(name, explain_missing(count, "instance_count"))
    volumes = _sum_volumes(group)
    fleet = FleetActivity(
        instance_type=instance_type,
        region=side.find_region(resource),
        count=make_exact(known_count, "instances"),
        hours=keys.get("hours_per_month") or ALWAYS,
        duty=get_usage_or_default(keys, "duty", "instance_load"),
        volume_gb=volumes or 0.0,
        work="training",
    )
    notes = list(note_training_plan(name, group.text("training_plan_arn")))
    if volumes is None:
        notes.append(UnknownItem(name, "the size of its volumes is not known until apply"))
    return [make_part(name, INSTANCES_KIND, fleet, tuple(notes))]


def _sum_volumes(group: Block) -> float | None:
    """Return the GB attached to each instance; None if unknown."""
    storage = group.blocks("instance_storage_configs")
    if storage is UNKNOWN:
        return None
    configs = [config for one in storage for config in _list_blocks(one.blocks("ebs_volume_config"))]
    sizes = [
        0.0 if (size := config.number("volume_size_in_gb")) is None else to_known_number(size) for config in configs
    ]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _list_blocks(blocks: object) -> list[Block]:
    return blocks if isinstance(blocks, list) else [Block(UNKNOWN)]
