"""What a plan changes beyond what it may, so that a promotion can be applied by itself."""

import re
from collections.abc import Iterable, Sequence

_MOST = 5


def beyond(allowed: Sequence[str], addresses: Iterable[str]) -> list[str]:
    """Those of `addresses` that none of the patterns in `allowed` fits, each once.

    `*` stands for anything within one step of an address, which the points part; a pattern that fits the first steps
    fits all below them: `module.*_endpoint*` is whatever such a module holds, and no `module.net.aws_vpc_endpoint.z`.
    """
    patterns = [_pattern(one) for one in allowed]
    return [one for one in dict.fromkeys(addresses) if not any(pattern.fullmatch(one) for pattern in patterns)]


def _pattern(allowed: str) -> re.Pattern[str]:
    """An index may hold points too: it belongs to its step."""
    step = r'(?:[^.\["]|\["(?:[^"\\]|\\.)*"\]|\[\d+\])*'
    return re.compile(rf"{step.join(map(re.escape, allowed.split('*')))}(?:\[[^\]]*\])?(?:\..*)?", re.S)


def told(addresses: Sequence[str]) -> str:
    """The first few of them, and how many there are beside."""
    more = len(addresses) - _MOST
    return f"{', '.join(addresses[:_MOST])}{f' and {more} more' if more > 0 else ''}"
