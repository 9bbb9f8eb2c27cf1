"""Sets of texts in the notation of IAM policies, with `*` and `?`, and tests of inclusion.

Results are True, False or None; None means that a text unknown until apply decides. True is always correct. False may
be wrong if two patterns describe one set with very different spellings.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import Unknown
from sustainable_mlops.plan.iam import DerivedText, Texts, is_unknown_text

Tristate = bool | None

#: IAM accepts no longer names. Longer texts are compared literally.
_MAX_LENGTH = 2048
#: Patterns with more runs of wildcards are not compared, because that takes too long.
_MAX_WILDCARD_RUNS = 16
_WILDCARD_RUN = LazyPattern(r"[*?]+")
#: Longer lists are cut in messages.
_MAX_SHOWN = 12


def combine_all(answers: Iterable[Tristate]) -> Tristate:
    """Return False if any answer is False, else None if any is None, else True."""
    result: Tristate = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def combine_any(answers: Iterable[Tristate]) -> Tristate:
    """Return True if any answer is True, else None if any is None, else False."""
    result: Tristate = False
    for answer in answers:
        if answer is True:
            return True
        if answer is None:
            result = None
    return result


class Patterns(NamedTuple):
    """The texts that match any of some patterns or, if `negated`, match none of them."""

    patterns: Texts
    negated: bool = False

    def contains(self, other: "Patterns") -> Tristate:
        """Return whether this set contains all of `other`."""
        if "*" in self.patterns:
            return None if self.negated else True  # the empty set, which nobody writes
        if not other.negated:
            return combine_all(self._contains_pattern(pattern) for pattern in other.patterns)
        if not self.negated:
            return None if any(map(is_unknown_text, self.patterns)) else False
        return combine_all(combine_any(covers(foreign, own) for foreign in other.patterns) for own in self.patterns)

    def _contains_pattern(self, pattern: str | Unknown) -> Tristate:
        if not self.negated:
            return combine_any(covers(own, pattern) for own in self.patterns)
        return combine_all(_are_disjoint(own, pattern) for own in self.patterns)

    def overlaps(self, other: "Patterns") -> bool:
        """Return whether some text may be in both sets."""
        if self.negated or other.negated:
            return True
        return any(_are_disjoint(own, foreign) is not True for own in self.patterns for foreign in other.patterns)

    def split(self) -> list["Patterns"]:
        """Return one set per pattern, or the set itself if it is negated."""
        return [self] if self.negated else [Patterns((pattern,)) for pattern in self.patterns]

    def __str__(self) -> str:
        text = ", ".join(map(str, self.patterns[:_MAX_SHOWN]))
        if len(self.patterns) > _MAX_SHOWN:
            text += f" and {len(self.patterns) - _MAX_SHOWN} more"
        return f"everything but {text}" if self.negated else text


EVERYTHING = Patterns(("*",))


def covers(general: str | Unknown, special: str | Unknown) -> Tristate:
    """Return whether `general` matches all texts that `special` matches."""
    if general == "*":
        return True
    if isinstance(general, Unknown | DerivedText) or isinstance(special, Unknown | DerivedText):
        return None
    return True if general == special else None if _is_too_wild(general) else _matches_all(general, special)


def _are_disjoint(first: str | Unknown, second: str | Unknown) -> Tristate:
    if isinstance(first, Unknown | DerivedText) or isinstance(second, Unknown | DerivedText):
        return None
    return None if _is_too_wild(first) or _is_too_wild(second) else not _do_overlap(first, second)


@lru_cache(maxsize=65536)
def _is_too_wild(pattern: str) -> bool:
    return len(_WILDCARD_RUN.findall(pattern)) > _MAX_WILDCARD_RUNS


@lru_cache(maxsize=65536)
def _matches_all(general: str, special: str) -> bool:
    if general == special:
        return True
    if not _WILDCARD_RUN.search(general) or len(general) > _MAX_LENGTH or len(special) > _MAX_LENGTH:
        return False
    general, special = _normalize(general), _normalize(special)
    states = _close_states({0}, general)
    for character in special:
        following = set()
        for state in states:
            expected = general[state] if state < len(general) else ""
            if expected == "*":
                following.add(state)
            elif expected == character or (expected == "?" and character != "*"):
                following.add(state + 1)
        states = _close_states(following, general)
        if not states:
            return False
    return len(general) in states


def _close_states(states: set[int], pattern: str) -> set[int]:
    """Return the states with those reached by a `*` that matches nothing."""
    for state in list(states):
        while state < len(pattern) and pattern[state] == "*":
            state += 1
            states.add(state)
    return states


def _normalize(pattern: str) -> str:
    """Return the pattern with `*?*` written as `?*`."""
    return _WILDCARD_RUN.sub(lambda run: "?" * run[0].count("?") + ("*" if "*" in run[0] else ""), pattern)


@lru_cache(maxsize=65536)
def _do_overlap(first: str, second: str) -> bool:
    """Return whether some text matches both patterns."""
    if first == second or "*" in (first, second):
        return True
    if len(first) > _MAX_LENGTH or len(second) > _MAX_LENGTH:
        return True
    pending, visited = [(0, 0)], set()
    while pending:
        position = pending.pop()
        if position in visited:
            continue
        visited.add(position)
        if position == (len(first), len(second)):
            return True
        pending += _list_next_positions(first, second, *position)
    return False


def _list_next_positions(first: str, second: str, i: int, j: int) -> Iterable[tuple[int, int]]:
    first_char, second_char = first[i : i + 1], second[j : j + 1]
    if first_char == "*":
        yield i + 1, j
        if second_char:
            yield i, j + 1
    if second_char == "*":
        yield i, j + 1
        if first_char:
            yield i + 1, j
    if (
        first_char
        and second_char
        and "*" not in (first_char, second_char)
        and (first_char == second_char or "?" in (first_char, second_char))
    ):
        yield i + 1, j + 1
