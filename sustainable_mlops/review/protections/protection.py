"""An attribute that protects something, and the evaluation of its change."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Sensitive
from sustainable_mlops.plan.values import Unknown, get_at_path
from sustainable_mlops.review.patterns import Tristate
from sustainable_mlops.review.protections.weakening import (
    WeakeningTest,
    is_emptied,
    is_weakest_when_unset,
    needs_previous_value,
)
from sustainable_mlops.review.risk import Level, RiskArea, format_path


class Protection(NamedTuple):
    """An attribute or block that protects something; `is_weaker(old, new)` tests a change.

    A path `a, b` has several attributes that form one protection. They are read as one object.
    """

    types: tuple[str, ...]  # empty: every type with the attribute
    path: str
    is_weaker: WeakeningTest
    consequence: str
    level: Level = Level.STOP
    area: RiskArea = RiskArea.DATA
    #: The value of an unset attribute.
    default: Any = None
    #: Another attribute that replaces the protection if it is set.
    compensated_by: str = ""
    #: Test for a change that deletes nearly all data immediately, which always has the level `stop`.
    is_drastic: WeakeningTest | None = None
    #: The level if a new resource lacks the protection; None if that is no risk.
    level_if_new: Level | None = None
    #: The value that the comparison assumes before a new resource.
    old_if_new: Any = None
    #: Attributes inside the value that the comparison ignores.
    ignored: frozenset[str] = frozenset()
    #: The ID of the risk, if it is not the usual one of its area.
    id: str = ""

    @property
    def has_several_paths(self) -> bool:
        """True if several attributes form the protection."""
        return ", " in self.path

    @property
    def paths(self) -> list[str]:
        """The paths of the attributes."""
        return self.path.split(", ")

    def read(self, values: Block) -> Any:
        """Return the value of the protection without ignored attributes; a list if the path contains `*`."""
        if "*" in self.path:
            return list_values(values.values, self.path.split("."))
        if self.has_several_paths:
            return {path: _remove_names(values.get(path), self.ignored) for path in self.paths}
        value = values.get(self.path)
        return _remove_names(value, self.ignored) if self.ignored else value

    @property
    def unknown_description(self) -> str:
        """The message if the new value is unknown."""
        path = format_path(self.path)
        return f"{path} is unknown until apply or sensitive; possible effect: {self.consequence}"

    def get_level(self, old: Any, new: Any) -> Level:
        """Return the level of a change that weakens the protection."""
        old, new = (self.default if value is None else value for value in (old, new))
        return Level.STOP if self.is_drastic is not None and self.is_drastic(old, new) else self.level


def list_values(value: Any, steps: Sequence[str]) -> list[Any]:
    """Return all values at a path, in which `*` stands for each item of a list or map, and `**` for any depth."""
    for position, step in enumerate(steps):
        if value is None:
            return []
        if step == "*":
            items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
            return [leaf for item in items for leaf in list_values(item, steps[position + 1 :])]
        if step == "**":
            return list(_find_at_any_depth(value, steps[position + 1 :]))
        if not isinstance(value, dict | list) or (isinstance(value, list) and not step.isdecimal()):
            return [value if isinstance(value, Sensitive) else UNKNOWN]
        value = get_at_path(value, step)
    return [] if value is None or value == "" else [value]


def _find_at_any_depth(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, dict):
        if steps[0] in value:
            yield from list_values(value, steps)
        for name, item in value.items():
            if name != steps[0]:
                yield from _find_at_any_depth(item, steps)
    elif isinstance(value, list):
        for item in value:
            yield from _find_at_any_depth(item, steps)


def evaluate_weakening(protection: Protection, old: Any, new: Any) -> Tristate | Unknown:
    """Return whether the protection becomes weaker.

    UNKNOWN means that only the apply tells; None means that the test cannot compare the values.
    """
    old = protection.default if old is None else old
    new = protection.default if new is None else new
    if _contains_type(old, Unknown):
        return UNKNOWN
    if is_weakest_when_unset(protection.is_weaker) and protection.is_weaker(old, None) is False:
        return False
    if not old and needs_previous_value(protection.is_weaker):
        return False
    if _contains_type(new, Unknown):
        return False if protection.is_weaker is is_emptied and isinstance(new, list) else UNKNOWN
    if old == new:
        return False
    is_hidden = _contains_type(old, Sensitive) or _contains_type(new, Sensitive)
    return UNKNOWN if is_hidden else protection.is_weaker(old, new)


def _remove_names(value: Any, names: frozenset[str]) -> Any:
    """Return `value` without the attributes of these names at any depth."""
    if not names or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_remove_names(item, names) for item in value]
    return {name: _remove_names(item, names) for name, item in value.items() if name not in names}


def _contains_type(value: Any, kind: type) -> bool:
    if isinstance(value, dict | list):
        return any(_contains_type(item, kind) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, kind)
