"""Estimated duration of a run on AWS. No figure is measured: each is an assumption until a report of AWS exists."""

from collections.abc import Iterable

from clone.prove.settings import BASE, ProofSettings
from clone.prove.stage import Stage

#: Minutes of a module from its apply to the end of its destruction. Endpoints start instances four times.
_MINUTES = {
    "storage": 4,
    "access": 4,
    "feature_store": 25,
    "model_registry": 6,
    "pipeline": 25,
    "serverless_endpoint": 25,
    "async_endpoint": 60,
    "realtime_endpoint": 75,
    "observability": 12,
    "network": 15,
    "images": 6,
    "studio": 15,
    "footprint": 6,
    "bootstrap": 8,
    "environment": 20,
}
#: Minutes of a slow check, which has an endpoint of its own.
_CHECK_MINUTES = 65
#: Minutes of the destruction of storage and access.
_END_MINUTES = 4


def estimate_minutes(settings: ProofSettings, stages: Iterable[type[Stage]]) -> int:
    """Return the duration of the longest chain of modules that wait for each other."""
    base = sum(_MINUTES[name] for name in BASE)
    ends: dict[str, int] = {}
    for stage in stages:  # a stage comes after those that it waits for
        if stage.module in settings.modules:
            before = [ends[name] for name in (*stage.requires, *stage.after) if name in ends]
            begin = max(before, default=0 if stage.is_independent else base)
            ends[stage.module] = begin + _MINUTES[stage.module]
    checks = [base + _CHECK_MINUTES for _ in settings.extra_checks]
    return max([base, *ends.values(), *checks]) + _END_MINUTES
