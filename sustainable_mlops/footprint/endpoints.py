"""Endpoints: what each variant keeps running."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import scaling
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.parts import Part, Side, default, known, known_number, says, unknown
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.things import HOURS_PER_MONTH, NONE, Fleet, Serverless
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Matches, Plan, Resource, Variant


def of_endpoint(endpoint: Resource, side: Side) -> list[Part]:
    """The variants that `endpoint` runs."""
    configuration = side.joins.configuration(endpoint)
    if configuration is UNKNOWN:
        reason = "which configuration it follows is not known until apply"
        return [unknown("endpoint", "real-time", reason, whole=True)]
    if configuration is not None:
        return _variants(configuration, endpoint, side)
    past, followed = side.past(), side.values(endpoint).text("endpoint_config_name")
    left = past.joins.configuration(endpoint)
    if isinstance(left, Resource) and left.action == "forget" and past.values(left).text("name") == followed:
        return _variants(left, endpoint, past)  # Terraform forgets it, and AWS keeps it
    return [unknown("endpoint", "real-time", "its configuration is not in this plan", whole=True)]


def of_configuration(configuration: Resource, side: Side) -> list[Part]:
    """The variants of a configuration that no endpoint follows, on either side: one elsewhere is taken to."""
    followers = [found for plan in side.plans for found in _followers(configuration.address, plan)]
    if any(found.sure for found in followers):
        return []
    if maybe := [endpoint.address for found in followers for endpoint in found.maybe]:
        reason = f"whether {maybe[0]} follows it is not known until apply"
        return [unknown("endpoint", "real-time", reason, whole=True)]
    note = Unknown("endpoint", "no endpoint of the plan follows this configuration; one elsewhere is taken to")
    parts = _variants(configuration, None, side)
    return [replace(part, left_out=(*part.left_out, note)) for part in parts]


def _followers(address: str, plan: Plan) -> list[Matches]:
    configuration = plan.resource(address)
    if configuration is None:
        return []
    return [joins.endpoints(configuration) for joins in (plan.joins, plan.joins_before)]


class _Served(NamedTuple):
    """A variant and where it belongs."""

    name: str
    variant: Variant
    #: What it gets of the endpoint's requests.
    share: float
    scaling: Matches
    configuration: Resource
    #: Whether other variants share the endpoint.
    several: bool
    region: str | None
    keys: Keys
    side: Side


def _variants(configuration: Resource, endpoint: Resource | None, side: Side) -> list[Part]:
    variants = side.joins.variants(configuration)
    if variants is UNKNOWN:
        return [unknown("endpoint", "real-time", "its variants are not known until apply", whole=True)]
    owner = configuration if endpoint is None else endpoint
    served = [
        _Served(
            name=_name(variant, number),
            variant=variant,
            share=share,
            scaling=_scaling(variant, variants, endpoint, side),
            configuration=configuration,
            several=len(variants) > 1,
            region=side.region(owner),
            keys=side.usage(owner.address),
            side=side,
        )
        for number, (variant, share) in enumerate(zip(variants, _shares(variants), strict=True))
    ]
    return [_variant(one) for one in served]


def _name(variant: Variant, number: int) -> str:
    name = variant.name if isinstance(variant.name, str) else str(number + 1)
    return f"shadow variant {name}" if variant.shadow else f"variant {name}"


def _shares(variants: list[Variant]) -> list[float]:
    """What each variant gets of the requests, by weight; a shadow variant gets a copy of them all."""
    weights = [known_number(variant.block.number("initial_variant_weight")) for variant in variants]
    counted = [1.0 if weight is None else weight for weight in weights]
    whole = sum(weight for weight, variant in zip(counted, variants, strict=True) if not variant.shadow) or 1.0
    return [1.0 if variant.shadow else weight / whole for weight, variant in zip(counted, variants, strict=True)]


def _scaling(variant: Variant, variants: list[Variant], endpoint: Resource | None, side: Side) -> Matches:
    if endpoint is None:
        return Matches()
    if len(variants) == 1:  # whatever its name, which Terraform makes up where none is given
        return side.joins.scalable_targets(endpoint)
    return side.joins.scalable_targets(endpoint, UNKNOWN if variant.name is None else variant.name)


def _variant(served: _Served) -> Part:
    name, kind = served.name, served.variant.kind
    if kind is UNKNOWN:
        return unknown(name, "real-time", "whether it is serverless or has instances is not known until apply")
    if isinstance(served.variant.serverless, Block):
        return _serverless(served, served.variant.serverless)
    return _instances(served, kind)


def _instances(served: _Served, kind: str) -> Part:
    name, block, keys = served.name, served.variant.block, served.keys
    instance_type = block.text("instance_type")
    if not isinstance(instance_type, str):
        return unknown(name, kind, says(instance_type, "instance_type"))
    size = scaling.limits(block, served.scaling, served.side)
    if size is None:
        return unknown(name, kind, "how many instances it has is not known until apply")
    use = scaling.use(size, kind, served.share, keys)
    fleet = Fleet(
        instance_type=instance_type,
        region=served.region,
        count=use.count,
        hours=use.hours,
        duty=use.duty,
        stretch=use.stretch,
        volume_gb=known_number(block.number("volume_size_in_gb")) or 0.0,
        requests=default(keys, "requests_per_month") * served.share,
        duration_s=default(keys, "duration_seconds"),
    )
    left_out = (*_unsure(served.scaling), *_scheduled(served), *_accelerator(served), *use.left_out)
    part = known(name, kind, fleet, left_out)
    return replace(part, instances=use.instances, not_serverless=tuple(_against_serverless(served)))


def _serverless(served: _Served, block: Block) -> Part:
    memory = known_number(block.number("memory_size_in_mb"))
    if not memory:
        return unknown(served.name, "serverless", says(block.number("memory_size_in_mb"), "memory_size_in_mb"))
    ready = _ready(served, block)
    if ready is None:
        return unknown(served.name, "serverless", "its provisioned concurrency is not known until apply")
    thing = Serverless(
        memory_mb=int(memory),
        region=served.region,
        requests=default(served.keys, "requests_per_month") * served.share,
        duration_s=default(served.keys, "duration_seconds"),
        provisioned=ready,
        at_once=known_number(block.number("max_concurrency")) or None,
    )
    return _within_concurrency(served.name, thing)


def _within_concurrency(name: str, thing: Serverless) -> Part:
    """What its concurrency lets through: SageMaker refuses the rest."""
    asked, duration = thing.requests.central, thing.duration_s.central
    if thing.at_once is None or asked * duration <= thing.at_once * HOURS_PER_MONTH * 3600:
        return known(name, "serverless", thing)
    most = thing.at_once * HOURS_PER_MONTH * 3600 / duration
    reason = f"max_concurrency {thing.at_once:g} lets {most:,.0f} of {asked:,.0f} through: the rest is not counted"
    let_through = replace(thing, requests=thing.requests.at(0.0, most))
    return known(name, "serverless", let_through, (Unknown("requests", reason),))


def _ready(served: _Served, block: Block) -> Quantity | None:
    """The workers that are kept ready; None where nobody knows."""
    given = served.keys.get("provisioned_concurrency")
    if given is not None:
        return given
    scaled = scaling.scaled_between(served.scaling, scaling.CONCURRENCY, served.side)
    if scaled is UNKNOWN:
        return None
    if scaled is not None:
        return scaling.expected(*scaled, "workers kept ready")
    value = block.number("provisioned_concurrency")
    number = known_number(value)
    if value is None or _never_set(served, block):
        return NONE
    return None if number is None else exactly(number)


def _never_set(served: _Served, block: Block) -> bool:
    """The attribute is computed as well: nobody sets it, so it stays unset though it is unknown."""
    path = f"{block.path}.provisioned_concurrency"
    return block.get("provisioned_concurrency") is UNKNOWN and (
        served.side.joins.configured(served.configuration, path) is False
    )


def _unsure(targets: Matches) -> tuple[Unknown, ...]:
    """Scalable targets that may or may not be this variant's."""
    if targets.sure or not targets.maybe:
        return ()
    names = ", ".join(target.address for target in targets.maybe[:3])
    return (Unknown("autoscaling", f"whether it is scaled by {names} is not known until apply"),)


