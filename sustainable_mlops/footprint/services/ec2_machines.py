"""Machines of EC2, however they are asked for: which type, how many, at what price, with which volumes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from sustainable_mlops.catalogue import instances, prices, storage
from sustainable_mlops.footprint.activities import ALWAYS, HOURS_PER_MONTH, ONE, FleetActivity, StorageActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.machines import compute_spot_price_share
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import (
    PlanSide,
    explain_missing,
    get_usage_or_default,
    to_known_number,
)
from sustainable_mlops.footprint.usage import KEYS_BY_TYPE
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure

#: The kind of a part that is machines.
MACHINES_KIND = "machines"
#: What EC2 makes a volume whose type nobody says.
_DEFAULT_VOLUME = "gp2"


class MachineVolume(NamedTuple):
    """A volume of each machine."""

    kind: str
    gb: float


class MachineVolumes(NamedTuple):
    """The volumes of each machine, and what is not known of them."""

    volumes: tuple[MachineVolume, ...] = ()
    omissions: tuple[UnknownItem, ...] = ()


NO_VOLUMES = MachineVolumes()


class InstanceOption(NamedTuple):
    """An instance type that AWS may take."""

    instance_type: str
    #: What one counts for of the capacity that is asked for.
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class MachineGroup:
    """Machines that a resource asks for."""

    #: What they are, for a person: `instance`, `nodes`.
    name: str
    #: The types that AWS may take, the one to expect first.
    options: tuple[InstanceOption, ...]
    #: How much capacity: the number of machines where each counts for one.
    capacity: Quantity = ONE
    #: The share of them on spot capacity.
    spot_share: float = 0.0
    #: What is paid of the price, where they are not on spot.
    price_share: Quantity = ONE
    #: Why nobody knows the price, where it is not that of the type.
    unpriced_reason: str = ""
    hours: Quantity = ALWAYS
    #: Share of the time busy; of a machine without an accelerator, its mean CPU load.
    duty: Quantity | None = None
    volumes: MachineVolumes = NO_VOLUMES
    #: Whether the volumes go with the machines when these are off.
    has_volumes_only_when_on: bool = False
    omissions: tuple[UnknownItem, ...] = ()


def make_machine_parts(machines: MachineGroup, resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """The parts: the machines, and their volumes by kind."""
    keys, region, name = side.get_usage(resource.address), side.find_region(resource), machines.name
    kinds, not_listed = _split_options(machines)
    given = keys.get("instances") if "instances" in KEYS_BY_TYPE[resource.type] else None
    counts = [_count_machines(kind, machines.capacity) for kind in kinds]
    number = given or _span_counts(counts, [1.0] * len(kinds), machines.capacity, "machines, of one type or another")
    count = given or _span_counts(
        counts, _compare_sizes(kinds), machines.capacity, "machines, by the type that AWS takes"
    )
    hours = keys.get("hours_per_month") or machines.hours
    discount = get_usage_or_default(keys, "spot_discount")
    fleet = FleetActivity(
        instance_type=kinds[0].instance_type,
        region=region,
        count=count,
        hours=hours,
        duty=keys.get("duty") or machines.duty or load_assumptions()["machine_load"],
        price_share=compute_spot_price_share(discount, machines.spot_share)
        if machines.spot_share
        else machines.price_share,
        unpriced_reason=machines.unpriced_reason,
    )
    left_out = (*machines.omissions, *machines.volumes.omissions, *not_listed)
    part = replace(make_part(name, MACHINES_KIND, fleet, left_out), instances=number)
    kept = number * (hours.central / HOURS_PER_MONTH) if machines.has_volumes_only_when_on else number
    return [part, *(_make_volume_part(machines, kind, kept, region) for kind in dict(machines.volumes.volumes))]


def make_unknown_machines(name: str, reason: str) -> list[ResourcePart]:
    """Machines of which nobody can tell which they are, or how many."""
    return [make_unknown_part(name, MACHINES_KIND, reason, is_whole_resource=True)]


def _make_volume_part(machines: MachineGroup, kind: str, count: Quantity, region: str | None) -> ResourcePart:
    gb = sum(volume.gb for volume in machines.volumes.volumes if volume.kind == kind)
    name = f"volumes ({kind})" if machines.name == "instance" else f"volumes of {machines.name} ({kind})"
    return make_part(name, "storage", StorageActivity(f"ebs_{kind}", region, count * gb))


def _split_options(machines: MachineGroup) -> tuple[tuple[InstanceOption, ...], tuple[UnknownItem, ...]]:
    """The types that the catalogue has; all of them where it has none, of which the part then says why."""
    found = tuple(kind for kind in machines.options if instances.find(kind.instance_type) is not None)
    if not found:
        return machines.options, ()
    names = [kind.instance_type for kind in machines.options if kind not in found]
    notes = [
        UnknownItem(machines.name, f"AWS may take {name} too: {instances.explain_unknown(name)}") for name in names
    ]
    return found, tuple(notes)


def _count_machines(kind: InstanceOption, capacity: Quantity) -> tuple[float, float, float]:
    """How many of `kind` make up the capacity: whole machines of one that is fixed, else a mean."""
    ends = (capacity.low / kind.weight, capacity.central / kind.weight, capacity.high / kind.weight)
    return (float(ceil(ends[0])),) * 3 if capacity.is_exact else ends


def _compare_sizes(kinds: Sequence[InstanceOption]) -> list[float]:
    """How much more each is than the first: by price, else by vCPUs."""
    found = [prices.find(kind.instance_type) for kind in kinds]
    usd = [price.usd_per_hour[1] for price in found if price is not None]
    if len(usd) < len(kinds):
        listed = [instances.find(kind.instance_type) for kind in kinds]
        usd = [1.0 if one is None else float(one.vcpu) for one in listed]
    return [one / usd[0] for one in usd]


def _span_counts(
    counts: Sequence[tuple[float, float, float]], sizes: Sequence[float], capacity: Quantity, text: str
) -> Quantity:
    """How many there are of the first type, or of others as large, from the least to the most that any type makes."""
    found = [tuple(end * size for end in count) for count, size in zip(counts, sizes, strict=True)]
    low, central, high = min(one[0] for one in found), found[0][1], max(one[2] for one in found)
    alike = len(set(found)) == 1
    return Quantity(low, central, high, capacity.grade if alike else "C", capacity.text if alike else text)


def average_size(least: float, most: float, text: str) -> Quantity:
    """The mean size of what is scaled between these: a third of the way up, as load is near its valley more often."""
    share = load_assumptions()["autoscaling_expected"].central
    return Quantity(least, least + (most - least) * share, most, "C", text)


def read_instance_volumes(resource: Resource, values: Block, side: PlanSide, prefix: str = "") -> MachineVolumes:
    """The volumes that `values` gives as an instance does: its root, and others."""
    root, others = values.blocks("root_block_device"), values.blocks("ebs_block_device")
    if root is UNKNOWN and side.joins.is_configured(resource, f"{prefix}root_block_device") is False:
        root = []
    if others is UNKNOWN and side.joins.is_configured(resource, f"{prefix}ebs_block_device") is False:
        others = []
    return _read_blocks([*_list_blocks(root), *_list_blocks(others)], has_root=root is not UNKNOWN and bool(root))


def read_template_volumes(values: Block) -> MachineVolumes:
    """The volumes that a launch template gives."""
    devices = _list_blocks(values.blocks("block_device_mappings"))
    blocks = [block for device in devices for block in _list_blocks(device.blocks("ebs"))]
    return _read_blocks(blocks, has_root=bool(blocks))


def _list_blocks(blocks: "list[Block] | Unsure") -> list[Block]:
    return [Block(UNKNOWN)] if blocks is UNKNOWN else blocks


def _read_blocks(blocks: Iterable[Block], *, has_root: bool) -> MachineVolumes:
    found: list[MachineVolume] = []
    left_out = [] if has_root else [UnknownItem("root volume", "its size is the image's, which is not in the plan")]
    for block in blocks:
        volume = read_volume(block, "volume_size", "volume_type")
        if isinstance(volume, MachineVolume):
            found.append(volume)
        else:
            left_out.append(volume)
    return MachineVolumes(tuple(found), tuple(dict.fromkeys(left_out)))


def read_volume(values: Block, size: str, kind: str) -> MachineVolume | UnknownItem:
    """The volume whose GB is at `size` and whose kind is at `kind`."""
    gb, named = to_known_number(values.number(size)), values.text(kind)
    if gb is None:
        return UnknownItem("volume", explain_missing(values.number(size), "its size"))
    name = named if isinstance(named, str) and named else _DEFAULT_VOLUME
    if f"ebs_{name}" not in storage.load_all():
        return UnknownItem("volume", f"the catalogue has no volumes of type {name}")
    return MachineVolume(name, gb)
