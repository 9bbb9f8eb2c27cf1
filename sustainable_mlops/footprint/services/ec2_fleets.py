"""EC2 instances of every kind of request: types, number, price and volumes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, inf
from typing import NamedTuple

from sustainable_mlops.catalogue import instances, prices, storage
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.catalogue.tables import Grade
from sustainable_mlops.footprint.activities import ALWAYS, ONE, FleetActivity, StorageActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.instance_calculations import compute_spot_price_share
from sustainable_mlops.footprint.quantities import Quantity, make_bounded
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.fixed_prices import make_service_part
from sustainable_mlops.footprint.services.plan_side import (
    PlanSide,
    explain_missing,
    get_usage_or_default,
    to_known_number,
)
from sustainable_mlops.footprint.usage import KEYS_BY_TYPE
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure

#: Kind of a part that consists of instances.
INSTANCES_KIND = "instances"
#: Default volume type of EC2.
_DEFAULT_VOLUME = "gp2"


class InstanceVolume(NamedTuple):
    """A volume of each instance."""

    kind: str
    gb: float
    iops: float = 0.0
    #: MiB a second.
    throughput: float = 0.0


#: Prices of IOPS by volume type: the number of IOPS above which each applies.
_IOPS_PRICES = {
    "gp3": ((3000.0, "IOPS of gp3 above 3000"),),
    "io1": ((0.0, "IOPS of io1"),),
    "io2": ((0.0, "IOPS of io2"), (32000.0, "IOPS of io2 above 32000"), (64000.0, "IOPS of io2 above 64000")),
}


class InstanceVolumes(NamedTuple):
    """The volumes of each instance, and their unknown items."""

    volumes: tuple[InstanceVolume, ...] = ()
    omissions: tuple[UnknownItem, ...] = ()


NO_VOLUMES = InstanceVolumes()


class InstanceOption(NamedTuple):
    """An instance type that AWS may choose."""

    instance_type: str
    #: Units of the requested capacity that one instance provides.
    weight: float = 1.0


class InstanceGroup(NamedTuple):
    """Instances that a resource requests."""

    #: Title for a reader: `instance`, `nodes`.
    name: str
    #: Types that AWS may choose, the expected one first.
    options: tuple[InstanceOption, ...]
    #: Requested capacity: the number of instances if each has the weight 1.
    capacity: Quantity = ONE
    #: Share of the instances on spot capacity.
    spot_share: float = 0.0
    #: Paid share of the price of instances that are not on spot capacity.
    price_share: Quantity = ONE
    #: Reason why the price is unknown; empty if it is the price of the instance type.
    unpriced_reason: str = ""
    hours: Quantity = ALWAYS
    #: Busy share of the time; the mean CPU load of an instance without an accelerator.
    duty: Quantity | None = None
    volumes: InstanceVolumes = NO_VOLUMES
    #: True if the volumes exist only while the instances are on.
    has_volumes_only_when_on: bool = False
    omissions: tuple[UnknownItem, ...] = ()


def make_instance_parts(group: InstanceGroup, resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the instances, and their volumes by type, as parts."""
    keys, region, name = side.get_usage(resource.address), side.find_region(resource), group.name
    kinds, unlisted_types = _split_options(group)
    given_count = keys.get("instances") if "instances" in KEYS_BY_TYPE[resource.type] else None
    counts = [_count_instances(kind, group.capacity) for kind in kinds]
    number = given_count or _span_counts(
        counts, [1.0] * len(kinds), group.capacity, "instances, by the type that AWS chooses"
    )
    count = given_count or _span_counts(
        counts, _compare_sizes(kinds), group.capacity, "instances of the first type, by the type that AWS chooses"
    )
    hours = keys.get("hours_per_month") or group.hours
    discount = get_usage_or_default(keys, "spot_discount")
    fleet = FleetActivity(
        instance_type=kinds[0].instance_type,
        region=region,
        count=count,
        hours=hours,
        duty=keys.get("duty") or group.duty or load_assumptions()["instance_load"],
        price_share=compute_spot_price_share(discount, group.spot_share) if group.spot_share else group.price_share,
        unpriced_reason=group.unpriced_reason,
    )
    left_out = (*group.omissions, *group.volumes.omissions, *unlisted_types)
    part = make_part(name, INSTANCES_KIND, fleet, left_out)._replace(instances=number)
    volume_count = number * (hours.central / HOURS_PER_MONTH) if group.has_volumes_only_when_on else number
    volumes = group.volumes.volumes
    kinds_of_volumes = dict.fromkeys(volume.kind for volume in volumes)
    return [
        part,
        *(_make_volume_part(group, kind, volume_count, region) for kind in kinds_of_volumes),
        *make_performance_parts(volumes, volume_count, region),
    ]


