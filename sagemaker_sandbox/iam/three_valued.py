"""Three-valued logic. None is a value that depends on something unknown."""

from collections.abc import Iterable


def negate(value: bool | None) -> bool | None:
    """Return the opposite value. The opposite of unknown is unknown."""
    return None if value is None else not value


def combine_all(values: Iterable[bool | None]) -> bool | None:
    """Return False if any value is False, else None if any is unknown, else True."""
    return negate(combine_any(negate(value) for value in values))


def combine_any(values: Iterable[bool | None]) -> bool | None:
    """Return True if any value is True, else None if any is unknown, else False."""
    result: bool | None = False
    for value in values:
        if value:
            return True
        if value is None:
            result = None
    return result
