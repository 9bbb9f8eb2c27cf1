"""Compute environments of AWS Batch."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.activities import ONE
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import Part
from sustainable_mlops.footprint.services.ec2_machines import NO_VOLUMES, Kind, Machines, of_machines, unknown_machines
from sustainable_mlops.footprint.services.launch_templates import of_template
from sustainable_mlops.footprint.services.plan_side import Side, known_number, never_set, says
from sustainable_mlops.plan import UNKNOWN, Block, Resource

#: What Batch takes for a name that stands for several families (API reference of Batch, ComputeResource; `optimal` is
#: `default_x86_64` since November 2025).
_X86 = ("m6i", "c6i", "r6i", "c7i")
_FAMILIES = {"optimal": _X86, "default_x86_64": _X86, "default_arm64": ("m6g", "c6g", "r6g", "c7g")}
_RESOURCES = "compute_resources.0"
_NAME = "machines"


def of_environment(resource: Resource, side: Side) -> list[Part]:
    """`aws_batch_compute_environment`: its least vCPUs all the time, and a share of what jobs may add."""
    values = side.values(resource)
    if values.text("type") == "UNMANAGED":
        return []  # its machines are those that join its ECS cluster, each counted where it is
    resources = values.block(_RESOURCES.removesuffix(".0"))
    if not isinstance(resources, Block):
        return unknown_machines(_NAME, says(resources, "compute_resources"))
    kind, kinds, vcpus = resources.text("type"), _kinds(resources), _vcpus(resources)
    if kind is UNKNOWN or str(kind).upper().startswith("FARGATE"):
        reason = says(UNKNOWN, "its type") if kind is UNKNOWN else "AWS does not say what machines Fargate runs on"
        return unknown_machines(_NAME, reason)
    if isinstance(kinds, str):
        return unknown_machines(_NAME, kinds)
    if vcpus is None:
        return unknown_machines(_NAME, "how many vCPUs it may have is not known until apply")
    template = f"{_RESOURCES}.launch_template.0"
    launched = not never_set(resource, template, side)
    first = instances.find(kinds[0].instance_type)
    accelerated = first is not None and first.accelerator is not None
    machines = Machines(
        name=_NAME,
        kinds=kinds,
        capacity=vcpus,
        spot=float(str(kind).upper() == "SPOT"),
        # They are there for jobs, and go with them.
        duty=ONE if accelerated else assumptions()["job_cpu_load"],
        volumes=of_template(resource, template, side).volumes if launched else NO_VOLUMES,
    )
    return of_machines(machines, resource, side)


def _kinds(resources: Block) -> tuple[Kind, ...] | str:
    """The types, each for as many vCPUs as it has; of a family that is named alone, one of its sizes stands for all."""
    named = resources.texts("instance_type")
    if named == []:
        return says(None, "instance_type")
    if named is UNKNOWN or UNKNOWN in named:
        return says(UNKNOWN, "instance_type")
    found = [kind for name in named for family in _FAMILIES.get(str(name), (str(name),)) for kind in _sizes(family)]
    return tuple(dict.fromkeys(found)) or f"the catalogue has no instance type {named[0]}"


def _sizes(name: str) -> list[Kind]:
    if "." in name:
        found = instances.find(name)
        return [Kind(name, float(found.vcpu) if found is not None else 1.0)]
    # The larger sizes cost as much a vCPU as the smaller ones.
    return [Kind(one.name, float(one.vcpu)) for one in instances.of_family(name)[:1]]


def _vcpus(resources: Block) -> Quantity | None:
    least, most = resources.number("min_vcpus"), known_number(resources.number("max_vcpus"))
    low = 0.0 if least is None else known_number(least)
    if low is None or most is None or most < low:
        return None
    share = assumptions()["batch_share"]
    ends = [low + (most - low) * end for end in (share.low, share.central, share.high)]
    return Quantity(ends[0], ends[1], ends[2], share.grade, f"machines, by the {share.text}")
