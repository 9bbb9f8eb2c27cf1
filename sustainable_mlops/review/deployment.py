"""Deployments that do not happen: SageMaker follows names, not contents."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Resource
from sustainable_mlops.plan.joins import ENDPOINT, ENDPOINT_CONFIGURATION, MODEL
from sustainable_mlops.review.comparison import Comparison, Pair
from sustainable_mlops.review.risk import Level, Risk, Section

_FIX = "Give it a name made of its contents (`name` with a hash of them) and create_before_destroy."


def deployment(comparison: Comparison) -> Iterator[Risk]:
    """Configurations and models replaced under endpoints that do not notice, and endpoints that stop answering."""
    for pair in comparison.changes:
        if pair.type == ENDPOINT_CONFIGURATION and pair.action in ("replace", "delete") and pair.old is not None:
            yield from _unnoticed(pair, pair.old, comparison)
        if pair.type == MODEL and pair.action == "replace" and _same_name(pair):
            for other in _users_that_stay(pair, comparison):
                what = f"replaced under the same name, but {other} does not change: its endpoints keep the old model"
                yield Risk("ENDPOINT_STALE", Section.DATA, Level.STOP, pair.address, what, _FIX)
        if pair.type == ENDPOINT and pair.action in ("replace", "delete"):
            what = "replaced: does not answer until it is made anew" if pair.action == "replace" else "deleted"
            yield Risk("ENDPOINT_DOWN", Section.DATA, Level.LOOK, pair.address, f"{what}; callers get errors")


def _unnoticed(pair: Pair, configuration: Resource, comparison: Comparison) -> Iterator[Risk]:
    for endpoint in comparison.joins_before.endpoints(configuration).sure:
        other = comparison.pair(endpoint)
        if not other.stays or other.after is None or other.before is None:
            continue
        name = other.after.text("endpoint_config_name")
        if name == other.before.text("endpoint_config_name"):
            what = f"{pair.action}d, but {other.address} does not change: it goes on with the old configuration"
            yield Risk("ENDPOINT_STALE", Section.DATA, Level.STOP, pair.address, what, _FIX)


def _same_name(pair: Pair) -> bool:
    old = pair.before.text("name") if pair.before is not None else None
    new = pair.after.text("name") if pair.after is not None else None
    return isinstance(old, str) and old == new


def _users_that_stay(model: Pair, comparison: Comparison) -> Iterator[str]:
    for other in comparison.by_type.get(ENDPOINT_CONFIGURATION, ()):
        if not other.stays or other.new is None:
            continue
        variants = comparison.joins_after.variants(other.new)
        if variants is not UNKNOWN and any(variant.model is model.new for variant in variants):
            yield other.address
