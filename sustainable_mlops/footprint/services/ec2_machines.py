"""Machines of EC2, however they are asked for: which type, how many, at what price, with which volumes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from sustainable_mlops.catalogue import instances, prices, storage
from sustainable_mlops.footprint.activities import ALWAYS, HOURS_PER_MONTH, ONE, Fleet, Storage
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.machines import on_spot
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import Part, known, unknown
from sustainable_mlops.footprint.services.plan_side import Side, default, known_number, says
from sustainable_mlops.footprint.usage import OF_TYPE
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure

#: The kind of a part that is machines.
MACHINES = "machines"
#: What EC2 makes a volume whose type nobody says.
_DEFAULT_VOLUME = "gp2"


class Volume(NamedTuple):
    """A volume of each machine."""

    kind: str
    gb: float


class Volumes(NamedTuple):
    """The volumes of each machine, and what is not known of them."""

    known: tuple[Volume, ...] = ()
    left_out: tuple[Unknown, ...] = ()


NO_VOLUMES = Volumes()


class Kind(NamedTuple):
    """An instance type that AWS may take."""

    instance_type: str
    #: What one counts for of the capacity that is asked for.
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Machines:
    """Machines that a resource asks for."""

    #: What they are, for a person: `instance`, `nodes`.
    name: str
    #: The types that AWS may take, the one to expect first.
    kinds: tuple[Kind, ...]
    #: How much capacity: the number of machines where each counts for one.
    capacity: Quantity = ONE
    #: The share of them on spot capacity.
    spot: float = 0.0
    #: What is paid of the price, where they are not on spot.
    paid: Quantity = ONE
    #: Why nobody knows the price, where it is not that of the type.
    unpriced: str = ""
    hours: Quantity = ALWAYS
    #: Share of the time busy; of a machine without an accelerator, its mean CPU load.
    duty: Quantity | None = None
    volumes: Volumes = NO_VOLUMES
    #: Whether the volumes go with the machines when these are off.
    volumes_go: bool = False
    left_out: tuple[Unknown, ...] = ()


def of_machines(machines: Machines, resource: Resource, side: Side) -> list[Part]:
    """The parts: the machines, and their volumes by kind."""
    keys, region, name = side.usage(resource.address), side.region(resource), machines.name
    kinds, not_listed = _known(machines)
    given = keys.get("instances") if "instances" in OF_TYPE[resource.type] else None
    counts = [_number(kind, machines.capacity) for kind in kinds]
    number = given or _between(counts, [1.0] * len(kinds), machines.capacity, "machines, of one type or another")
    count = given or _between(counts, _sizes(kinds), machines.capacity, "machines, by the type that AWS takes")
    hours = keys.get("hours_per_month") or machines.hours
    discount = default(keys, "spot_discount")
    fleet = Fleet(
        instance_type=kinds[0].instance_type,
        region=region,
        count=count,
        hours=hours,
        duty=keys.get("duty") or machines.duty or assumptions()["machine_load"],
        paid=on_spot(discount, machines.spot) if machines.spot else machines.paid,
        unpriced=machines.unpriced,
    )
    left_out = (*machines.left_out, *machines.volumes.left_out, *not_listed)
    part = replace(known(name, MACHINES, fleet, left_out), instances=number)
    kept = number * (hours.central / HOURS_PER_MONTH) if machines.volumes_go else number
    return [part, *(_volumes(machines, kind, kept, region) for kind in dict(machines.volumes.known))]


def unknown_machines(name: str, reason: str) -> list[Part]:
    """Machines of which nobody can tell which they are, or how many."""
    return [unknown(name, MACHINES, reason, whole=True)]


def _volumes(machines: Machines, kind: str, count: Quantity, region: str | None) -> Part:
    gb = sum(volume.gb for volume in machines.volumes.known if volume.kind == kind)
    name = f"volumes ({kind})" if machines.name == "instance" else f"volumes of {machines.name} ({kind})"
    return known(name, "storage", Storage(f"ebs_{kind}", region, count * gb))


def _known(machines: Machines) -> tuple[tuple[Kind, ...], tuple[Unknown, ...]]:
    """The types that the catalogue has; all of them where it has none, of which the part then says why."""
    found = tuple(kind for kind in machines.kinds if instances.find(kind.instance_type) is not None)
    if not found:
        return machines.kinds, ()
    names = [kind.instance_type for kind in machines.kinds if kind not in found]
    notes = [Unknown(machines.name, f"AWS may take {name} too: {instances.why_unknown(name)}") for name in names]
    return found, tuple(notes)


def _number(kind: Kind, capacity: Quantity) -> tuple[float, float, float]:
    """How many of `kind` make up the capacity: whole machines of one that is fixed, else a mean."""
    ends = (capacity.low / kind.weight, capacity.central / kind.weight, capacity.high / kind.weight)
    return (float(ceil(ends[0])),) * 3 if capacity.exact else ends


def _sizes(kinds: Sequence[Kind]) -> list[float]:
    """How much more each is than the first: by price, else by vCPUs."""
    found = [prices.find(kind.instance_type) for kind in kinds]
    usd = [price.usd_per_hour[1] for price in found if price is not None]
    if len(usd) < len(kinds):
        listed = [instances.find(kind.instance_type) for kind in kinds]
        usd = [1.0 if one is None else float(one.vcpu) for one in listed]
    return [one / usd[0] for one in usd]


def _between(
    counts: Sequence[tuple[float, float, float]], sizes: Sequence[float], capacity: Quantity, text: str
) -> Quantity:
    """How many there are of the first type, or of others as large, from the least to the most that any type makes."""
    found = [tuple(end * size for end in count) for count, size in zip(counts, sizes, strict=True)]
    low, central, high = min(one[0] for one in found), found[0][1], max(one[2] for one in found)
    alike = len(set(found)) == 1
    return Quantity(low, central, high, capacity.grade if alike else "C", capacity.text if alike else text)


def on_average(least: float, most: float, text: str) -> Quantity:
    """The mean size of what is scaled between these: a third of the way up, as load is near its valley more often."""
    share = assumptions()["autoscaling_expected"].central
    return Quantity(least, least + (most - least) * share, most, "C", text)


def root_and_others(resource: Resource, values: Block, side: Side, prefix: str = "") -> Volumes:
    """The volumes that `values` gives as an instance does: its root, and others."""
    root, others = values.blocks("root_block_device"), values.blocks("ebs_block_device")
    if root is UNKNOWN and side.joins.configured(resource, f"{prefix}root_block_device") is False:
        root = []
    if others is UNKNOWN and side.joins.configured(resource, f"{prefix}ebs_block_device") is False:
        others = []
    return _of_blocks([*_listed(root), *_listed(others)], has_root=root is not UNKNOWN and bool(root))


def mapped(values: Block) -> Volumes:
    """The volumes that a launch template gives."""
    devices = _listed(values.blocks("block_device_mappings"))
    blocks = [block for device in devices for block in _listed(device.blocks("ebs"))]
    return _of_blocks(blocks, has_root=bool(blocks))


def _listed(blocks: "list[Block] | Unsure") -> list[Block]:
    return [Block(UNKNOWN)] if blocks is UNKNOWN else blocks


def _of_blocks(blocks: Iterable[Block], *, has_root: bool) -> Volumes:
    found: list[Volume] = []
    left_out = [] if has_root else [Unknown("root volume", "its size is the image's, which is not in the plan")]
    for block in blocks:
        volume = volume_of(block, "volume_size", "volume_type")
        if isinstance(volume, Volume):
            found.append(volume)
        else:
            left_out.append(volume)
    return Volumes(tuple(found), tuple(dict.fromkeys(left_out)))


def volume_of(values: Block, size: str, kind: str) -> Volume | Unknown:
    """The volume whose GB is at `size` and whose kind is at `kind`."""
    gb, named = known_number(values.number(size)), values.text(kind)
    if gb is None:
        return Unknown("volume", says(values.number(size), "its size"))
    name = named if isinstance(named, str) and named else _DEFAULT_VOLUME
    if f"ebs_{name}" not in storage.everything():
        return Unknown("volume", f"the catalogue has no volumes of type {name}")
    return Volume(name, gb)
