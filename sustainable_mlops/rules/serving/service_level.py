"""The kind of an endpoint, compared with its latency SLO in the tag `latency_slo`."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Variant, list_instance_choices
from sustainable_mlops.plan.joins import add_article
from sustainable_mlops.plan.scaling import find_instance_scaling
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    ENDPOINT,
    REAL_TIME,
    SERVERLESS,
    check_each_variant,
    describe_variant,
    hosts_components,
)
from sustainable_mlops.rules.workload_tags import LatencySlo, find_latency_slo

#: The worst response time of each kind: a serverless worker starts in seconds, an instance in minutes.
_WORST_RESPONSE = {
    REAL_TIME: LatencySlo.MILLISECONDS,
    SERVERLESS: LatencySlo.COLD_START,
    ASYNCHRONOUS: LatencySlo.MINUTES,
}
_TAG = "tags.latency_slo"


@rule(
    id="SUS_ENDPOINT_FITS_SLO",
    severity=Severity.WARN,
    title="The kind of an endpoint should match its latency SLO",
    problem="The kind of an endpoint does not match its latency SLO",
    practices=("51", "56"),
    fix=(
        "Use the kind of endpoint that the tag latency_slo asks for. minutes: asynchronous. cold_start: serverless (or "
        "asynchronous above 6 GB or with a GPU). milliseconds: real-time. batch (tag only): a transform job instead of "
        "an endpoint."
    ),
    types=(ENDPOINT,),
)
def fits_slo(plan: Plan, endpoint: Resource) -> RuleResults:
    slo = find_latency_slo(plan, endpoint)
    if slo is None:
        return
    if slo is UNKNOWN:
        yield unknown_result("its latency_slo is not known until apply", _TAG)
        return
    if isinstance(slo, str):
        yield unknown_result("its latency_slo is not minutes, cold_start, milliseconds, batch or a duration", _TAG)
        return
    if slo is LatencySlo.BATCH:
        yield failure("its callers can wait for a batch job, which needs no endpoint", _TAG)
        return

    def check(variant: Variant) -> RuleResults:
        minimum, maximum = _find_response_range(plan, endpoint, variant)
        if minimum > slo:
            worst = f"a response of {add_article(variant.kind)} endpoint may take {_format_level(minimum)}"
            yield failure(f"the SLO is {_format_level(slo)}, but {worst}", _TAG)
        elif maximum > slo:
            yield unknown_result(
                f"the response time of {describe_variant(variant)} is not known until apply", variant.block.path
            )
        elif variant.kind == REAL_TIME and slo > LatencySlo.MILLISECONDS:
            yield _check_idle_instances(variant, slo)
        else:
            yield success()

    yield from check_each_variant(plan, endpoint, check, *_WORST_RESPONSE)


def _find_response_range(plan: Plan, endpoint: Resource, variant: Variant) -> tuple[LatencySlo, LatencySlo]:
    """Return the worst response time of a variant: the shortest and the longest that the plan leaves possible."""
    at_worst = _WORST_RESPONSE[str(variant.kind)]
    if variant.kind == SERVERLESS:
        warm = variant.block.number("serverless_config.0.provisioned_concurrency")
        if warm not in (None, 0):
            return LatencySlo.MILLISECONDS, at_worst if warm is UNKNOWN else LatencySlo.MILLISECONDS
    if variant.kind == ASYNCHRONOUS:
        empties = find_instance_scaling(endpoint, variant, plan.joins).scales_to_zero
        if empties is not True:
            return LatencySlo.COLD_START, at_worst if empties is UNKNOWN else LatencySlo.COLD_START
    return at_worst, at_worst


def _check_idle_instances(variant: Variant, slo: LatencySlo) -> RuleResult:
    """Check an instance whose callers can wait: without an accelerator it could be serverless."""
    types = [choice.instance_type for choice in list_instance_choices(variant.block)]
    known = [instances.find(kind) if isinstance(kind, str) else None for kind in types]
    serverless_fits = not hosts_components(variant) and all(
        instance is not None and instance.accelerator is None for instance in known
    )
    if serverless_fits or slo >= LatencySlo.MINUTES:
        return failure(f"callers can wait for {_format_level(slo)}, but its instances run all day", _TAG)
    if None in known:
        return unknown_result("it is not known until apply whether it needs an accelerator", variant.block.path)
    return success()


def _format_level(level: LatencySlo) -> str:
    return "a cold start" if level is LatencySlo.COLD_START else level.name.lower()
