"""Models that could share the instances of one endpoint."""

from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ENDPOINT,
    REAL_TIME,
    check_each_variant,
    find_kinds,
    find_model,
    hosts_components,
    list_containers,
    list_images,
    list_variants,
)

#: Number of real-time endpoints with one image from which the rule fails (assumed).
MIN_SHARED_ENDPOINTS = 3


@rule(
    id="SUS_MULTI_MODEL_ENDPOINT",
    severity=Severity.WARN,
    title="Three or more real-time endpoints with the same image should share one endpoint",
    problem="Several real-time endpoints run one model each in the same image",
    practices=("64", "65"),
    fix=(
        "Serve them with one multi-model endpoint (container mode MultiModel), inference components or "
        "serverless endpoints."
    ),
    types=(ENDPOINT,),
)
def multi_model_endpoint(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        image = _find_single_image(variant)
        path = "endpoint_config_name"
        if image is None:
            return
        if image is UNKNOWN:
            are_few = _count_possible_endpoints(plan) < MIN_SHARED_ENDPOINTS
            yield success() if are_few else unknown_result("the plan does not show its image", path)
            return
        same = _group_endpoints_by_image(plan).get((image, plan.find_region(endpoint)), ())
        if len(same) >= MIN_SHARED_ENDPOINTS:
            yield failure(f"{len(same)} real-time endpoints with {image} each run instances for one model", path)
        else:
            yield success()

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)


def _find_single_image(variant: Variant) -> str | Unknown | None:
    """Return the image of a variant with one model in one container, or None for a shared one."""
    if hosts_components(variant):
        return None
    model = find_model(variant)
    if not isinstance(model, Resource):
        return UNKNOWN
    model_containers = list_containers(model)
    if model_containers is UNKNOWN:
        return UNKNOWN
    if len(model_containers) != 1 or model_containers[0].text("mode") == "MultiModel":
        return None
    return next(list_images(model))


@lru_cache(maxsize=2)
def _group_endpoints_by_image(plan: Plan) -> dict[tuple[str, str | Unknown], tuple[str, ...]]:
    """Return the addresses of the real-time endpoints with one model, by image and Region."""
    endpoints: dict[tuple[str, str | Unknown], tuple[str, ...]] = {}
    for endpoint in plan.list_by_type(ENDPOINT):
        endpoint_variants = list_variants(plan, endpoint) if endpoint.exists() else UNKNOWN
        for variant in () if endpoint_variants is UNKNOWN else endpoint_variants:
            image = _find_single_image(variant) if variant.kind == REAL_TIME else None
            if isinstance(image, str):
                key = (image, plan.find_region(endpoint))
                endpoints[key] = (*endpoints.get(key, ()), endpoint.address)
    return endpoints


@lru_cache(maxsize=2)
def _count_possible_endpoints(plan: Plan) -> int:
    """Return the number of endpoints that have a real-time variant, or may have one."""
    endpoint_kinds = (find_kinds(plan, endpoint) for endpoint in plan.list_by_type(ENDPOINT) if endpoint.exists())
    return sum(kinds is UNKNOWN or REAL_TIME in kinds for kinds in endpoint_kinds)
