"""An attribute that protects something, and the evaluation of its change."""

from typing import Any, NamedTuple

from sustainable_mlops.plan import Sensitive
from sustainable_mlops.plan.values import Unknown
from sustainable_mlops.review.data.weakening import WeakeningTest, is_weakest_when_unset
from sustainable_mlops.review.risk import Level, RiskArea


class Protection(NamedTuple):
    """An attribute or block that protects something; `is_weaker(old, new)` tests a change."""

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
    #: Test for a change that deletes nearly all data at once, which always has the level `stop`.
    is_drastic: WeakeningTest | None = None
    #: The level if a new resource lacks the protection; None if that alone is no risk.
    level_if_new: Level | None = None

    def get_level(self, old: Any, new: Any) -> Level:
        """Return the level of a change that weakens the protection."""
        old, new = (self.default if value is None else value for value in (old, new))
        return Level.STOP if self.is_drastic is not None and self.is_drastic(old, new) else self.level


def evaluate_weakening(protection: Protection, old: Any, new: Any) -> bool | None:
    """Return whether the protection becomes weaker, or None if that is unknown before apply."""
    old = protection.default if old is None else old
    new = protection.default if new is None else new
    if _contains_type(old, Unknown):
        return None
    if is_weakest_when_unset(protection.is_weaker) and not protection.is_weaker(old, None):
        return False
    if _contains_type(new, Unknown):
        return None
    if old == new:
        return False
    return None if _contains_type(old, Sensitive) or _contains_type(new, Sensitive) else protection.is_weaker(old, new)


def _contains_type(value: Any, kind: type) -> bool:
    if isinstance(value, dict | list):
        return any(_contains_type(item, kind) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, kind)
