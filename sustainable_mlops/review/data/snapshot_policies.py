"""Comparison of Data Lifecycle Manager policies: fewer snapshots, or shorter retention.

https://docs.aws.amazon.com/dlm/latest/APIReference/API_PolicyDetails.html
"""

from collections.abc import Iterator
from math import inf
from typing import Any

from sustainable_mlops.review.data.weakening import get_blocks, get_number, get_scalar, is_drastic_cut, loses_items


def makes_fewer_snapshots(old: Any, new: Any) -> bool:
    """Return whether a policy covers fewer resources, runs at other times, or keeps snapshots for less time."""
    if any(
        loses_items([*_list_tags(old, name)], [*_list_tags(new, name)]) for name in ("resource_types", "target_tags")
    ):
        return True
    after = {get_scalar(new_schedule, "name"): new_schedule for new_schedule in _list_schedules(new)}
    return any(
        _list_times(after.get(name)) != _list_times(schedule)
        or _get_retention_days(after.get(name)) < _get_retention_days(schedule)
        for schedule in _list_schedules(old)
        for name in (get_scalar(schedule, "name"),)
    )


def cuts_snapshots(old: Any, new: Any) -> bool:
    """Return whether a schedule now deletes nearly all snapshots at once."""
    after = {get_scalar(new_schedule, "name"): new_schedule for new_schedule in _list_schedules(new)}
    pairs = ((schedule, after.get(get_scalar(schedule, "name"))) for schedule in _list_schedules(old))
    return any(
        new_schedule is not None and is_drastic_cut(_get_retention_days(former), _get_retention_days(new_schedule))
        for former, new_schedule in pairs
    )


def _list_tags(details: Any, name: str) -> Iterator[str]:
    tags = details.get(name) if isinstance(details, dict) else None
    if isinstance(tags, dict):
        yield from (f"{key}={value}" for key, value in tags.items())
    elif isinstance(tags, list):
        yield from map(str, tags)


def _list_schedules(details: Any) -> list[dict[str, Any]]:
    """Return the schedules. A default policy has none and counts as one schedule."""
    schedules = get_blocks(details.get("schedule")) if isinstance(details, dict) else []
    return schedules or ([details] if isinstance(details, dict) else [])


def _get_rule(schedule: Any, name: str) -> dict[str, Any]:
    rules = get_blocks(schedule.get(name)) if isinstance(schedule, dict) else []
    return rules[0] if rules else {}


def _list_times(schedule: Any) -> list[Any]:
    """Return the times at which a schedule makes snapshots."""
    rule = _get_rule(schedule, "create_rule")
    times = rule.get("times")
    return [
        *(get_scalar(rule, name) for name in ("cron_expression", "interval", "interval_unit")),
        *(times if isinstance(times, list) else []),
        get_scalar(schedule, "create_interval"),
    ]


def _get_retention_days(schedule: Any) -> float:
    """Return the days for which a schedule keeps snapshots, by age or by count; 0 without a schedule."""
    if schedule is None:
        return 0
    rule = _get_rule(schedule, "retain_rule")
    count = get_number(rule, "count")
    if count:
        return count * (get_number(_get_rule(schedule, "create_rule"), "interval") or 24) / 24
    days = {"WEEKS": 7, "MONTHS": 30, "YEARS": 365}.get(str(get_scalar(rule, "interval_unit")), 1)
    return get_number(rule, "interval") * days or get_number(schedule, "retain_interval") or inf