def make_unknown_instances(name: str, reason: str) -> list[ResourcePart]:
    """Return one part for instances whose type or number is unknown."""
    return [make_unknown_part(name, INSTANCES_KIND, reason, is_whole_resource=True)]


def _make_volume_part(group: InstanceGroup, kind: str, count: Quantity, region: str | None) -> ResourcePart:
    gb = sum(volume.gb for volume in group.volumes.volumes if volume.kind == kind)
    name = f"volumes ({kind})" if group.name == "instance" else f"volumes of {group.name} ({kind})"
    return make_part(name, "storage", StorageActivity(f"ebs_{kind}", region, count * gb))


def make_performance_parts(
    volumes: Iterable[InstanceVolume], count: Quantity, region: str | None
) -> list[ResourcePart]:
    """Return the billed IOPS and throughput of the volumes, `count` times."""
    units: defaultdict[str, float] = defaultdict(float)
    for volume in volumes:
        steps = _IOPS_PRICES.get(volume.kind, ())
        for (start, item), (end, _) in pairwise((*steps, (inf, ""))):
            units[item] += max(min(volume.iops, end) - start, 0.0)
        if volume.kind == "gp3":
            units["MiB/s of gp3 above 125"] += max(volume.throughput - 125.0, 0.0)
    return [make_service_part(item, region, count * number) for item, number in units.items() if number]


def _split_options(group: InstanceGroup) -> tuple[tuple[InstanceOption, ...], tuple[UnknownItem, ...]]:
    """Return the types in the catalogue, and a note for each other type.

    If the catalogue has none of them, return all types without notes.
    """
    known_options = tuple(kind for kind in group.options if instances.find(kind.instance_type) is not None)
    if not known_options:
        return group.options, ()
    names = [kind.instance_type for kind in group.options if kind not in known_options]
    notes = [UnknownItem(group.name, f"AWS may choose {name} too: {instances.explain_unknown(name)}") for name in names]
    return known_options, tuple(notes)


def _count_instances(kind: InstanceOption, capacity: Quantity) -> tuple[float, float, float]:
    """Return the number of instances that provide the capacity: a whole number if it is fixed, else a mean."""
    ends = (capacity.low / kind.weight, capacity.central / kind.weight, capacity.high / kind.weight)
    return (float(ceil(ends[0])),) * 3 if capacity.is_exact else ends


def _compare_sizes(kinds: Sequence[InstanceOption]) -> list[float]:
    """Return the size of each type relative to the first: by price, else by vCPUs."""
    type_prices = [prices.find(kind.instance_type) for kind in kinds]
    usd = [price.usd_per_hour[1] for price in type_prices if price is not None]
    if len(usd) < len(kinds):
        instance_types = [instances.find(kind.instance_type) for kind in kinds]
        usd = [1.0 if one is None else float(one.vcpu) for one in instance_types]
    return [one / usd[0] for one in usd]


