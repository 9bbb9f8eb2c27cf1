"""Three-valued tests that compare a value before and after, and return whether it protects less.

A test in `in_pairs` compares lists.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from math import inf
from typing import Any

from sustainable_mlops.plan.iam import parse_statements
from sustainable_mlops.review.attributes.blocks import get_blocks, get_number, get_scalar, parse_number
from sustainable_mlops.review.patterns import Tristate, combine_any

#: A test of one change: True if it weakens the protection, None if the values cannot be compared.
WeakeningTest = Callable[[Any, Any], Tristate]

#: In days. A person who is away for less time may not notice a loss in time.
_WEEK = 7
_DAY = 86_400
#: A limit that rises by a smaller factor counts as adjusted.
_MIN_LIFT = 10
_OFF = frozenset(
    {"false", "disabled", "disable", "off", "inactive", "suspended", "paused", "none", "stopped", "no", "not_enabled",
     "disassociated", "0"}
)  # fmt: skip
_ON = frozenset(
    {"true", "enabled", "enable", "on", "active", "required", "running", "yes", "immutable", "enforced", "1", "block"}
)


def is_turned_off(old: Any, new: Any) -> Tristate:
    """Return whether a switch is turned off or removed. Other texts and numbers cannot be compared."""
    before, after = rank_switch(old), rank_switch(new)
    if before is None and after is None:
        return None
    # Any other text is more than "off": it is a destination, a level or a mode.
    return (1 if after is None else after) < (1 if before is None else before)


def is_turned_on(old: Any, new: Any) -> Tristate:
    """Return whether a switch is turned on."""
    return is_turned_off(new, old)


def rank_switch(value: Any) -> int | None:
    """Return 0 for off or unset, 2 for on, and None for a value that is no switch."""
    word = str(value).lower()
    if value is None or word in _OFF:
        return 0
    return 2 if word in _ON else 1 if word == "optional" else None


def in_pairs(test: WeakeningTest) -> WeakeningTest:
    """Return a test of lists: `test` of each value that disappears with each that appears; None for no value."""

    def compare(old: Any, new: Any) -> Tristate:
        removed, added = list_differences(old, new)
        return combine_any(test(before, after) for before, after in product(removed or [None], added or [None]))

    return compare


def list_differences(old: Any, new: Any) -> tuple[list[Any], list[Any]]:
    """Return the values that disappear from a list, and those that appear."""
    before, after = Counter(old), Counter(new)
    return list(before - after), list(after - before)


def loses_values(old: Any, new: Any) -> Tristate:
    """Return whether a switch is turned off, or values of a list disappear without a successor."""
    removed, added = list_differences(old, new)
    switches = [is_turned_off(before, after) for before, after in product(removed or [None], added or [None])]
    if None not in switches:
        return combine_any(switches)
    return True if len(removed) > len(added) else None if removed else False


def is_lowered(old: Any, new: Any) -> Tristate:
    """Return whether the number becomes smaller; an unset number has no order."""
    if old is None or new is None:
        return False
    before, after = parse_number(old), parse_number(new)
    return None if before is None or after is None else after < before


def is_raised(old: Any, new: Any) -> Tristate:
    """Return whether the number becomes greater."""
    return is_lowered(new, old)


def is_shortened(old: Any, new: Any) -> Tristate:
    """Return whether the time becomes shorter; 0 means for ever."""
    if old is None or new is None:
        return False
    before, after = parse_number(old), parse_number(new)
    return None if before is None or after is None else after > 0 and (after < before or before == 0)


def is_drastic_cut(old: float, new: float) -> bool:
    """Return whether a number of days becomes so small that nearly all data is deleted immediately.

    That is less than a week after a week or more, or less than a tenth.
    """
    return new < _WEEK <= old or new * 10 < old < inf


def is_retention_cut(old: Any, new: Any) -> bool:
    """Return whether a retention in days becomes drastically shorter; 0 means for ever."""
    return is_shortened(old, new) is True and is_drastic_cut(float(old) or inf, float(new))


def drops_below_tenth(old: Any, new: Any) -> bool:
    """Return whether a number becomes less than a tenth of its old value. Use it for periods of hours or days."""
    return is_lowered(old, new) is True and float(new) * 10 < float(old)


def lifts_limit(old: Any, new: Any) -> Tristate:
    """Return whether a limit is removed, or becomes at least ten times as high; a negative number is no limit."""
    before, after = parse_number(old), parse_number(new)
    if before is None or before < 0:
        return None if before is None and old is not None else False
    if after is None or after < 0:
        return None if after is None and new is not None else True
    return before < after and after >= before * _MIN_LIFT


def downgrades_from(*values: str) -> WeakeningTest:
    """Return a test for a change from one of `values`, the best last, to a worse one or to none."""
    return partial(_has_lower_rank, {value: number for number, value in enumerate(values, 1)})


def _has_lower_rank(rank: Mapping[str, int], old: Any, new: Any) -> bool:
    return rank.get(str(new), 0) < rank.get(str(old), 0)


def changes_to(*values: str | None) -> WeakeningTest:
    """Return a test for a change to one of `values`. None stands for an unset value."""
    return lambda old, new: new in values and old != new


def is_removed(old: Any, new: Any) -> bool:
    """Return whether the value becomes unset."""
    return bool(old) and not new


def is_emptied(old: Any, new: Any) -> bool:
    """Return whether the last item of a list is removed."""
    return is_removed(old, new)


def is_changed(old: Any, new: Any) -> bool:
    """Return whether a value that was set is changed or removed."""
    return bool(old) and new != old


def is_replaced(old: Any, new: Any) -> bool:
    """Return whether the value is set to something else."""
    return bool(new) and new != old


def adds_any_of(*values: str) -> WeakeningTest:
    """Return a test for a list that did not contain any of `values` and now does."""
    return lambda old, new: _contains_any(values, new) and not _contains_any(values, old)


def _contains_any(values: tuple[str, ...], items: Any) -> bool:
    return isinstance(items, list) and any(value in items for value in values)


def loses_block(key: str, **conditions: str | bool) -> WeakeningTest:
    """Return a test for the loss of a block in a list. `key` identifies a block, and `conditions` select the blocks."""
    return partial(_has_fewer_blocks, key, conditions)


def _has_fewer_blocks(key: str, conditions: Mapping[str, str | bool], old: Any, new: Any) -> bool:
    before, after = (
        {
            get_scalar(block, key)
            for block in get_blocks(value)
            if all(get_scalar(block, name) == value for name, value in conditions.items())
        }
        for value in (old, new)
    )
    return not before <= after


def gains_items(old: Any, new: Any) -> bool:
    """Return whether a list of texts has a new item."""
    return loses_items(new, old)


def loses_items(old: Any, new: Any) -> bool:
    """Return whether a list of texts, or the lists of texts in a list, lost an item."""
    return not set(_list_texts(old)) <= set(_list_texts(new))


def _list_texts(value: Any) -> Iterator[str]:
    """Yield the texts of a list. A path with `*` has a list of lists."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            yield item
        else:
            yield from _list_texts(item)


