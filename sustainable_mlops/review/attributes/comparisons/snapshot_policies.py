"""Comparison of Data Lifecycle Manager policies: fewer snapshots, or shorter retention.

https://docs.aws.amazon.com/dlm/latest/APIReference/API_PolicyDetails.html
"""

from collections.abc import Iterator
from math import inf
from typing import Any

from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.plan.schedules import count_runs_per_month
from sustainable_mlops.plan.values import UNKNOWN
from sustainable_mlops.review.attributes.blocks import get_blocks, get_number, get_scalar
from sustainable_mlops.review.attributes.weakening import gains_items, is_drastic_cut, is_turned_on, loses_items

#: A schedule with at least this part of the former runs does not count as less frequent.
_MIN_RATE_RATIO = 0.99


def makes_fewer_snapshots(old: Any, new: Any) -> bool:
    """Return whether a policy covers fewer resources, runs at other times, or keeps snapshots for less time."""
    if _excludes_more(old, new) or any(
        loses_items([*_list_tags(old, name)], [*_list_tags(new, name)]) for name in ("resource_types", "target_tags")
    ):
        return True
    after = {get_scalar(new_schedule, "name"): new_schedule for new_schedule in _list_schedules(new)}
    return any(
        _count_runs(after.get(name)) < _count_runs(schedule) * _MIN_RATE_RATIO
        or _get_retention_days(after.get(name)) < _get_retention_days(schedule)
        or any(_list_copies(after.get(name)).get(target, -1) < days for target, days in _list_copies(schedule).items())
        for schedule in _list_schedules(old)
        for name in (get_scalar(schedule, "name"),)
    )


def _excludes_more(old: Any, new: Any) -> bool:
    """Return whether a policy now excludes boot volumes."""
    before, after = (_get_rule(details, "parameters").get("exclude_boot_volume") for details in (old, new))
    return is_turned_on(before, after) is True


def shares_more(old: Any, new: Any) -> bool:
    """Return whether a policy shares snapshots with another account."""
    return gains_items([*_list_shares(old)], [*_list_shares(new)])


def _list_shares(details: Any) -> Iterator[str]:
    for schedule in _list_schedules(details):
        accounts = _get_rule(schedule, "share_rule").get("target_accounts")
        yield from map(str, accounts if isinstance(accounts, list) else ())


def cuts_snapshots(old: Any, new: Any) -> bool:
    """Return whether a schedule now deletes nearly all snapshots immediately."""
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


def _count_runs(schedule: Any) -> float:
    """Return the number of snapshots per month; 1 for a schedule that cannot be parsed."""
    if schedule is None:
        return 0
    rule = _get_rule(schedule, "create_rule")
    if expression := get_scalar(rule, "cron_expression"):
        rate = count_runs_per_month(str(expression))
        return 1 if rate is UNKNOWN else rate
    hours = get_number(rule, "interval") or 24 * get_number(schedule, "create_interval")
    return HOURS_PER_MONTH / (hours or 24)


def _list_copies(schedule: Any) -> dict[object, float]:
    """Return the days for which a schedule keeps copies, by the Region or Outpost of the copy."""
    rules = get_blocks(schedule.get("cross_region_copy_rule")) if isinstance(schedule, dict) else []
    return {get_scalar(rule, "target"): _get_retention_days(rule) for rule in rules}


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
