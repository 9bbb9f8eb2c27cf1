"""Compute environments of AWS Batch."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.activities import ONE
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.ec2_machines import (
    NO_VOLUMES,
    InstanceOption,
    MachineGroup,
    make_machine_parts,
    make_unknown_machines,
)
from sustainable_mlops.footprint.services.launch_templates import read_template
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource

#: What Batch takes for a name that stands for several families (API reference of Batch, ComputeResource; `optimal` is
#: `default_x86_64` since November 2025).
_X86 = ("m6i", "c6i", "r6i", "c7i")
_FAMILIES = {"optimal": _X86, "default_x86_64": _X86, "default_arm64": ("m6g", "c6g", "r6g", "c7g")}
_RESOURCES = "compute_resources.0"
_NAME = "machines"


def read_environment(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_batch_compute_environment`: its least vCPUs all the time, and a share of what jobs may add."""
    values = side.get_values(resource)
    if values.text("type") == "UNMANAGED":
        return []  # its machines are those that join its ECS cluster, each counted where it is
    resources = values.block(_RESOURCES.removesuffix(".0"))
    if not isinstance(resources, Block):
        return make_unknown_machines(_NAME, explain_missing(resources, "compute_resources"))
    kind, kinds, vcpus = resources.text("type"), _list_options(resources), _read_vcpus(resources)
    if kind is UNKNOWN or str(kind).upper().startswith("FARGATE"):
        reason = (
            explain_missing(UNKNOWN, "its type")
            if kind is UNKNOWN
            else "AWS does not say what machines Fargate runs on"
        )
        return make_unknown_machines(_NAME, reason)
    if isinstance(kinds, str):
        return make_unknown_machines(_NAME, kinds)
    if vcpus is None:
        return make_unknown_machines(_NAME, "how many vCPUs it may have is not known until apply")
    template = f"{_RESOURCES}.launch_template.0"
    launched = not is_never_set(resource, template, side)
    first = instances.find(kinds[0].instance_type)
    accelerated = first is not None and first.accelerator is not None
    machines = MachineGroup(
        name=_NAME,
        options=kinds,
        capacity=vcpus,
        spot_share=float(str(kind).upper() == "SPOT"),
        # They are there for jobs, and go with them.
        duty=ONE if accelerated else load_assumptions()["job_cpu_load"],
        volumes=read_template(resource, template, side).volumes if launched else NO_VOLUMES,
    )
    return make_machine_parts(machines, resource, side)


def _list_options(resources: Block) -> tuple[InstanceOption, ...] | str:
    """The types, each for as many vCPUs as it has; of a family that is named alone, one of its sizes stands for all."""
    named = resources.texts("instance_type")
    if named == []:
        return explain_missing(None, "instance_type")
    if named is UNKNOWN or UNKNOWN in named:
        return explain_missing(UNKNOWN, "instance_type")
    found = [
        kind for name in named for family in _FAMILIES.get(str(name), (str(name),)) for kind in _list_sizes(family)
    ]
    return tuple(dict.fromkeys(found)) or f"the catalogue has no instance type {named[0]}"


def _list_sizes(name: str) -> list[InstanceOption]:
    if "." in name:
        found = instances.find(name)
        return [InstanceOption(name, float(found.vcpu) if found is not None else 1.0)]
    # The larger sizes cost as much a vCPU as the smaller ones.
    return [InstanceOption(one.name, float(one.vcpu)) for one in instances.list_family(name)[:1]]


def _read_vcpus(resources: Block) -> Quantity | None:
    least, most = resources.number("min_vcpus"), to_known_number(resources.number("max_vcpus"))
    low = 0.0 if least is None else to_known_number(least)
    if low is None or most is None or most < low:
        return None
    share = load_assumptions()["batch_share"]
    ends = [low + (most - low) * end for end in (share.low, share.central, share.high)]
    return Quantity(ends[0], ends[1], ends[2], share.grade, f"machines, by the {share.text}")
