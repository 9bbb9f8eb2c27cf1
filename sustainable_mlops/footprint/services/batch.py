"""Compute environments of AWS Batch."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.activities import ONE
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.ec2_fleets import (
    NO_VOLUMES,
    InstanceGroup,
    InstanceOption,
    make_instance_parts,
    make_unknown_instances,
)
from sustainable_mlops.footprint.services.launch_templates import read_template
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource

#: Families behind the group names of Batch (API reference of Batch, ComputeResource; `optimal` equals
#: `default_x86_64` since November 2025).
_X86 = ("m6i", "c6i", "r6i", "c7i")
_FAMILIES = {"optimal": _X86, "default_x86_64": _X86, "default_arm64": ("m6g", "c6g", "r6g", "c7g")}
_RESOURCES = "compute_resources.0"
_NAME = "instances"


def read_environment(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instances of `aws_batch_compute_environment` with their average vCPUs."""
    values = side.get_values(resource)
    if values.text("type") == "UNMANAGED":
        return []  # its instances join its ECS cluster and have their own estimates
    resources = values.block(_RESOURCES.removesuffix(".0"))
    if not isinstance(resources, Block):
        return make_unknown_instances(_NAME, explain_missing(resources, "compute_resources"))
    capacity_type, options = resources.text("type"), _list_options(resources)
    vcpus = _estimate_vcpus(resources)
    if capacity_type is UNKNOWN or str(capacity_type).upper().startswith("FARGATE"):
        reason = (
            explain_missing(UNKNOWN, "its type")
            if capacity_type is UNKNOWN
            else "AWS does not publish the hardware of Fargate"
        )
        return make_unknown_instances(_NAME, reason)
    if isinstance(options, str):
        return make_unknown_instances(_NAME, options)
    if vcpus is None:
        return make_unknown_instances(_NAME, "the number of vCPUs is not known until apply")
    template = f"{_RESOURCES}.launch_template.0"
    has_template = not is_never_set(resource, template, side)
    first = instances.find(options[0].instance_type)
    has_accelerator = first is not None and first.accelerator is not None
    instance_group = InstanceGroup(
        name=_NAME,
        options=options,
        capacity=vcpus,
        spot_share=float(str(capacity_type).upper() == "SPOT"),
        # Instances run only during jobs, so they have the load of a job.
        duty=ONE if has_accelerator else load_assumptions()["job_cpu_load"],
        volumes=read_template(resource, template, side).volumes if has_template else NO_VOLUMES,
    )
    return make_instance_parts(instance_group, resource, side)


def _list_options(resources: Block) -> tuple[InstanceOption, ...] | str:
    """Return the types with their vCPUs as weights; one size represents a family that is given alone."""
    names = resources.texts("instance_type")
    if names == []:
        return explain_missing(None, "instance_type")
    if names is UNKNOWN or UNKNOWN in names:
        return explain_missing(UNKNOWN, "instance_type")
    options = [
        option
        for name in names
        for family in _FAMILIES.get(str(name), (str(name),))
        for option in _choose_option(family)
    ]
    return tuple(dict.fromkeys(options)) or f"the catalogue has no instance type {names[0]}"


def _choose_option(name: str) -> list[InstanceOption]:
    """Return the named type, or the first size of a family; empty if the catalogue has no such family."""
    if "." in name:
        instance_type = instances.find(name)
        return [InstanceOption(name, float(instance_type.vcpu) if instance_type is not None else 1.0)]
    # Larger sizes cost as much per vCPU as smaller ones.
    return [InstanceOption(one.name, float(one.vcpu)) for one in instances.list_family(name)[:1]]


def _estimate_vcpus(resources: Block) -> Quantity | None:
    """Return the average vCPUs: the minimum and a share of the rest. None if a bound is unknown."""
    minimum, maximum = resources.number("min_vcpus"), to_known_number(resources.number("max_vcpus"))
    low = 0.0 if minimum is None else to_known_number(minimum)
    if low is None or maximum is None or maximum < low:
        return None
    share = load_assumptions()["batch_share"]
    ends = [low + (maximum - low) * end for end in (share.low, share.central, share.high)]
    return Quantity(ends[0], ends[1], ends[2], share.grade, f"instances, by the {share.text}", unit="vCPUs")
