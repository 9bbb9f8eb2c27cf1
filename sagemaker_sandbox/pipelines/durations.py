"""ISO 8601 durations of the step cache, such as `P30D`, and the short forms of AWS's guide: `30d`, `T16m`."""

from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

_DURATION = TypeAdapter(timedelta)


def parse_duration(text: str) -> timedelta:
    """Parse a duration. A year has 365 days, a month 30. Raises ValueError."""
    upper = text.upper()
    try:
        return _DURATION.validate_python(upper if upper.startswith("P") else f"P{upper}", strict=False)
    except ValidationError:
        raise ValueError(f"'{text}' is not an ISO 8601 duration") from None
