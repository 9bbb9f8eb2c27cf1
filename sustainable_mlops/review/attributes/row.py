"""One row of the list of attributes: an attribute that protects something, and the change that weakens it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Sensitive
from sustainable_mlops.plan.values import Unknown, get_at_path, split_path
from sustainable_mlops.review.attributes.weakening import (
    WeakeningTest,
    is_emptied,
    is_weakest_when_unset,
    needs_previous_value,
)
from sustainable_mlops.review.patterns import Tristate
from sustainable_mlops.review.risk import Level, RiskArea, format_path

#: The ID of risks of rows that decide who is trusted.
TRUST = "PRIVILEGES_TRUST"


class AttributeRow(NamedTuple):
    """An attribute or block of some types, or of any type; `is_weaker(old, new)` tests a change.

    A path `a, b` has several attributes that form one protection. They are read as one object. A row with `names`
    matches attributes by their normalized path. Its test gets the values at all positions, in two lists.
    """

    types: tuple[str, ...]  # empty: every type with the attribute
    path: str
    #: None if every change is harmless.
    is_weaker: WeakeningTest | None
    consequence: str = ""
    level: Level = Level.LOOK
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
    #: Pattern of paths, in place of `path`.
    names: LazyPattern | None = None
    #: Test that all values must pass, for an attribute that its values reveal.
    matches_value: Callable[[Any], bool] | None = None
    #: True for labels, programs and messages, which may name any account.
    is_content: bool = False

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
            return {path: _remove_names(_read_path(values, path), self.ignored) for path in self.paths}
        value = _read_path(values, self.path)
        return _remove_names(value, self.ignored) if self.ignored else value

    @property
    def unknown_description(self) -> str:
        """The message if the new value is unknown."""
        return describe_unknown(format_path(self.path), self)

    def get_level(self, old: Any, new: Any) -> Level:
        """Return the level of a change that weakens the protection."""
        old, new = (self.default if value is None else value for value in (old, new))
        return Level.STOP if self.is_drastic is not None and self.is_drastic(old, new) else self.level

    def evaluate(self, old: Any, new: Any) -> Tristate | Unknown:
        """Return whether the protection becomes weaker.

        UNKNOWN means that only the apply tells; None means that the test cannot compare the values.
        """
        if self.is_weaker is None:
            return False
        old = self.default if old is None else old
        new = self.default if new is None else new
        if _contains_type(old, Unknown):
            return UNKNOWN
        if is_weakest_when_unset(self.is_weaker) and self.is_weaker(old, None) is False:
            return False
        if not old and needs_previous_value(self.is_weaker):
            return False
        if _contains_type(new, Unknown):
            return False if self.is_weaker is is_emptied and isinstance(new, list) else UNKNOWN
        if old == new:
            return False
        is_hidden = _contains_type(old, Sensitive) or _contains_type(new, Sensitive)
        return UNKNOWN if is_hidden else self.is_weaker(old, new)


def describe_unknown(label: str, row: AttributeRow) -> str:
    """Return the message for an attribute whose new value is unknown."""
    return f"{label} is unknown until apply or sensitive; possible effect: {row.consequence}"


def _build(
    types: str,
    path: str,
    is_weaker: WeakeningTest | None,
    consequence: str,
    level: Level = Level.LOOK,
    area: RiskArea = RiskArea.DATA,
    **options: Any,
) -> AttributeRow:
    """Return the row of one or more types, or of any type if `types` is empty."""
    return AttributeRow(tuple(types.split()), path, is_weaker, consequence, level, area, **options)


#: Rows of attributes that keep data, turn a safeguard on, limit access, or decide who is trusted.
keep = partial(_build, area=RiskArea.DATA)
guard = partial(_build, area=RiskArea.SAFEGUARDS)
limit = partial(_build, area=RiskArea.PRIVILEGES)
trust = partial(_build, area=RiskArea.PRIVILEGES, id=TRUST)


def _read_path(values: Block, path: str) -> Any:
    """Return the value at a path. A provider version has a single block as a list, another one as an object."""
    if "." not in path:
        return values.get(path)
    value = values.values
    for step in split_path(path):
        if isinstance(value, list) and isinstance(step, str) and len(value) <= 1:
            value = get_at_path(value, (0,))
        if not (isinstance(value, dict) and step == 0):
            value = get_at_path(value, (step,))
    return value


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
