"""Tags that describe a workload: its environment and its latency SLO."""

from enum import IntEnum

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import attributes

#: Keys of tags with the name of the environment.
ENVIRONMENT_TAGS = ("environment", "env", "stage")
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_DURATION = LazyPattern(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|milliseconds?|seconds?|min|minutes?|hours?)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "mil": 0.001, "sec": 1, "min": 60, "hou": 3600}


class LatencySlo(IntEnum):
    """Latency SLO: the response time that callers accept, shortest first."""

    MILLISECONDS = 1
    COLD_START = 2
    MINUTES = 3
    BATCH = 4


def is_production(plan: Plan, resource: Resource) -> bool | Unknown | None:
    """Return whether a tag `environment` (or `env`, `stage`) names production, or None without such a tag."""
    tags = _read_lowercase_tags(plan, resource)
    if tags is UNKNOWN:
        return UNKNOWN
    value = next((tags[key] for key in ENVIRONMENT_TAGS if key in tags), None)
    return value.lower() in _PRODUCTION if isinstance(value, str) else UNKNOWN if value is UNKNOWN else None


def find_latency_slo(plan: Plan, resource: Resource) -> LatencySlo | str | Unknown | None:
    """Return the value of the tag `latency_slo`, or None without such a tag.

    The value is a name of the enumeration or a duration such as `200ms`. Other values are returned as text.
    """
    tags = _read_lowercase_tags(plan, resource)
    value = tags if tags is UNKNOWN else tags.get("latency_slo")
    if value is None or value is UNKNOWN:
        return value
    text = str(value).strip().lower()
    if text.upper() in LatencySlo.__members__:
        return LatencySlo[text.upper()]
    match = _DURATION.fullmatch(text)
    return _classify_seconds(float(match[1]) * _SECONDS[match[2][:3]]) if match else str(value)


def _classify_seconds(seconds: float) -> LatencySlo:
    """Return the level of a duration.

    A cold start takes seconds, and starting an instance takes minutes. A caller that can wait an hour can use a batch
    job.
    """
    if seconds < 1:
        return LatencySlo.MILLISECONDS
    if seconds < 60:
        return LatencySlo.COLD_START
    return LatencySlo.MINUTES if seconds < 3600 else LatencySlo.BATCH


def _read_lowercase_tags(plan: Plan, resource: Resource) -> dict[str, object] | Unknown:
    tags = attributes.read_tags(plan, resource)
    return tags if tags is UNKNOWN else {key.lower(): value for key, value in tags.items()}
