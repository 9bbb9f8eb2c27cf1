"""What the rules of hosting share: the variants behind a configuration or an endpoint, and what runs in them."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Block, Pipeline, Plan, Resource, Step, Unknown, Variant, joins
from sustainable_mlops.plan.joins import Joined
from sustainable_mlops.plan.scaling import Scaling, targets_of
from sustainable_mlops.rules.jobs import PIPELINE, on_steps, place
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Check, Verdict, Verdicts, unknown

CONFIGURATION = "aws_sagemaker_endpoint_configuration"
ENDPOINT = "aws_sagemaker_endpoint"
SERVERLESS, ASYNCHRONOUS, REAL_TIME = joins.SERVERLESS, joins.ASYNCHRONOUS, joins.REAL_TIME

#: What asks for endpoint configurations: the resource, and steps of a pipeline.
CONFIGURES = (CONFIGURATION, PIPELINE)
#: The lists of variants in an endpoint configuration.
VARIANTS = ("production_variants", "shadow_production_variants")

Judge = Callable[[Variant], Verdicts]

_KIND_UNKNOWN = "whether the variant is serverless is not known until apply"


def each_variant(plan: Plan, resource: Resource, judge: Judge, *kinds: str) -> Verdicts:
    """What `judge` says of the variants of these kinds, of an endpoint or of an endpoint configuration.

    One whose kind cannot be told is unknown; so is an endpoint whose configuration is not in the plan.
    """
    found = variants(plan, resource)
    if found is UNKNOWN:
        yield unknown(_why_no_variants(_configuration(plan, resource)), "production_variants")
        return
    for variant in found:
        if variant.kind is UNKNOWN:
            yield unknown(_KIND_UNKNOWN, variant.block.path)
        elif variant.kind in kinds:
            yield from judge(variant)


def on_variants(*kinds: str) -> Callable[[Callable[[Request, Request], Verdicts]], Check]:
    """Make a check of one variant, given with the whole request, the check of what asks for endpoint configurations.

    Of variants of these kinds, all without any; one whose kind matters and cannot be told is unknown.
    """

    def wrap(check: Callable[[Request, Request], Verdicts]) -> Check:
        def of_request(request: Request) -> Verdicts:
            for variant in _variants_of(request, kinds):
                if isinstance(variant, Verdict):
                    yield variant
                else:
                    yield from check(request, variant)

        @on_steps("EndpointConfig")
        def of_step(_: Pipeline, step: Step) -> Verdicts:
            yield from of_request(Request(step, (), place(step), api=True))

        def over(plan: Plan, resource: Resource) -> Verdicts:
            if resource.type == PIPELINE:
                yield from of_step(plan, resource)
            else:
                yield from of_request(Request(resource, (), "", api=False))

        over.__doc__ = check.__doc__
        return over

    return wrap


def _variants_of(request: Request, kinds: tuple[str, ...]) -> Iterator[Request | Verdict]:
    for variants in VARIANTS:
        count = request.listed(variants)
        if count is UNKNOWN or (count == 0 and variants == "production_variants"):  # there always is one
            yield request.unknown(variants)
            continue
        for variant in (request.within(variants, number) for number in range(count)):
            kind = _kind(request, variant) if kinds else None
            if kind is UNKNOWN:
                yield unknown(_KIND_UNKNOWN, variant.where())
            elif kind is None or kind in kinds:
                yield variant


def _kind(request: Request, variant: Request) -> str | Unknown:
    serverless, asynchronous = variant.listed("serverless_config"), request.listed("async_inference_config")
    if serverless is UNKNOWN or (serverless == 0 and asynchronous is UNKNOWN):
        return UNKNOWN
    if serverless:
        return SERVERLESS
    return ASYNCHRONOUS if asynchronous else REAL_TIME


@lru_cache(maxsize=10_000)
def variants(plan: Plan, resource: Resource) -> list[Variant] | Unknown:
    """The variants of an endpoint or of an endpoint configuration; most rules of hosting ask for them."""
    return plan.joins.variants(_configuration(plan, resource))


def _configuration(plan: Plan, resource: Resource) -> Joined:
    return resource if resource.type == CONFIGURATION else plan.joins.configuration(resource)


def _why_no_variants(configuration: Joined) -> str:
    if configuration is None:
        return "its configuration is not in this plan"
    return "its variants are not known until apply"


def kinds(plan: Plan, endpoint: Joined) -> set[str] | Unknown:
    """The kinds of an endpoint's variants; `UNKNOWN` where one cannot be told."""
    of_endpoint = variants(plan, endpoint) if isinstance(endpoint, Resource) else UNKNOWN
    if of_endpoint is UNKNOWN:
        return UNKNOWN
    found = {variant.kind for variant in of_endpoint}
    return UNKNOWN if UNKNOWN in found else {kind for kind in found if isinstance(kind, str)}


def named(variant: Variant) -> str:
    """The variant for a message."""
    return f"variant {variant.name}" if isinstance(variant.name, str) else "the variant"


def instances(count: float | Unknown | None) -> str:
    """So many instances, for a message."""
    return f"{count} instance{'' if count == 1 else 's'}"


def instance_type(block: Block) -> str | Unknown | None:
    """The instance type of a variant; None where it has none, which the provider reads back as empty."""
    value = block.text("instance_type")
    return value if value is UNKNOWN else value or None


def hosts_components(variant: Variant) -> bool:
    """Whether the variant names no model, so that inference components bring theirs.

    A name that is not known yet is that of a model all the same.
    """
    name = variant.block.text("model_name")
    return name is not UNKNOWN and not name


def each_target(
    plan: Plan, endpoint: Resource, judge: Callable[[Resource, Variant], Verdicts], *kinds: str
) -> Verdicts:
    """What `judge` says of what scales an endpoint's variants of these kinds; nothing where nothing does.

    Unknown where something may: a variant that nobody names has its name only after apply.
    """

    def of_variant(variant: Variant) -> Verdicts:
        targets = targets_of(endpoint, variant, plan.joins)
        for target in targets.sure:
            yield from judge(target, variant)
        if targets.maybe and not targets.sure:
            yield unknown(f"what scales {named(variant)} is not known until apply", variant.block.path)

    yield from each_variant(plan, endpoint, of_variant, *kinds)


def untold(scaled: Scaling, variant: Variant) -> str:
    """Why it cannot be told what scales a variant, and how far."""
    if scaled.untold:
        return scaled.untold[0]
    if scaled.spans is UNKNOWN:
        return f"how far {named(variant)} scales is not known until apply"
    return f"whether what scales {named(variant)} ever acts cannot be told"


def containers(model: Resource) -> list[Block] | Unknown:
    """The containers of a model, the primary one first."""
    primary, more = model.new.blocks("primary_container"), model.new.blocks("container")
    return UNKNOWN if primary is UNKNOWN or more is UNKNOWN else [*primary, *more]


def model_of(variant: Variant) -> Resource | Verdict:
    """The variant's model, or the verdict that it cannot be told."""
    if isinstance(variant.model, Resource):
        return variant.model
    why = "its model is not in this plan" if variant.model is None else "its model cannot be told until apply"
    return unknown(why, f"{variant.block.path}.model_name")


def images(model: Resource) -> Iterator[str | Unknown]:
    """The images that a model runs; `UNKNOWN` where the plan cannot tell, as a model package brings its own."""
    found = containers(model)
    if found is UNKNOWN:
        yield UNKNOWN
        return
    for container in found:
        image = container.text("image")
        yield image if isinstance(image, str) and image else UNKNOWN
