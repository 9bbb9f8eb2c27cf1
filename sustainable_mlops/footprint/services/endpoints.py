"""Endpoints: what each variant keeps running."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.activities import ALWAYS, HOURS_PER_MONTH, Fleet, Serverless
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import Part, known, unknown
from sustainable_mlops.footprint.services import scaling, start_up
from sustainable_mlops.footprint.services.plan_side import Side, default, known_number, says
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Matches, Plan, Resource, Variant
from sustainable_mlops.plan.scaling import Scaling, of_concurrency, of_instances, ready, still, unscaled
from sustainable_mlops.plan.schedules import deletes


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
    configuration = plan.find_resource(address)
    if configuration is None:
        return []
    return [joins.endpoints(configuration) for joins in (plan.joins, plan.joins_before)]


class _Served(NamedTuple):
    """A variant and where it belongs."""

    name: str
    variant: Variant
    #: What it gets of the endpoint's requests.
    share: float
    #: None where none of the plan follows the configuration.
    endpoint: Resource | None
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
            endpoint=endpoint,
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
    if served.endpoint is None:
        scaled, deleted = unscaled(served.variant), False
    else:
        scaled = of_instances(served.endpoint, served.variant, served.side.joins)
        deleted = deletes(served.endpoint, served.side.joins) is True
    given = keys.get("instances")
    if scaled.spans is UNKNOWN and given is not None:
        scaled = still(given.central)
    if scaled.spans is UNKNOWN:
        return unknown(name, kind, "how many instances it has is not known until apply")
    longest = assumptions()["working_hours"] if deleted else ALWAYS
    use = scaling.use(scaled, kind, served.share, keys, longest)
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
    left_out = (*_untold(scaled, given, "instances"), *_accelerator(served), *use.left_out)
    part = known(name, kind, fleet, left_out)
    return replace(
        part,
        instances=use.instances,
        rests=deleted or scaled.rests is True,
        not_serverless=tuple(_against_serverless(served)),
        once=_once(served) if scaling.sleeps(scaled, kind) else "",
    )


def _once(served: _Served) -> str:
    """What the apply alone uses of a variant that sleeps afterwards."""
    if served.endpoint is None:
        return ""
    return start_up.of_apply(served.endpoint, served.name, served.variant.block, served.region)


def _serverless(served: _Served, block: Block) -> Part:
    memory = known_number(block.number("memory_size_in_mb"))
    if not memory:
        return unknown(served.name, "serverless", says(block.number("memory_size_in_mb"), "memory_size_in_mb"))
    scaled = _ready(served)
    given = served.keys.get("provisioned_concurrency")
    if given is None and scaled.spans is UNKNOWN:
        return unknown(served.name, "serverless", "its provisioned concurrency is not known until apply")
    activity = Serverless(
        memory_mb=int(memory),
        region=served.region,
        requests=default(served.keys, "requests_per_month") * served.share,
        duration_s=default(served.keys, "duration_seconds"),
        provisioned=given or scaling.mean(scaled, "workers kept ready"),
        at_once=known_number(block.number("max_concurrency")) or None,
    )
    return _within_concurrency(served.name, activity, _untold(scaled, given, "provisioned_concurrency"))


def _ready(served: _Served) -> Scaling:
    """What scales the workers that are kept ready."""
    if served.endpoint is not None:
        return of_concurrency(served.endpoint, served.variant, served.side.joins)
    return still(ready(served.variant, served.configuration, served.side.joins))


def _within_concurrency(name: str, activity: Serverless, left_out: tuple[Unknown, ...]) -> Part:
    """What its concurrency lets through: SageMaker refuses the rest."""
    asked, duration = activity.requests.central, activity.duration_s.central
    if activity.at_once is None or asked * duration <= activity.at_once * HOURS_PER_MONTH * 3600:
        return known(name, "serverless", activity, left_out)
    most = activity.at_once * HOURS_PER_MONTH * 3600 / duration
    reason = f"max_concurrency {activity.at_once:g} lets {most:,.0f} of {asked:,.0f} through: the rest is not counted"
    let_through = replace(activity, requests=activity.requests.at(0.0, most))
    return known(name, "serverless", let_through, (Unknown("requests", reason), *left_out))


def _untold(scaled: Scaling, given: Quantity | None, key: str) -> tuple[Unknown, ...]:
    """What may set other numbers, where nobody gives them."""
    if given is not None:
        return ()
    whys = scaled.untold
    if UNKNOWN in (scaled.adds, scaled.takes) and scaled.ranges:
        whys = (*whys, "whether its policies ever act is not known")
    reasons = (f"{why}; give {key} in the usage file" for why in whys)
    return tuple(Unknown("autoscaling", reason, Lack.UNCOUNTED) for reason in reasons)


def _accelerator(served: _Served) -> tuple[Unknown, ...]:
    """A part of an accelerator beside the instance, as Elastic Inference was."""
    kind = served.variant.block.text("accelerator_type")
    if not isinstance(kind, str) or not kind:
        return ()
    reason = f"its accelerator {kind} is not counted: {instances.why_unknown(kind)}"
    return (Unknown(served.name, reason, Lack.UNCOUNTED),)


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
