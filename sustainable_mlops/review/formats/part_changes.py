"""What each part of a resource is and becomes, in a few words: `ml.g4dn.xlarge → ml.g5.xlarge, 1 → 4 instances`."""

from collections.abc import Sequence
from typing import NamedTuple

from sustainable_mlops.footprint.activities import Activity, Fleet, Job, Serverless, Storage, Transfer
from sustainable_mlops.footprint.plan_footprint import Change
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import SERVING, Part

#: More parts of a resource than these are counted.
_MOST = 6
_NOT_KNOWN = "not known"


class Became(NamedTuple):
    """What a part is, or what becomes of it; empty where nobody knows either side."""

    text: str
    differs: bool


class _Trait(NamedTuple):
    """Something that can be said of a part; what is not `main` only where it changes."""

    value: str
    unit: str = ""
    main: bool = False

    def then(self, other: "_Trait") -> str:
        if self.value != other.value:
            return _with_unit(f"{self.value} → {other.value}", other.unit)
        return _with_unit(other.value, other.unit) if other.main else ""


def became(change: Change) -> Became:
    """What one part is after the plan, and what it was before where that is something else."""
    before, after = change.before, change.after
    if after is None:
        gone = _is(before)
        return Became(f"{gone} → gone" if gone else "", True)
    if before is None:
        return Became(_is(after), True)
    old, new = _traits(before), _traits(after)
    if type(before.activity) is not type(after.activity):
        return Became(f"{_is(before) or _NOT_KNOWN} → {_is(after) or _NOT_KNOWN}", True)
    if [trait.value for trait in old] == [trait.value for trait in new]:
        return Became(_is(after), False)
    return Became(", ".join(filter(None, (a.then(b) for a, b in zip(old, new, strict=True)))), True)


def lines(changes: Sequence[Change]) -> tuple[tuple[str, ...], bool]:
    """What becomes of a resource, a line a part, and whether any changes: then those that do not are left out."""
    told = [(one.name, *found) for one in changes if (found := became(one)).text]
    differs = any(one[2] for one in told)
    kept = [
        text if len(changes) == 1 or text.startswith(name) else f"{name}: {text}"
        for name, text, its in told
        if its or not differs
    ]
    more = (f"and {len(kept) - _MOST} more",) if len(kept) > _MOST else ()
    return (*kept[:_MOST], *more), differs


def _is(part: Part | None) -> str:
    """A part on one side: `ml.g5.xlarge × 1 / 2 / 4`; `serverless, 2048 MB`."""  # noqa: RUF002
    if part is None:
        return ""
    activity = part.activity
    if not isinstance(activity, Fleet | Job):
        return ", ".join(trait.then(trait) for trait in _traits(part) if trait.main)
    number = _number(part.count or activity.count)
    start = "asynchronous, " if part.kind == "asynchronous" else ""
    count = f" × {number}" if part.kind in SERVING or number != "1" else ""  # noqa: RUF001
    return f"{start}{activity.instance_type}{count}{', spot' if isinstance(activity, Job) and activity.spot else ''}"


def _traits(part: Part) -> list[_Trait]:
    """All that may be said of a part; of two of one class the same in the same order."""
    activity = part.activity
    if activity is None:
        return []
    return [*_own(part, activity), _Trait(activity.region or _NOT_KNOWN)]


def _own(part: Part, activity: Activity) -> list[_Trait]:
    match activity:
        case Fleet():
            return _of_fleet(part, activity)
        case Job():
            return _of_job(activity)
        case Serverless():
            return [
                _Trait("serverless", main=True),
                _Trait(f"{activity.memory_mb}", "MB", main=True),
                _Trait(_number(activity.provisioned), "workers kept ready"),
                _Trait("any number" if activity.at_once is None else f"{activity.at_once:g}", "at the same time"),
            ]
        case Storage():
            kept = activity.storage_class
            name = kept.replace("_", " ") if kept.islower() else kept
            return [_Trait(name, main=True), _Trait(_number(activity.gb), "GB", main=True)]
        case Transfer():
            return [_Trait(_number(activity.gb), "GB to another Region", main=True)]


def _of_fleet(part: Part, fleet: Fleet) -> list[_Trait]:
    return [
        _Trait(part.kind),
        _Trait(fleet.instance_type, main=True),
        _Trait(_number(part.count or fleet.count), "instances", main=True),
        _Trait(_number(fleet.hours), "h a month" if fleet.runs.central == 1 else "h a run"),
        _Trait(f"{fleet.volume_gb:g}", "GB of volume"),
        _Trait(_number(fleet.paid * 100), "% of the price"),
    ]


def _of_job(job: Job) -> list[_Trait]:
    return [
        _Trait(job.instance_type, main=True),
        _Trait(_number(job.count), "instances", main=True),
        _Trait("spot" if job.spot else "on demand"),
        _Trait(_number(job.runs), "runs a month"),
        _Trait(_number(job.hours), "h a run"),
        _Trait(f"{job.volume_gb:g}", "GB of volume"),
    ]


def _number(quantity: Quantity) -> str:
    """A number; of one that is not certain: least / expected / most."""
    numbers = (quantity.central,) if quantity.exact else (quantity.low, quantity.central, quantity.high)
    return " / ".join(f"{number:.3g}" if number < 1000 else f"{number:,.0f}" for number in numbers)


def _with_unit(value: str, unit: str) -> str:
    return f"{value} {'instance' if value == '1' and unit == 'instances' else unit}".rstrip()
