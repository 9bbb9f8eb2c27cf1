"""What tags say of a workload: its environment, and how long its callers can wait."""

import re
from enum import IntEnum

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import reading

_ENVIRONMENT = ("environment", "env", "stage")
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|milliseconds?|seconds?|min|minutes?|hours?)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "mil": 0.001, "sec": 1, "min": 60, "hou": 3600}


class Patience(IntEnum):
    """How long a caller can wait for an answer, shortest first."""

    MILLISECONDS = 1
    COLD_START = 2
    MINUTES = 3
    BATCH = 4


def is_production(plan: Plan, resource: Resource) -> bool | Unknown | None:
    """Whether a tag `environment` (or `env`, `stage`) names production; None where no tag tells."""
    tags = _lower(plan, resource)
    if tags is UNKNOWN:
        return UNKNOWN
    value = next((tags[key] for key in _ENVIRONMENT if key in tags), None)
    return value.lower() in _PRODUCTION if isinstance(value, str) else UNKNOWN if value is UNKNOWN else None


def patience(plan: Plan, resource: Resource) -> Patience | str | Unknown | None:
    """The tag `latency_slo`: a name of `Patience` or a duration such as `200ms`; None where there is none.

    What is neither comes back as it is.
    """
    tags = _lower(plan, resource)
    value = tags if tags is UNKNOWN else tags.get("latency_slo")
    if value is None or value is UNKNOWN:
        return value
    text = str(value).strip().lower()
    if text.upper() in Patience.__members__:
        return Patience[text.upper()]
    match = _DURATION.fullmatch(text)
    return _of_seconds(float(match[1]) * _SECONDS[match[2][:3]]) if match else str(value)


def _of_seconds(seconds: float) -> Patience:
    """A cold start takes seconds, waking an instance takes minutes; whoever waits an hour can have a batch."""
    if seconds < 1:
        return Patience.MILLISECONDS
    if seconds < 60:
        return Patience.COLD_START
    return Patience.MINUTES if seconds < 3600 else Patience.BATCH


def _lower(plan: Plan, resource: Resource) -> dict[str, object] | Unknown:
    tags = reading.tags(plan, resource)
    return tags if tags is UNKNOWN else {key.lower(): value for key, value in tags.items()}
