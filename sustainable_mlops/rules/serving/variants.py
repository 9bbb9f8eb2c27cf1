"""Helpers for the rules of serving: the variants of a configuration or an endpoint, and their models."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from sustainable_mlops.base.wording import pluralize
from sustainable_mlops.plan import (
    UNKNOWN,
    Block,
    PipelineStep,
    Plan,
    PlannedPipeline,
    Resource,
    Unknown,
    Variant,
    joins,
)
from sustainable_mlops.plan.joins import RelatedResource
from sustainable_mlops.plan.scaling import Scaling, find_variant_targets
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.jobs import PIPELINE, check_steps, locate_step
from sustainable_mlops.rules.rule import Check, RuleResult, RuleResults, unknown_result

CONFIGURATION = "aws_sagemaker_endpoint_configuration"
ENDPOINT = "aws_sagemaker_endpoint"
SERVERLESS, ASYNCHRONOUS, REAL_TIME = joins.SERVERLESS, joins.ASYNCHRONOUS, joins.REAL_TIME

#: Types that create endpoint configurations: the resource, and pipelines with such steps.
CONFIGURATION_TYPES = (CONFIGURATION, PIPELINE)
#: The lists of variants in an endpoint configuration.
VARIANTS = ("production_variants", "shadow_production_variants")

VariantCheck = Callable[[Variant], RuleResults]

_KIND_UNKNOWN = "it is not known until apply whether the variant is serverless"


def check_each_variant(plan: Plan, resource: Resource, check: VariantCheck, *kinds: str) -> RuleResults:
    """Yield the results of `check` for the variants of these kinds, of an endpoint or of an endpoint configuration.

    The result is unknown for a variant of unknown kind, and for an endpoint whose configuration is not in the plan.
    """
    resource_variants = list_variants(plan, resource)
    if resource_variants is UNKNOWN:
        yield unknown_result(_explain_no_variants(_find_configuration(plan, resource)), "production_variants")
        return
    for variant in resource_variants:
        if variant.kind is UNKNOWN:
            yield unknown_result(_KIND_UNKNOWN, variant.block.path)
        elif variant.kind in kinds:
            yield from check(variant)


def check_variants(*kinds: str) -> Callable[[Callable[[CreateRequest, CreateRequest], RuleResults]], Check]:
    """Turn a check of one variant, with the whole request, into a check of resources and steps with such requests.

    The check covers the variants of these kinds, or all variants without kinds. The result is unknown for a variant of
    unknown kind.
    """

    def wrap(check: Callable[[CreateRequest, CreateRequest], RuleResults]) -> Check:
        def check_request(request: CreateRequest) -> RuleResults:
            for variant in _select_variants(request, kinds):
                if isinstance(variant, RuleResult):
                    yield variant
                else:
                    yield from check(request, variant)

        @check_steps("EndpointConfig")
        def check_step(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
            yield from check_request(CreateRequest(step, (), locate_step(step), api=True))

        def check_resource(plan: Plan, resource: Resource) -> RuleResults:
            if resource.type == PIPELINE:
                yield from check_step(plan, resource)
            else:
                yield from check_request(CreateRequest(resource, (), "", api=False))

        check_resource.__doc__ = check.__doc__
        return check_resource

    return wrap


def _select_variants(request: CreateRequest, kinds: tuple[str, ...]) -> Iterator[CreateRequest | RuleResult]:
    for variants in VARIANTS:
        count = request.count_blocks(variants)
        if count is UNKNOWN or (count == 0 and variants == "production_variants"):  # a configuration always has one
            yield request.unknown_result(variants)
            continue
        for variant in (request.select_item(variants, number) for number in range(count)):
            kind = _find_kind(request, variant) if kinds else None
            if kind is UNKNOWN:
                yield unknown_result(_KIND_UNKNOWN, variant.locate())
            elif kind is None or kind in kinds:
                yield variant


def _find_kind(request: CreateRequest, variant: CreateRequest) -> str | Unknown:
    serverless, asynchronous = variant.count_blocks("serverless_config"), request.count_blocks("async_inference_config")
    if serverless is UNKNOWN or (serverless == 0 and asynchronous is UNKNOWN):
        return UNKNOWN
    if serverless:
        return SERVERLESS
    return ASYNCHRONOUS if asynchronous else REAL_TIME


@lru_cache(maxsize=10_000)
def list_variants(plan: Plan, resource: Resource) -> list[Variant] | Unknown:
    """Return the variants of an endpoint or of an endpoint configuration. The result is cached for the rules."""
    return plan.joins.list_variants(_find_configuration(plan, resource))


def _find_configuration(plan: Plan, resource: Resource) -> RelatedResource:
    return resource if resource.type == CONFIGURATION else plan.joins.find_configuration(resource)


def _explain_no_variants(configuration: RelatedResource) -> str:
    if configuration is None:
        return "its configuration is not in this plan"
    return "its variants are not known until apply"


def find_kinds(plan: Plan, endpoint: RelatedResource) -> set[str] | Unknown:
    """Return the kinds of an endpoint's variants, or `UNKNOWN` if one of them is unknown."""
    endpoint_variants = list_variants(plan, endpoint) if isinstance(endpoint, Resource) else UNKNOWN
    if endpoint_variants is UNKNOWN:
        return UNKNOWN
    kinds = {variant.kind for variant in endpoint_variants}
    return UNKNOWN if UNKNOWN in kinds else {kind for kind in kinds if isinstance(kind, str)}


