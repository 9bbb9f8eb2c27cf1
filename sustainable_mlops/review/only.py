"""What a plan changes beyond what it may, so that a promotion can be applied by itself."""

from collections.abc import Iterable, Sequence

from sustainable_mlops.review import files

_MOST = 5


def beyond(allowed: Sequence[str], addresses: Iterable[str]) -> list[str]:
    """Those of `addresses` that none of the patterns in `allowed` (`*` stands for anything) fits, each once."""
    patterns = [files.pattern(one) for one in allowed]
    return [one for one in dict.fromkeys(addresses) if not any(pattern.fullmatch(one) for pattern in patterns)]


def told(addresses: Sequence[str]) -> str:
    """The first few of them, and how many there are beside."""
    more = len(addresses) - _MOST
    return f"{', '.join(addresses[:_MOST])}{f' and {more} more' if more > 0 else ''}"