def gains_any(old: Any, new: Any) -> bool:
    """Return whether a text, or a text at any depth of a list or map, is new."""
    return bool(list_added(old, new))


def extends(old: Any, new: Any) -> bool:
    """Return whether a value that was set is replaced, or a list that was not empty has a new item."""
    return bool(old) and gains_any(old, new)


def list_added(old: Any, new: Any) -> list[str]:
    """Return the texts, numbers and flags at any depth of `new` that `old` does not contain, in order."""
    former = set(_list_leaves(old))
    return list(dict.fromkeys(leaf for leaf in _list_leaves(new) if leaf not in former))


def _list_leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _list_leaves(item)
    elif value not in (None, ""):
        yield str(value)


def is_longer(old: Any, new: Any) -> Tristate:
    """Return whether a duration such as `PT1H30M` becomes longer."""
    before, after = _parse_duration(old), _parse_duration(new)
    return None if before is None or after is None else after > before


def _parse_duration(text: Any) -> float | None:
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", str(text))
    if match is None:
        return None
    parts = [float(part or 0) for part in match.groups()]
    return sum(part * seconds for part, seconds in zip(parts, (86_400, 3600, 60, 1), strict=False))


def stops_authenticating(old: Any, new: Any) -> bool:
    """Return whether actions of a load balancer, given by their types, no longer authenticate users."""
    before, after = (
        any(str(action).startswith("authenticate-") for action in actions) if isinstance(actions, list) else False
        for actions in (old, new)
    )
    return before and not after


def changes_without_statements(old: Any, new: Any) -> bool:
    """Return whether a policy without statements changes, such as a tag policy.

    Such policies cannot be compared. The check of privileges compares policies with statements.
    """
    return bool(old != new) and any(parse_statements(str(text)) is None for text in (old, new))


def is_weakest_when_unset(test: WeakeningTest) -> bool:
    """Return whether no value is weaker than an unset one, so that an unset value cannot become weaker."""
    return isinstance(test, partial) or test in (
        is_turned_off,
        is_removed,
        is_emptied,
        unlocks_sooner,
        loses_items,
    )


def needs_previous_value(test: WeakeningTest) -> bool:
    """Return whether the test is never true for a value that was unset, even if the new value is unknown."""
    return test in (extends, is_changed)


def unlocks_sooner(old: Any, new: Any) -> bool:
    """Return whether the default retention of object lock is shorter, or some users may now end it."""
    lifted = get_scalar(old, "mode") == "COMPLIANCE" != get_scalar(new, "mode")
    return lifted or _get_days(new) < _get_days(old)


def expires_sooner(old: Any, new: Any) -> bool:
    """Return whether a time to live, as unit and value, is newly set or shorter."""
    return _get_seconds(new) < _get_seconds(old)


def expires_at_once(old: Any, new: Any) -> bool:
    """Return whether a time to live becomes so short that nearly all data expires immediately."""
    return is_drastic_cut(_get_seconds(old) / _DAY, _get_seconds(new) / _DAY)


def expires_newly(old: Any, new: Any) -> bool:
    """Return whether the time to live of DynamoDB is turned on or uses another attribute."""
    if rank_switch(get_scalar(new, "enabled")) != 2:
        return False
    return rank_switch(get_scalar(old, "enabled")) != 2 or get_scalar(old, "attribute_name") != get_scalar(
        new, "attribute_name"
    )


def _get_days(retention: Any) -> float:
    return get_number(retention, "days") + 365 * get_number(retention, "years")


def _get_seconds(duration: Any) -> float:
    units = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86_400, "Weeks": 604_800}
    return get_number(duration, "value") * units.get(str(get_scalar(duration, "unit")), 1) or inf