def _scheduled(served: _Served) -> tuple[Unknown, ...]:
    """Scheduled actions, whose effect on the average only the usage file tells."""
    keys, joins = served.keys, served.side.joins
    given = keys.get("instances") is not None or keys.get("hours_per_month") is not None
    if given or not any(joins.scheduled_actions(target).sure for target in served.scaling.sure):
        return ()
    reason = "scheduled actions change the number of instances; give hours_per_month or instances in the usage file"
    return (Unknown(served.name, reason),)


def _accelerator(served: _Served) -> tuple[Unknown, ...]:
    """A part of an accelerator beside the instance, as Elastic Inference was."""
    kind = served.variant.block.text("accelerator_type")
    if not isinstance(kind, str) or not kind:
        return ()
    return (Unknown(served.name, f"its accelerator {kind} is not counted: {instances.why_unknown(kind)}"),)


def _against_serverless(served: _Served) -> Iterator[str]:
    """What serverless inference does not take (SageMaker developer guide, "Feature exclusions")."""
    if served.several:
        yield "it is one of several variants"
    side = served.side
    if side.values(served.configuration).block("data_capture_config") is not None:
        yield "its requests are captured"
    if not isinstance(served.variant.model, Resource):
        yield "its model is not known"
        return
    model = side.values(served.variant.model)
    if model.block("vpc_config") is not None:
        yield "its model is in a VPC"
    if model.flag("enable_network_isolation") not in (None, False):
        yield "its model is isolated from the network"
    if model.blocks("container") != []:
        yield "its model may have several containers"
    if model.text("primary_container.0.mode") not in (None, "SingleModel"):
        yield "its endpoint serves several models"
