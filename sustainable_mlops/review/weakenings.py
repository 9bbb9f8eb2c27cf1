"""What of a change to a value makes it protect less: each takes the value before and after, whatever they are."""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any

Test = Callable[[Any, Any], bool]


def turned_on(old: Any, new: Any) -> bool:
    """From not true to true."""
    return _true(new) and not _true(old)


def turned_off(old: Any, new: Any) -> bool:
    """From true to not true."""
    return _true(old) and not _true(new)


def lowered(old: Any, new: Any) -> bool:
    """To a smaller number."""
    return isinstance(old, int | float) and isinstance(new, int | float) and new < old


def raised(old: Any, new: Any) -> bool:
    """To a greater number."""
    return lowered(new, old)


def shortened(old: Any, new: Any) -> bool:
    """To a shorter time, where 0 is for ever."""
    return isinstance(old, int | float) and isinstance(new, int | float) and new > 0 and (new < old or old == 0)


def leaves(*values: str) -> Test:
    """From one of `values`, the best last, to a worse one or to none of them."""
    return partial(_worse, {value: number for number, value in enumerate(values, 1)})


def _worse(rank: Mapping[str, int], old: Any, new: Any) -> bool:
    return rank.get(str(new), 0) < rank.get(str(old), 0)


def becomes(*values: str) -> Test:
    """To one of `values`, from another one."""
    return lambda old, new: new in values and old != new


def removed(old: Any, new: Any) -> bool:
    """From set to not set."""
    return bool(old) and not new


def loses(key: str, **where: str) -> Test:
    """Of the blocks of a list whose values are those of `where`: one is gone that `key` tells from the others."""
    return partial(_fewer, key, where)


def _fewer(key: str, where: Mapping[str, str], old: Any, new: Any) -> bool:
    before, after = (
        {_get(one, key) for one in _blocks(blocks) if all(_get(one, name) == value for name, value in where.items())}
        for blocks in (old, new)
    )
    return not before <= after


def at_worst_unset(test: Test) -> bool:
    """Whether nothing is weaker than not set, so that what would lose nothing by that has nothing to lose."""
    return isinstance(test, partial) or test in (turned_off, removed, unlocks_sooner, backs_up_less)


def unlocks_sooner(old: Any, new: Any) -> bool:
    """A default retention of object lock: for a shorter time, or one that some users may lift."""
    lifted = _get(old, "mode") == "COMPLIANCE" != _get(new, "mode")
    return lifted or _days(new) < _days(old)


def expires_sooner(old: Any, new: Any) -> bool:
    """A time to live, as a unit and a number of it: newly set, or shorter."""
    return _seconds(new) < _seconds(old)


def expires_newly(old: Any, new: Any) -> bool:
    """DynamoDB's time to live: switched on, or read from another attribute."""
    if not _true(_get(new, "enabled")):
        return False
    return not _true(_get(old, "enabled")) or _get(old, "attribute_name") != _get(new, "attribute_name")


def backs_up_less(old: Any, new: Any) -> bool:
    """Rules of a backup plan: one is gone, runs at other times, or its backups are deleted sooner."""
    after = {_get(rule, "rule_name"): rule for rule in _blocks(new)}
    return any(
        _get(after.get(name), "schedule") != _get(rule, "schedule") or _kept(after.get(name)) < _kept(rule)
        for rule in _blocks(old)
        if (name := _get(rule, "rule_name"))
    )


def _true(value: Any) -> bool:
    return value is True or value == "true"


def _blocks(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _get(block: Any, key: str) -> Any:
    """A value that can be compared and looked up; what is none is as if not set."""
    value = block.get(key) if isinstance(block, dict) else None
    return value if isinstance(value, str | int | float) else None


def _amount(block: Any, key: str) -> float:
    value = _get(block, key)
    return 0 if value is None or isinstance(value, str) else value


def _days(retention: Any) -> float:
    return _amount(retention, "days") + 365 * _amount(retention, "years")


def _seconds(duration: Any) -> float:
    units = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86_400, "Weeks": 604_800}
    return _amount(duration, "value") * units.get(str(_get(duration, "unit")), 1) or inf


def _kept(rule: Any) -> float:
    lifecycle = rule.get("lifecycle") if isinstance(rule, dict) else None
    return next((_amount(one, "delete_after") for one in _blocks(lifecycle)), 0) or inf
