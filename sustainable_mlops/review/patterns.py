"""Sets of texts as IAM policies write them, with `*` and `?`: is one inside another?

Answers are True, False or None, where a text that is unknown until apply decides it. "Inside" is answered True only
where it holds; where two patterns are the same set in very different spellings it may be answered False.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sustainable_mlops.plan import Unknown
from sustainable_mlops.plan.iam import Made, Texts, is_open

Answer = bool | None

#: IAM takes no longer names; what is longer is compared as it is.
_LONGEST = 2048
#: With more runs of wildcards than anybody needs, a comparison takes too long to be worth it.
_WILDEST = 16
_WILD = re.compile(r"[*?]+")


def all_of(answers: Iterable[Answer]) -> Answer:
    """False if one is, else None if one is, else True."""
    result: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def any_of(answers: Iterable[Answer]) -> Answer:
    """True if one is, else None if one is, else False."""
    result: Answer = False
    for answer in answers:
        if answer is True:
            return True
        if answer is None:
            result = None
    return result


class Patterns(NamedTuple):
    """What some patterns match or, where `negated`, all that none of them matches."""

    patterns: Texts
    negated: bool = False

    def holds(self, other: "Patterns") -> Answer:
        """Whether all of `other` is in this set."""
        if "*" in self.patterns:
            return None if self.negated else True  # all but everything: nobody writes that
        if not other.negated:
            return all_of(self._holds_pattern(pattern) for pattern in other.patterns)
        if not self.negated:
            return None if any(map(is_open, self.patterns)) else False
        return all_of(any_of(covers(theirs, ours) for theirs in other.patterns) for ours in self.patterns)

    def _holds_pattern(self, pattern: str | Unknown) -> Answer:
        if not self.negated:
            return any_of(covers(ours, pattern) for ours in self.patterns)
        return all_of(_apart(ours, pattern) for ours in self.patterns)

    def meets(self, other: "Patterns") -> bool:
        """Whether some text may be in both."""
        if self.negated or other.negated:
            return True
        return any(_apart(mine, theirs) is not True for mine in self.patterns for theirs in other.patterns)

    def split(self) -> list["Patterns"]:
        """One set a pattern; the set itself where it is negated."""
        return [self] if self.negated else [Patterns((pattern,)) for pattern in self.patterns]

    def __str__(self) -> str:
        text = ", ".join(map(str, self.patterns))
        return f"everything but {text}" if self.negated else text


EVERYTHING = Patterns(("*",))


def covers(general: str | Unknown, special: str | Unknown) -> Answer:
    """Whether all that `special` matches, `general` matches too."""
    if general == "*":
        return True
    if isinstance(general, Unknown | Made) or isinstance(special, Unknown | Made):
        return None
    return True if general == special else None if _wild(general) else _covers(general, special)


def _apart(one: str | Unknown, other: str | Unknown) -> Answer:
    if isinstance(one, Unknown | Made) or isinstance(other, Unknown | Made):
        return None
    return None if _wild(one) or _wild(other) else not _meet(one, other)


@lru_cache(maxsize=65536)
def _wild(pattern: str) -> bool:
    return len(_WILD.findall(pattern)) > _WILDEST


@lru_cache(maxsize=65536)
def _covers(general: str, special: str) -> bool:
    if general == special:
        return True
    if not _WILD.search(general) or len(general) > _LONGEST or len(special) > _LONGEST:
        return False
    general, special = _normal(general), _normal(special)
    states = _closed({0}, general)
    for character in special:
        following = set()
        for state in states:
            expected = general[state] if state < len(general) else ""
            if expected == "*":
                following.add(state)
            elif expected == character or (expected == "?" and character != "*"):
                following.add(state + 1)
        states = _closed(following, general)
        if not states:
            return False
    return len(general) in states


def _closed(states: set[int], pattern: str) -> set[int]:
    """With the states that a `*`, which may match nothing, leads to."""
    for state in list(states):
        while state < len(pattern) and pattern[state] == "*":
            state += 1
            states.add(state)
    return states


def _normal(pattern: str) -> str:
    """`*?*` is `?*`."""
    return _WILD.sub(lambda run: "?" * run[0].count("?") + ("*" if "*" in run[0] else ""), pattern)


@lru_cache(maxsize=65536)
def _meet(one: str, other: str) -> bool:
    """Whether some text matches both."""
    if one == other or "*" in (one, other):
        return True
    if len(one) > _LONGEST or len(other) > _LONGEST:
        return True
    pending, seen = [(0, 0)], set()
    while pending:
        place = pending.pop()
        if place in seen:
            continue
        seen.add(place)
        if place == (len(one), len(other)):
            return True
        pending += _steps(one, other, *place)
    return False


def _steps(one: str, other: str, i: int, j: int) -> Iterable[tuple[int, int]]:
    left, right = one[i : i + 1], other[j : j + 1]
    if left == "*":
        yield i + 1, j
        if right:
            yield i, j + 1
    if right == "*":
        yield i, j + 1
        if left:
            yield i + 1, j
    if left and right and "*" not in (left, right) and (left == right or "?" in (left, right)):
        yield i + 1, j + 1
