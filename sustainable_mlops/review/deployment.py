"""Risks for endpoints: SageMaker deploys when a name changes, not when the content changes.

Reserved capacity is in CloudFormation types only: AWS provider 6.47 has no capacity reservation of a variant.
"""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Block, Resource, Unknown
from sustainable_mlops.plan.addresses import list_call_names, split_parent
from sustainable_mlops.plan.joins import ENDPOINT, ENDPOINT_CONFIGURATION, MODEL
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import Level, Risk, RiskArea

#: Variable of an environment with the package of each model. Each key has an endpoint.
_PACKAGES = "model_packages"
_FIX = "Include a hash of the content in `name`, and set create_before_destroy."


def find_deployment_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of endpoints that keep an old configuration or model, or that stop responding."""
    for pair in comparison.changes:
        if pair.type == ENDPOINT_CONFIGURATION and pair.action in ("replace", "delete") and pair.old is not None:
            yield from _find_stale_endpoints(pair, pair.old, comparison)
        if pair.type == ENDPOINT_CONFIGURATION:
            yield from _find_lost_capacity(pair)
        if pair.type == MODEL and pair.action == "replace" and _keeps_name(pair):
            for other in _list_unchanged_users(pair, comparison):
                description = (
                    f"replaced with the same name, but {other} does not change: its endpoints keep the old model"
                )
                yield Risk("ENDPOINT_STALE", RiskArea.DATA, Level.STOP, pair.address, description, _FIX)
        if pair.type == ENDPOINT and pair.action == "delete" and (model := _find_unlisted_model(pair, comparison)):
            yield _make_unlisted_risk(pair, model)
        elif pair.type == ENDPOINT and pair.action in ("replace", "delete"):
            description = (
                "replaced: does not respond until it is created again" if pair.action == "replace" else "deleted"
            )
            yield Risk("ENDPOINT_DOWN", RiskArea.DATA, Level.LOOK, pair.address, f"{description}; callers get errors")


def _find_unlisted_model(pair: ResourcePair, comparison: Comparison) -> str | None:
    """Return the model of an endpoint whose module remains but whose package left the variable; None for others."""
    configuration, module = comparison.plan.configuration, pair.resource.module_parts
    packages = configuration.find_variable(_PACKAGES)
    if not isinstance(packages, dict) or not configuration.find_call(list_call_names(module)):
        return None
    model = split_parent(module)[1]
    return model if isinstance(model, str) and model not in packages else None


def _make_unlisted_risk(pair: ResourcePair, model: str) -> Risk:
    name = pair.before.text("name") if pair.before is not None else None
    description = (
        f"endpoint {name if isinstance(name, str) else pair.address} is destroyed, because its model package is no "
        f"longer in models.auto.tfvars.json ({_PACKAGES} has no {model}); callers get errors"
    )
    fix = (
        f"Add the package of {model} again, as smlops deploy {model} does; the file needs an entry for each model. To "
        "remove the endpoint, accept the risk."
    )
    return Risk("ENDPOINT_UNLISTED", RiskArea.DATA, Level.STOP, pair.address, description, fix)


def _find_lost_capacity(pair: ResourcePair) -> Iterator[Risk]:
    """Yield a risk if no variant of a configuration keeps reserved capacity."""
    if pair.before is not None and pair.after is not None and _list_reservations(pair.after) == []:
        for reservation in _list_reservations(pair.before):
            description = f"no longer uses {reservation}: AWS may have no capacity for its instances"
            yield Risk("ENDPOINT_CAPACITY", RiskArea.DATA, Level.LOOK, pair.address, description)


def _list_reservations(configuration: Block) -> list[str | Unknown]:
    """Return the training plans that the variants use."""
    variants = configuration.blocks("production_variants")
    if variants is UNKNOWN:
        return [UNKNOWN]
    arns = [one.text("capacity_reservation_config.0.ml_reservation_arn") for one in variants]
    return [one for one in dict.fromkeys(arns) if one not in (None, "")]


def _find_stale_endpoints(pair: ResourcePair, configuration: Resource, comparison: Comparison) -> Iterator[Risk]:
    for endpoint in comparison.joins_before.find_endpoints(configuration).certain:
        other = comparison.pair(endpoint)
        if not other.is_same_object or other.after is None or other.before is None:
            continue
        name = other.after.text("endpoint_config_name")
        if name == other.before.text("endpoint_config_name"):
            description = f"{pair.action}d, but {other.address} is not updated and keeps the old configuration"
            yield Risk("ENDPOINT_STALE", RiskArea.DATA, Level.STOP, pair.address, description, _FIX)


def _keeps_name(pair: ResourcePair) -> bool:
    old = pair.before.text("name") if pair.before is not None else None
    new = pair.after.text("name") if pair.after is not None else None
    return isinstance(old, str) and old == new


def _list_unchanged_users(model: ResourcePair, comparison: Comparison) -> Iterator[str]:
    for other in comparison.by_type.get(ENDPOINT_CONFIGURATION, ()):
        if not other.is_same_object or other.new is None:
            continue
        variants = comparison.joins_after.list_variants(other.new)
        if variants is not UNKNOWN and any(variant.model is model.new for variant in variants):
            yield other.address
