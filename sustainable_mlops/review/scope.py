"""What a plan changes beyond what it may, so that a promotion can be applied by itself."""

import re
from collections.abc import Iterable, Sequence

_MAX_NAMED = 5


def list_out_of_scope(allowed: Sequence[str], addresses: Iterable[str]) -> list[str]:
    """Those of `addresses` that none of the patterns in `allowed` fits, each once.

    `*` stands for anything within one step of an address, which the points part; a pattern that fits the first steps
    fits all below them: `module.*_endpoint*` is whatever such a module holds, and no `module.net.aws_vpc_endpoint.z`.
    """
    patterns = [_compile_scope_pattern(address) for address in allowed]
    return [address for address in dict.fromkeys(addresses) if not any(pattern.fullmatch(address) for pattern in patterns)]


def _compile_scope_pattern(allowed: str) -> re.Pattern[str]:
    """An index may hold points too: it belongs to its step."""
    step = r'(?:[^.\["]|\["(?:[^"\\]|\\.)*"\]|\[\d+\])*'
    return re.compile(rf"{step.join(map(re.escape, allowed.split('*')))}(?:\[[^\]]*\])?(?:\..*)?", re.S)


def summarize_addresses(addresses: Sequence[str]) -> str:
    """The first few of them, and how many there are beside."""
    omitted_count = len(addresses) - _MAX_NAMED
    return f"{', '.join(addresses[:_MAX_NAMED])}{f' and {omitted_count} more' if omitted_count > 0 else ''}"