def _span_counts(
    counts: Sequence[tuple[float, float, float]], sizes: Sequence[float], capacity: Quantity, text: str
) -> Quantity:
    """Return the number of instances, as large as the first type, from the minimum to the maximum over all types."""
    scaled_counts = [tuple(end * size for end in count) for count, size in zip(counts, sizes, strict=True)]
    low, central, high = min(one[0] for one in scaled_counts), scaled_counts[0][1], max(one[2] for one in scaled_counts)
    are_equal = len(set(scaled_counts)) == 1
    grade: Grade = capacity.grade if are_equal else "C"
    return make_bounded(low, central, high, capacity.text if are_equal else text, grade, "instances")


def estimate_average_size(least: float, most: float, text: str) -> Quantity:
    """Return the mean size between two limits.

    It is a third of the way up, because the load is near its valley more often than near its peak.
    """
    share = load_assumptions()["autoscaling_expected"].central
    return make_bounded(least, least + (most - least) * share, most, text, unit="instances")


def read_instance_volumes(resource: Resource, values: Block, side: PlanSide, prefix: str = "") -> InstanceVolumes:
    """Return the volumes of the attributes of an instance: its root volume and others."""
    root, others = values.blocks("root_block_device"), values.blocks("ebs_block_device")
    if root is UNKNOWN and side.joins.is_configured(resource, f"{prefix}root_block_device") is False:
        root = []
    if others is UNKNOWN and side.joins.is_configured(resource, f"{prefix}ebs_block_device") is False:
        others = []
    return _read_blocks([*_list_blocks(root), *_list_blocks(others)], has_root=root is not UNKNOWN and bool(root))


def read_template_volumes(values: Block) -> InstanceVolumes:
    """Return the volumes of a launch template."""
    devices = _list_blocks(values.blocks("block_device_mappings"))
    blocks = [block for device in devices for block in _list_blocks(device.blocks("ebs"))]
    return _read_blocks(blocks, has_root=bool(blocks))


def _list_blocks(blocks: "list[Block] | Unsure") -> list[Block]:
    return [Block(UNKNOWN)] if blocks is UNKNOWN else blocks


def _read_blocks(blocks: Iterable[Block], *, has_root: bool) -> InstanceVolumes:
    volumes: list[InstanceVolume] = []
    left_out = (
        [] if has_root else [UnknownItem("root volume", "its size is that of the image, which is not in the plan")]
    )
    for block in blocks:
        volume = read_volume(block, "volume_size", "volume_type")
        if isinstance(volume, InstanceVolume):
            volumes.append(volume)
        else:
            left_out.append(volume)
    return InstanceVolumes(tuple(volumes), tuple(dict.fromkeys(left_out)))


def read_volume(values: Block, size: str, kind: str) -> InstanceVolume | UnknownItem:
    """Return the volume with its GB at the attribute `size` and its type at the attribute `kind`."""
    gb, volume_type = to_known_number(values.number(size)), values.text(kind)
    if gb is None:
        return UnknownItem("volume", explain_missing(values.number(size), "its size"))
    name = volume_type if isinstance(volume_type, str) and volume_type else _DEFAULT_VOLUME
    if f"ebs_{name}" not in storage.load_all():
        return UnknownItem("volume", f"the catalogue has no volumes of type {name}")
    iops, throughput = (_read_performance(values, one, name) for one in ("iops", "throughput"))
    if iops is None or throughput is None:
        return UnknownItem("volume", f"its {'IOPS are' if iops is None else 'throughput is'} not known until apply")
    return InstanceVolume(name, gb, iops, throughput)


def _read_performance(values: Block, attribute: str, volume_type: str) -> float | None:
    """Return the provisioned IOPS or throughput; None if it is billed and unknown.

    AWS fills in the included performance of gp3 if the configuration does not set it.
    """
    value = values.number(attribute)
    if value is UNKNOWN and volume_type in ("io1", "io2") and attribute == "iops":
        return None
    return to_known_number(value) or 0.0
