"""ISO 8601 durations, as a step's cache has them: `P30D`, and what AWS's guide writes too: `30d`, `T16m`."""

from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

_DURATION = TypeAdapter(timedelta)


def duration(text: str) -> timedelta:
    """The duration, a year being 365 days and a month 30; raises ValueError."""
    upper = text.upper()
    try:
        return _DURATION.validate_python(upper if upper.startswith("P") else f"P{upper}", strict=False)
    except ValidationError:
        raise ValueError(f"'{text}' is no ISO 8601 duration") from None
