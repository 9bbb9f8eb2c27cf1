"""What the rules of hosting share: the variants behind a configuration or an endpoint, and what runs in them."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.joins import Joined
from sustainable_mlops.rules.rule import Verdict, Verdicts, unknown

CONFIGURATION = "aws_sagemaker_endpoint_configuration"
ENDPOINT = "aws_sagemaker_endpoint"
SERVERLESS, ASYNCHRONOUS, REAL_TIME = "serverless", "asynchronous", "real-time"

Judge = Callable[[Variant], Verdicts]


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
            yield unknown("whether the variant is serverless is not known until apply", variant.block.path)
        elif variant.kind in kinds:
            yield from judge(variant)


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


def instance_type(block: Block) -> str | Unknown | None:
    """The instance type of a variant; None where it has none, which the provider reads back as empty."""
    value = block.text("instance_type")
    return value if value is UNKNOWN else value or None


def containers(model: Resource) -> list[Block] | Unknown:
    """The containers of a model, the primary one first."""
    primary, more = model.new.blocks("primary_container"), model.new.blocks("container")
    return UNKNOWN if primary is UNKNOWN or more is UNKNOWN else [*primary, *more]


def model_of(variant: Variant) -> Resource | Verdict:
    """The variant's model, or the verdict that it cannot be told."""
    if isinstance(variant.model, Resource):
        return variant.model
    why = "its model is not in this plan" if variant.model is None else "its model cannot be told before apply"
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