def describe_variant(variant: Variant) -> str:
    """Return the variant's name for a message."""
    return f"variant {variant.name}" if isinstance(variant.name, str) else "the variant"


def format_instances(count: float | Unknown | None) -> str:
    """Return a number of instances for a message."""
    return f"{count} {pluralize('instance', count)}"


def list_requested_types(variant: CreateRequest) -> Iterator[tuple[CreateRequest, str | Unknown | None]]:
    """Yield the instance type of a variant, or those of its pools, each with the part of the request that names it."""
    count = variant.count_blocks("instance_pools")
    if count is UNKNOWN:
        yield variant, UNKNOWN
        return
    for one in [variant.select_item("instance_pools", number) for number in range(count)] or [variant]:
        yield one, one.text("instance_type")


def hosts_components(variant: Variant) -> bool:
    """Return whether the variant names no model, so that inference components provide the models.

    An unknown name is still the name of a model.
    """
    name = variant.block.text("model_name")
    return name is not UNKNOWN and not name


def check_each_target(
    plan: Plan, endpoint: Resource, check: Callable[[Resource, Variant], RuleResults], *kinds: str
) -> RuleResults:
    """Yield the results of `check` for the scalable targets of an endpoint's variants of these kinds.

    The result is unknown if only a possible target exists: a variant without a configured name gets its name on apply.
    """

    def check_variant(variant: Variant) -> RuleResults:
        targets = find_variant_targets(endpoint, variant, plan.joins)
        for target in targets.certain:
            yield from check(target, variant)
        if targets.possible and not targets.certain:
            yield unknown_result(
                f"the scalable target of {describe_variant(variant)} is not known until apply", variant.block.path
            )

    yield from check_each_variant(plan, endpoint, check_variant, *kinds)


def explain_unknown_scaling(scaling: Scaling, variant: Variant) -> str:
    """Return the reason why the scaling of a variant is unknown."""
    if scaling.unknown_reasons:
        return scaling.unknown_reasons[0]
    if scaling.spans is UNKNOWN:
        return f"the scaling limits of {describe_variant(variant)} are not known until apply"
    return f"it is not known whether the scaling policies of {describe_variant(variant)} have an effect"


def list_containers(model: Resource) -> list[Block] | Unknown:
    """Return the containers of a model, the primary one first."""
    primary, more = model.new.blocks("primary_container"), model.new.blocks("container")
    return UNKNOWN if primary is UNKNOWN or more is UNKNOWN else [*primary, *more]


def find_model(variant: Variant) -> Resource | RuleResult:
    """Return the variant's model, or an unknown result."""
    if isinstance(variant.model, Resource):
        return variant.model
    reason = "its model is not in this plan" if variant.model is None else "its model is not known until apply"
    return unknown_result(reason, f"{variant.block.path}.model_name")


def list_images(model: Resource) -> Iterator[str | Unknown]:
    """Yield the images of a model. An image is `UNKNOWN` if the plan does not show it, as for a model package."""
    model_containers = list_containers(model)
    if model_containers is UNKNOWN:
        yield UNKNOWN
        return
    for container in model_containers:
        image = container.text("image")
        yield image if isinstance(image, str) and image else UNKNOWN
