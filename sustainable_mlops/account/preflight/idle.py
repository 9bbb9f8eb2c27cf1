"""Cost and emissions of the environment in a month without requests, by the footprint model."""

from collections.abc import Iterator

from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import EndpointDemand, PreflightTarget
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import FleetActivity, FootprintEstimate, ServerlessActivity, estimate, make_exact
from sustainable_mlops.footprint.figures import sum_estimates

_CHECK = "idle month"
_NO_WORK = make_exact(0.0, "no requests")


def check_idle(target: PreflightTarget) -> Iterator[PreflightFinding]:
    """Estimate the cost and emissions of endpoints that stay on between requests."""
    on = [one for one in target.endpoints if _stays_on(one)]
    if not on:
        yield PreflightFinding("ok", _CHECK, "no endpoint runs between requests: 0 USD and 0 kgCO2e for instances")
        return
    for endpoint in on:
        if endpoint.instance_type and instances.find(endpoint.instance_type) is None:
            why = instances.explain_unknown(endpoint.instance_type)
            yield PreflightFinding("look", _CHECK, f"unknown: endpoint {endpoint.name}: {why}")
            return
    names = ", ".join(one.name for one in on)
    yield PreflightFinding(
        "look", _CHECK, f"{_format_figures(sum_estimates(_estimate_month(one, target) for one in on))} for {names}"
    )


def _stays_on(endpoint: EndpointDemand) -> bool:
    if endpoint.kind == "serverless":
        return endpoint.provisioned_concurrency > 0
    return endpoint.kind == "realtime"


def _estimate_month(endpoint: EndpointDemand, target: PreflightTarget) -> FootprintEstimate:
    if endpoint.kind == "serverless":
        provisioned = make_exact(endpoint.provisioned_concurrency)
        return estimate(ServerlessActivity(endpoint.memory_mb, target.region, _NO_WORK, _NO_WORK, provisioned))
    return estimate(
        FleetActivity(endpoint.instance_type, target.region, count=make_exact(endpoint.min_instances), duty=_NO_WORK)
    )


def _format_figures(month: FootprintEstimate) -> str:
    cost, carbon = month.get("cost"), month.get("total")
    return f"{cost or 'an unknown cost'} and {carbon or 'unknown carbon'} a month without requests"
