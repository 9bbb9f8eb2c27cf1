"""Short texts about the parts of a resource: `ml.g4dn.xlarge → ml.g5.xlarge, 1 → 4 instances`."""

from collections.abc import Sequence
from typing import NamedTuple

from sustainable_mlops.catalogue import service_prices
from sustainable_mlops.footprint.activities import (
    Activity,
    FleetActivity,
    JobActivity,
    ServerlessActivity,
    ServiceActivity,
    StorageActivity,
    TransferActivity,
)
from sustainable_mlops.footprint.plan_footprint import PartChange
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import SERVING_KINDS, ResourcePart
from sustainable_mlops.footprint.sizes import describe_size

#: Maximum number of described parts of a resource; further ones are counted.
_MAX_PARTS = 6
_UNKNOWN = "not known"


class PartChangeText(NamedTuple):
    """A text about a part, and whether the part changes; the text is empty if both sides are unknown."""

    text: str
    is_change: bool


class _PartTrait(NamedTuple):
    """One property of a part. Only main properties are included without a change."""

    value: str
    unit: str = ""
    is_main: bool = False

    def describe_change(self, other: "_PartTrait") -> str:
        if self.value != other.value:
            return _add_unit(f"{self.value} → {other.value}", other.unit)
        return _add_unit(other.value, other.unit) if other.is_main else ""


def describe_part_change(change: PartChange) -> PartChangeText:
    """Return a text about a part after the plan, and before it if it changes."""
    before, after = change.before, change.after
    if after is None:
        description = _describe_part(before)
        return PartChangeText(f"{description} → removed" if description else "", True)
    if before is None:
        return PartChangeText(_describe_part(after), True)
    unknown = [part for part in (after, before) if part.activity is None]
    if before.size != after.size and (len(unknown) == 2 or (unknown and before.size and after.size)):
        return PartChangeText(_add_reason(describe_size(before.size, after.size), unknown[0]), True)
    old, new = _list_traits(before), _list_traits(after)
    if type(before.activity) is not type(after.activity):
        return PartChangeText(f"{_describe_part(before) or _UNKNOWN} → {_describe_part(after) or _UNKNOWN}", True)
    if [trait.value for trait in old] == [trait.value for trait in new]:
        return PartChangeText(_describe_part(after), False)
    return PartChangeText(", ".join(filter(None, (a.describe_change(b) for a, b in zip(old, new, strict=True)))), True)


def describe_parts(changes: Sequence[PartChange]) -> tuple[tuple[str, ...], bool]:
    """Return a line per part, and whether any part changes; in that case unchanged parts are left out."""
    descriptions = [
        (part_change.name, *part_text)
        for part_change in changes
        if (part_text := describe_part_change(part_change)).text
    ]
    has_change = any(part_change[2] for part_change in descriptions)
    lines = [
        text if len(changes) == 1 or text.startswith(name) else f"{name}: {text}"
        for name, text, is_change in descriptions
        if is_change or not has_change
    ]
    omitted = (f"and {len(lines) - _MAX_PARTS} more",) if len(lines) > _MAX_PARTS else ()
    return (*lines[:_MAX_PARTS], *omitted), has_change


def _describe_part(part: ResourcePart | None) -> str:
    """Return a text about a part on one side: `ml.g5.xlarge × 1 / 2 / 4`; `serverless, 2048 MB`."""  # noqa: RUF002
    if part is None:
        return ""
    activity = part.activity
    if activity is None and part.size:
        return _add_reason(describe_size(None, part.size), part)
    if not isinstance(activity, FleetActivity | JobActivity):
        return ", ".join(trait.describe_change(trait) for trait in _list_traits(part) if trait.is_main)
    number = _format_quantity(part.count or activity.count)
    start = "asynchronous, " if part.kind == "asynchronous" else ""
    count = f" × {number}" if part.kind in SERVING_KINDS or number != "1" else ""  # noqa: RUF001
    spot = ", spot" if isinstance(activity, JobActivity) and activity.spot else ""
    return f"{start}{_format_types(activity)}{count}{spot}"


def _add_reason(text: str, part: ResourcePart) -> str:
    return f"{text}: {part.unknown.reason}" if part.unknown is not None else text


def _list_traits(part: ResourcePart) -> list[_PartTrait]:
    """Return all properties of a part. Parts of one class have the same properties in the same order."""
    activity = part.activity
    if activity is None:
        return []
    return [*_list_own_traits(part, activity), _PartTrait(activity.region or _UNKNOWN)]


def _list_own_traits(part: ResourcePart, activity: Activity) -> list[_PartTrait]:
    match activity:
        case FleetActivity():
            return _list_fleet_traits(part, activity)
        case JobActivity():
            return _list_job_traits(activity)
        case ServerlessActivity():
            return [
                _PartTrait("serverless", is_main=True),
                _PartTrait(f"{activity.memory_mb}", "MB", is_main=True),
                _PartTrait(_format_quantity(activity.provisioned), "workers kept ready"),
                _PartTrait(
                    "any number" if activity.max_concurrency is None else f"{activity.max_concurrency:g}",
                    "at the same time",
                ),
            ]
        case ServiceActivity():
            unit = service_prices.load_by_item()[activity.item].unit
            item, count = activity.item, _format_quantity(activity.count)
            return [_PartTrait(item, is_main=True), _PartTrait(count, unit, is_main=bool(unit) or count != "1")]
        case StorageActivity():
            storage_class = activity.storage_class
            name = storage_class.replace("_", " ") if storage_class.islower() else storage_class
            return [_PartTrait(name, is_main=True), _PartTrait(_format_quantity(activity.gb), "GB", is_main=True)]
        case TransferActivity():
            return [_PartTrait(_format_quantity(activity.gb), "GB to another Region", is_main=True)]


def _list_fleet_traits(part: ResourcePart, fleet: FleetActivity) -> list[_PartTrait]:
    return [
        _PartTrait(part.kind),
        _PartTrait(_format_types(fleet), is_main=True),
        _PartTrait(_format_quantity(part.count or fleet.count), "instances", is_main=True),
        _PartTrait(_format_quantity(fleet.hours), "h a month" if fleet.runs.central == 1 else "h a run"),
        _PartTrait(f"{fleet.volume_gb:g}", "GB of volume"),
        _PartTrait(_format_quantity(fleet.price_share * 100), "% of the price"),
    ]


def _list_job_traits(job: JobActivity) -> list[_PartTrait]:
    return [
        _PartTrait(_format_types(job), is_main=True),
        _PartTrait(_format_quantity(job.count), "instances", is_main=True),
        _PartTrait("spot" if job.spot else "on demand"),
        _PartTrait(_format_quantity(job.runs), "runs a month"),
        _PartTrait(_format_quantity(job.hours), "h a run"),
        _PartTrait(f"{job.volume_gb:g}", "GB of volume"),
    ]


def _format_types(activity: FleetActivity | JobActivity) -> str:
    """Return the instance type, or all types of a pool in the order of their priority."""
    return " or ".join((activity.instance_type, *activity.fallback_types))


def _format_quantity(quantity: Quantity) -> str:
    """Return the expected number, or minimum / expected / maximum if it is uncertain."""
    numbers = (quantity.central,) if quantity.is_exact else (quantity.low, quantity.central, quantity.high)
    return " / ".join(f"{number:.3g}" if number < 1000 else f"{number:,.0f}" for number in numbers)


def _add_unit(value: str, unit: str) -> str:
    return f"{value} {'instance' if value == '1' and unit == 'instances' else unit}".rstrip()
