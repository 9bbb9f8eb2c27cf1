"""Endpoints: the instances or workers of each variant."""

from collections.abc import Iterator
from typing import NamedTuple

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import ALWAYS, FleetActivity, ServerlessActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services import scaling, start_up
from sustainable_mlops.footprint.services.plan_side import (
    PlanSide,
    explain_missing,
    get_usage_or_default,
    note_training_plan,
    split_fallback_types,
    to_known_number,
)
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, Matches, Plan, Resource, Variant, list_instance_choices
from sustainable_mlops.plan.scaling import (
    Scaling,
    build_fixed_scaling,
    count_provisioned_workers,
    find_concurrency_scaling,
    find_instance_scaling,
    find_unattached_scaling,
)
from sustainable_mlops.plan.schedules import has_deletion_schedule


def read_endpoint(endpoint: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the variants of an endpoint."""
    configuration = side.joins.find_configuration(endpoint)
    if configuration is UNKNOWN:
        reason = "its configuration is not known until apply"
        return [make_unknown_part("endpoint", "real-time", reason, is_whole_resource=True)]
    if configuration is not None:
        return _read_variants(configuration, endpoint, side)
    before, configuration_name = side.get_before(), side.get_values(endpoint).text("endpoint_config_name")
    forgotten = before.joins.find_configuration(endpoint)
    if (
        isinstance(forgotten, Resource)
        and forgotten.action == "forget"
        and before.get_values(forgotten).text("name") == configuration_name
    ):
        return _read_variants(forgotten, endpoint, before)  # Terraform forgets it, and AWS keeps it
    return [make_unknown_part("endpoint", "real-time", "its configuration is not in this plan", is_whole_resource=True)]


def read_configuration(configuration: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the variants of a configuration without an endpoint in the plan; an endpoint outside it is assumed."""
    followers = [matches for plan in side.plans for matches in _find_followers(configuration.address, plan)]
    if any(matches.certain for matches in followers):
        return []
    if maybe := [endpoint.address for matches in followers for endpoint in matches.possible]:
        reason = f"it is not known until apply whether {maybe[0]} uses it"
        return [make_unknown_part("endpoint", "real-time", reason, is_whole_resource=True)]
    note = UnknownItem(
        "endpoint", "no endpoint of the plan uses this configuration; the estimate assumes one outside the plan"
    )
    parts = _read_variants(configuration, None, side)
    return [part._replace(omissions=(*part.omissions, note)) for part in parts]


def _find_followers(address: str, plan: Plan) -> list[Matches]:
    configuration = plan.find_resource(address)
    if configuration is None:
        return []
    return [joins.find_endpoints(configuration) for joins in (plan.joins, plan.joins_before)]


class _ServedVariant(NamedTuple):
    """A variant with its endpoint and configuration."""

    name: str
    variant: Variant
    #: Share of the endpoint's requests.
    share: float
    #: None if no endpoint of the plan uses the configuration.
    endpoint: Resource | None
    configuration: Resource
    #: True if the endpoint has other variants.
    has_siblings: bool
    region: str | None
    keys: UsageKeys
    side: PlanSide


def _read_variants(configuration: Resource, endpoint: Resource | None, side: PlanSide) -> list[ResourcePart]:
    variants = side.joins.list_variants(configuration)
    if variants is UNKNOWN:
        return [
            make_unknown_part("endpoint", "real-time", "its variants are not known until apply", is_whole_resource=True)
        ]
    owner = configuration if endpoint is None else endpoint
    served = [
        _ServedVariant(
            name=_name_variant(variant, number),
            variant=variant,
            share=share,
            endpoint=endpoint,
            configuration=configuration,
            has_siblings=len(variants) > 1,
            region=side.find_region(owner),
            keys=side.get_usage(owner.address),
            side=side,
        )
        for number, (variant, share) in enumerate(zip(variants, _compute_shares(variants), strict=True))
    ]
    return [_read_variant(one) for one in served]


def _name_variant(variant: Variant, number: int) -> str:
    name = variant.name if isinstance(variant.name, str) else str(number + 1)
    return f"shadow variant {name}" if variant.is_shadow else f"variant {name}"


def _compute_shares(variants: list[Variant]) -> list[float]:
    """Return the share of requests of each variant, by weight; a shadow variant gets a copy of all."""
    weights = [to_known_number(variant.block.number("initial_variant_weight")) for variant in variants]
    counted = [1.0 if weight is None else weight for weight in weights]
    whole = sum(weight for weight, variant in zip(counted, variants, strict=True) if not variant.is_shadow) or 1.0
    return [1.0 if variant.is_shadow else weight / whole for weight, variant in zip(counted, variants, strict=True)]


def _read_variant(served: _ServedVariant) -> ResourcePart:
    name, kind = served.name, served.variant.kind
    if kind is UNKNOWN:
        return make_unknown_part(name, "real-time", "its kind (serverless or instances) is not known until apply")
    if isinstance(served.variant.serverless, Block):
        return _read_serverless(served, served.variant.serverless)
    return _read_instances(served, kind)


def _read_instances(served: _ServedVariant, kind: str) -> ResourcePart:
    name, block, keys = served.name, served.variant.block, served.keys
    types = [choice.instance_type for choice in list_instance_choices(block)]
    instance_type = next((kind for kind in types if not isinstance(kind, str)), types[0])
    if not isinstance(instance_type, str):
        return make_unknown_part(name, kind, explain_missing(instance_type, "instance_type"))
    fallback_types, unknown_types = split_fallback_types(name, types)
    if served.endpoint is None:
        scaling_effect, is_deleted_by_schedule = find_unattached_scaling(served.variant), False
    else:
        scaling_effect = find_instance_scaling(served.endpoint, served.variant, served.side.joins)
        is_deleted_by_schedule = has_deletion_schedule(served.endpoint, served.side.joins) is True
    given_count = keys.get("instances")
    if scaling_effect.spans is UNKNOWN and given_count is not None:
        scaling_effect = build_fixed_scaling(given_count.central)
    if scaling_effect.spans is UNKNOWN:
        return make_unknown_part(name, kind, "the number of instances is not known until apply")
    max_hours = load_assumptions()["working_hours"] if is_deleted_by_schedule else ALWAYS
    use = scaling.estimate_usage(scaling_effect, kind, served.share, keys, max_hours)
    fleet = FleetActivity(
        instance_type=instance_type,
        region=served.region,
        count=use.count,
        hours=use.hours,
        duty=use.duty,
        hours_factor=use.hours_factor,
        volume_gb=to_known_number(block.number("volume_size_in_gb")) or 0.0,
        requests=get_usage_or_default(keys, "requests_per_month") * served.share,
        duration_s=get_usage_or_default(keys, "duration_seconds"),
        fallback_types=fallback_types,
    )
    left_out = (
        *_report_unknown_scaling(scaling_effect, given_count, "instances"),
        *_report_accelerator(served),
        *unknown_types,
        *note_training_plan(name, block.text("capacity_reservation_config.0.ml_reservation_arn")),
        *use.omissions,
    )
    part = make_part(name, kind, fleet, left_out)
    return part._replace(
        instances=use.instances,
        has_schedule=is_deleted_by_schedule or scaling_effect.has_scheduled_reduction is True,
        serverless_obstacles=tuple(_list_serverless_obstacles(served)),
        apply_note=_describe_apply(served) if scaling.is_asleep_without_backlog(scaling_effect, kind) else "",
    )


def _describe_apply(served: _ServedVariant) -> str:
    """Return the one-time usage of the apply for a variant that sleeps afterward."""
    if served.endpoint is None:
        return ""
    return start_up.describe_start_up(served.endpoint, served.name, served.variant.block, served.region)


def _read_serverless(served: _ServedVariant, block: Block) -> ResourcePart:
    memory = to_known_number(block.number("memory_size_in_mb"))
    if not memory:
        return make_unknown_part(
            served.name, "serverless", explain_missing(block.number("memory_size_in_mb"), "memory_size_in_mb")
        )
    scaling_effect = _read_provisioned(served)
    given_concurrency = served.keys.get("provisioned_concurrency")
    if given_concurrency is None and scaling_effect.spans is UNKNOWN:
        return make_unknown_part(served.name, "serverless", "its provisioned concurrency is not known until apply")
    activity = ServerlessActivity(
        memory_mb=int(memory),
        region=served.region,
        requests=get_usage_or_default(served.keys, "requests_per_month") * served.share,
        duration_s=get_usage_or_default(served.keys, "duration_seconds"),
        provisioned=given_concurrency or scaling.compute_mean(scaling_effect, "workers that are always ready"),
        max_concurrency=to_known_number(block.number("max_concurrency")) or None,
    )
    return _limit_to_concurrency(
        served.name, activity, _report_unknown_scaling(scaling_effect, given_concurrency, "provisioned_concurrency")
    )


def _read_provisioned(served: _ServedVariant) -> Scaling:
    """Return the scaling of the provisioned concurrency."""
    if served.endpoint is not None:
        return find_concurrency_scaling(served.endpoint, served.variant, served.side.joins)
    return build_fixed_scaling(count_provisioned_workers(served.variant, served.configuration, served.side.joins))


def _limit_to_concurrency(name: str, activity: ServerlessActivity, left_out: tuple[UnknownItem, ...]) -> ResourcePart:
    """Return the part with the requests that its concurrency admits; SageMaker refuses the others."""
    requests, duration = activity.requests.central, activity.duration_s.central
    if activity.max_concurrency is None or requests * duration <= activity.max_concurrency * HOURS_PER_MONTH * 3600:
        return make_part(name, "serverless", activity, left_out)
    max_requests = activity.max_concurrency * HOURS_PER_MONTH * 3600 / duration
    reason = (
        f"max_concurrency {activity.max_concurrency:g} admits {max_requests:,.0f} of {requests:,.0f} requests: the "
        "others are not counted"
    )
    admitted = activity._replace(requests=activity.requests.clamp(0.0, max_requests))
    return make_part(name, "serverless", admitted, (UnknownItem("requests", reason), *left_out))


def _report_unknown_scaling(scaled: Scaling, given_value: Quantity | None, key: str) -> tuple[UnknownItem, ...]:
    """Return a note for each scaling effect that is unknown, unless the usage file gives the number."""
    if given_value is not None:
        return ()
    reasons = scaled.unknown_reasons
    if UNKNOWN in (scaled.can_add, scaled.can_remove) and scaled.has_range:
        reasons = (*reasons, "the effect of its policies is unknown")
    texts = (f"{why}; set {key} in the usage file" for why in reasons)
    return tuple(UnknownItem("autoscaling", reason, UnknownKind.UNCOUNTED) for reason in texts)


def _report_accelerator(served: _ServedVariant) -> tuple[UnknownItem, ...]:
    """Return a note on an Elastic Inference accelerator beside the instance."""
    kind = served.variant.block.text("accelerator_type")
    if not isinstance(kind, str) or not kind:
        return ()
    reason = f"its accelerator {kind} is not counted: {instances.explain_unknown(kind)}"
    return (UnknownItem(served.name, reason, UnknownKind.UNCOUNTED),)


def _list_serverless_obstacles(served: _ServedVariant) -> Iterator[str]:
    """Yield what serverless inference does not support (SageMaker developer guide, "Feature exclusions")."""
    if served.has_siblings:
        yield "its endpoint has several variants"
    side = served.side
    if side.get_values(served.configuration).block("data_capture_config") is not None:
        yield "its requests are captured"
    if len(list_instance_choices(served.variant.block)) > 1:
        yield "its instance type depends on capacity"
    if not isinstance(served.variant.model, Resource):
        yield "its model is unknown"
        return
    model = side.get_values(served.variant.model)
    if model.block("vpc_config") is not None:
        yield "its model is in a VPC"
    if model.flag("enable_network_isolation") not in (None, False):
        yield "its model is isolated from the network"
    if model.blocks("container") != []:
        yield "its model may have several containers"
    if model.text("primary_container.0.mode") not in (None, "SingleModel"):
        yield "its endpoint serves several models"
