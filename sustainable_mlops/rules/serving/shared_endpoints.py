"""Models that could share the instances of one endpoint."""

from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import (
    ENDPOINT,
    REAL_TIME,
    containers,
    each_variant,
    hosts_components,
    images,
    model_of,
    variants,
)

#: As many real-time endpoints of one image as are worth a remark (assumed).
ENOUGH = 3


@rule(
    id="SUS_MULTI_MODEL_ENDPOINT",
    severity=Severity.WARN,
    title=f"Fewer than {ENOUGH} real-time endpoints run one model each in the same image",
    practices=("64", "65"),
    fix="Serve them by one multi-model endpoint (container mode MultiModel), inference components or serverless ones.",
    types=(ENDPOINT,),
)
def multi_model_endpoint(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        image = _only_image(variant)
        path = "endpoint_config_name"
        if image is None:
            return
        if image is UNKNOWN:
            yield unknown("the image that it runs is not in the plan", path)
            return
        same = _endpoints_by_image(plan).get((image, plan.region(endpoint)), ())
        if len(same) >= ENOUGH:
            yield failed(f"{len(same)} real-time endpoints each keep instances for one model in {image}", path)
        else:
            yield passed()

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


def _only_image(variant: Variant) -> str | Unknown | None:
    """The image of a variant with one model in one container; None for one that is shared already."""
    if hosts_components(variant):
        return None
    model = model_of(variant)
    if not isinstance(model, Resource):
        return UNKNOWN
    found = containers(model)
    if found is UNKNOWN:
        return UNKNOWN
    if len(found) != 1 or found[0].text("mode") == "MultiModel":
        return None
    return next(images(model))


@lru_cache(maxsize=2)
def _endpoints_by_image(plan: Plan) -> dict[tuple[str, str | Unknown], tuple[str, ...]]:
    """The addresses of the real-time endpoints that run one model, by its image and their Region."""
    found: dict[tuple[str, str | Unknown], tuple[str, ...]] = {}
    for endpoint in plan.by_type(ENDPOINT):
        of_endpoint = variants(plan, endpoint) if endpoint.exists() else UNKNOWN
        for variant in () if of_endpoint is UNKNOWN else of_endpoint:
            image = _only_image(variant) if variant.kind == REAL_TIME else None
            if isinstance(image, str):
                key = (image, plan.region(endpoint))
                found[key] = (*found.get(key, ()), endpoint.address)
    return found
