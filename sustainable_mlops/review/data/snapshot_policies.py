"""Policies of the Data Lifecycle Manager: do they make fewer snapshots, or keep them for a shorter time?

https://docs.aws.amazon.com/dlm/latest/APIReference/API_PolicyDetails.html
"""

from collections.abc import Iterator
from math import inf
from typing import Any

from sustainable_mlops.review.data.weakening import get_blocks, get_number, get_scalar, is_drastic_cut, loses_items


def makes_fewer_snapshots(old: Any, new: Any) -> bool:
    """What a policy of the Data Lifecycle Manager says of snapshots: of less, at other times, or kept for less."""
    if any(loses_items([*_tags(old, name)], [*_tags(new, name)]) for name in ("resource_types", "target_tags")):
        return True
    after = {get_scalar(one, "name"): one for one in _schedules(new)}
    return any(
        _times(after.get(name)) != _times(schedule) or _span(after.get(name)) < _span(schedule)
        for schedule in _schedules(old)
        for name in (get_scalar(schedule, "name"),)
    )


def cuts_snapshots(old: Any, new: Any) -> bool:
    """Of one of its schedules, practically all snapshots are deleted at once."""
    after = {get_scalar(one, "name"): one for one in _schedules(new)}
    pairs = ((schedule, after.get(get_scalar(schedule, "name"))) for schedule in _schedules(old))
    return any(one is not None and is_drastic_cut(_span(former), _span(one)) for former, one in pairs)


def _tags(details: Any, name: str) -> Iterator[str]:
    found = details.get(name) if isinstance(details, dict) else None
    if isinstance(found, dict):
        yield from (f"{key}={value}" for key, value in found.items())
    elif isinstance(found, list):
        yield from map(str, found)


def _schedules(details: Any) -> list[dict[str, Any]]:
    """The schedules; a default policy, which has none, is one itself."""
    found = get_blocks(details.get("schedule")) if isinstance(details, dict) else []
    return found or ([details] if isinstance(details, dict) else [])


def _rule(schedule: Any, name: str) -> dict[str, Any]:
    found = get_blocks(schedule.get(name)) if isinstance(schedule, dict) else []
    return found[0] if found else {}


def _times(schedule: Any) -> list[Any]:
    """When a schedule makes snapshots."""
    rule = _rule(schedule, "create_rule")
    times = rule.get("times")
    return [
        *(get_scalar(rule, name) for name in ("cron_expression", "interval", "interval_unit")),
        *(times if isinstance(times, list) else []),
        get_scalar(schedule, "create_interval"),
    ]


def _span(schedule: Any) -> float:
    """For how many days a schedule keeps snapshots: by age, or so many of those that it makes. 0 without one."""
    if schedule is None:
        return 0
    rule = _rule(schedule, "retain_rule")
    count = get_number(rule, "count")
    if count:
        return count * (get_number(_rule(schedule, "create_rule"), "interval") or 24) / 24
    days = {"WEEKS": 7, "MONTHS": 30, "YEARS": 365}.get(str(get_scalar(rule, "interval_unit")), 1)
    return get_number(rule, "interval") * days or get_number(schedule, "retain_interval") or inf
