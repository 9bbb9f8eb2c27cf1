"""What each part of a resource is and becomes, in a few words: `ml.g4dn.xlarge → ml.g5.xlarge, 1 → 4 instances`."""

from collections.abc import Sequence
from typing import NamedTuple

from sustainable_mlops.footprint.activities import (
    Activity,
    FleetActivity,
    JobActivity,
    ServerlessActivity,
    StorageActivity,
    TransferActivity,
)
from sustainable_mlops.footprint.plan_footprint import PartChange
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import SERVING_KINDS, ResourcePart

#: More parts of a resource than these are counted.
_MOST = 6
_NOT_KNOWN = "not known"


class PartChangeText(NamedTuple):
    """What a part is, or what becomes of it; empty where nobody knows either side."""

    text: str
    is_change: bool


class _PartTrait(NamedTuple):
    """Something that can be said of a part; what is not `main` only where it changes."""

    value: str
    unit: str = ""
    is_main: bool = False

    def describe_change(self, other: "_PartTrait") -> str:
        if self.value != other.value:
            return _with_unit(f"{self.value} → {other.value}", other.unit)
        return _with_unit(other.value, other.unit) if other.is_main else ""


def describe_part_change(change: PartChange) -> PartChangeText:
    """What one part is after the plan, and what it was before where that is something else."""
    before, after = change.before, change.after
    if after is None:
        gone = _is(before)
        return PartChangeText(f"{gone} → gone" if gone else "", True)
    if before is None:
        return PartChangeText(_is(after), True)
    old, new = _traits(before), _traits(after)
    if type(before.activity) is not type(after.activity):
        return PartChangeText(f"{_is(before) or _NOT_KNOWN} → {_is(after) or _NOT_KNOWN}", True)
    if [trait.value for trait in old] == [trait.value for trait in new]:
        return PartChangeText(_is(after), False)
    return PartChangeText(", ".join(filter(None, (a.describe_change(b) for a, b in zip(old, new, strict=True)))), True)


def describe_parts(changes: Sequence[PartChange]) -> tuple[tuple[str, ...], bool]:
    """What becomes of a resource, a line a part, and whether any changes: then those that do not are left out."""
    told = [(one.name, *found) for one in changes if (found := describe_part_change(one)).text]
    differs = any(one[2] for one in told)
    kept = [
        text if len(changes) == 1 or text.startswith(name) else f"{name}: {text}"
        for name, text, its in told
        if its or not differs
    ]
    more = (f"and {len(kept) - _MOST} more",) if len(kept) > _MOST else ()
    return (*kept[:_MOST], *more), differs


def _is(part: ResourcePart | None) -> str:
    """A part on one side: `ml.g5.xlarge × 1 / 2 / 4`; `serverless, 2048 MB`."""  # noqa: RUF002
    if part is None:
        return ""
    activity = part.activity
    if not isinstance(activity, FleetActivity | JobActivity):
        return ", ".join(trait.describe_change(trait) for trait in _traits(part) if trait.is_main)
    number = _number(part.count or activity.count)
    start = "asynchronous, " if part.kind == "asynchronous" else ""
    count = f" × {number}" if part.kind in SERVING_KINDS or number != "1" else ""  # noqa: RUF001
    return f"{start}{activity.instance_type}{count}{', spot' if isinstance(activity, JobActivity) and activity.spot else ''}"


def _traits(part: ResourcePart) -> list[_PartTrait]:
    """All that may be said of a part; of two of one class the same in the same order."""
    activity = part.activity
    if activity is None:
        return []
    return [*_own(part, activity), _PartTrait(activity.region or _NOT_KNOWN)]


def _own(part: ResourcePart, activity: Activity) -> list[_PartTrait]:
    match activity:
        case FleetActivity():
            return _of_fleet(part, activity)
        case JobActivity():
            return _of_job(activity)
        case ServerlessActivity():
            return [
                _PartTrait("serverless", main=True),
                _PartTrait(f"{activity.memory_mb}", "MB", main=True),
                _PartTrait(_number(activity.provisioned), "workers kept ready"),
                _PartTrait(
                    "any number" if activity.max_concurrency is None else f"{activity.max_concurrency:g}",
                    "at the same time",
                ),
            ]
        case StorageActivity():
            kept = activity.storage_class
            name = kept.replace("_", " ") if kept.islower() else kept
            return [_PartTrait(name, main=True), _PartTrait(_number(activity.gb), "GB", main=True)]
        case TransferActivity():
            return [_PartTrait(_number(activity.gb), "GB to another Region", main=True)]


def _of_fleet(part: ResourcePart, fleet: FleetActivity) -> list[_PartTrait]:
    return [
        _PartTrait(part.kind),
        _PartTrait(fleet.instance_type, main=True),
        _PartTrait(_number(part.count or fleet.count), "instances", main=True),
        _PartTrait(_number(fleet.hours), "h a month" if fleet.runs.central == 1 else "h a run"),
        _PartTrait(f"{fleet.volume_gb:g}", "GB of volume"),
        _PartTrait(_number(fleet.price_share * 100), "% of the price"),
    ]


def _of_job(job: JobActivity) -> list[_PartTrait]:
    return [
        _PartTrait(job.instance_type, main=True),
        _PartTrait(_number(job.count), "instances", main=True),
        _PartTrait("spot" if job.spot else "on demand"),
        _PartTrait(_number(job.runs), "runs a month"),
        _PartTrait(_number(job.hours), "h a run"),
        _PartTrait(f"{job.volume_gb:g}", "GB of volume"),
    ]


def _number(quantity: Quantity) -> str:
    """A number; of one that is not certain: least / expected / most."""
    numbers = (quantity.central,) if quantity.is_exact else (quantity.low, quantity.central, quantity.high)
    return " / ".join(f"{number:.3g}" if number < 1000 else f"{number:,.0f}" for number in numbers)


def _with_unit(value: str, unit: str) -> str:
    return f"{value} {'instance' if value == '1' and unit == 'instances' else unit}".rstrip()
