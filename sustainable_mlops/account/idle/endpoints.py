"""Endpoints without invocations, and the recommendations of AWS's own services for endpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sustainable_mlops.account.idle.activity import ActivityMetric, find_resources_in_use
from sustainable_mlops.account.idle.finding import IdleFinding, IdleKind, estimate_month
from sustainable_mlops.account.idle.scope import IdleScanScope, format_days
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    FootprintFigure,
    ServerlessActivity,
    make_exact,
)
from sustainable_mlops.footprint.activities import Activity
from sustainable_mlops.footprint.figures import UNITS

NO_WORK = make_exact(0.0, "no requests")
#: Metrics of requests: the first of real-time and serverless endpoints, the others of asynchronous ones. Source:
#: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", "... from asynchronous endpoints".
_REQUESTS = ("Invocations", "InvocationsProcessed", "InvocationFailures")
_INPUTS = {
    "realtime": "idle_stop = delete (observability), or off_hours (realtime_endpoint)",
    "async": "min_instances = 0 (async_endpoint)",
    "serverless": "no provisioned_concurrency (serverless_endpoint)",
}
#: Region of the API of Cost Optimization Hub, which covers all Regions of an account.
_HUB_REGION = "us-east-1"
_RESOURCE_TYPE = "SageMakerEndpoint"
#: Actions of Cost Optimization Hub that end a resource. The action ScaleIn only lowers the number of instances.
_ENDING_ACTIONS = ("Delete", "Stop")


@dataclass(frozen=True)
class RunningEndpoint:
    """An endpoint with instances or provisioned workers, which are billed even without requests."""

    description: Mapping[str, Any]
    kind: str
    activities: tuple[Activity, ...]
    #: False if it hosts inference components, whose requests have other metrics.
    has_variant_metrics: bool

    @property
    def name(self) -> str:
        """Name of the endpoint."""
        return str(self.description["EndpointName"])

    @property
    def metrics(self) -> list[ActivityMetric]:
        """Metrics of its requests."""
        return [
            ActivityMetric(
                self.name, "AWS/SageMaker", metric, (("EndpointName", self.name), ("VariantName", one["VariantName"]))
            )
            for one in self.description.get("ProductionVariants", ())
            for metric in _REQUESTS
        ]


def find_endpoints(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the running endpoints without invocations in the period.

    Endpoints without instances, and serverless ones without provisioned concurrency, cost nothing and are not idle.
    """
    running = [
        endpoint
        for summary in scope.account.list_all("sagemaker", "list_endpoints", "Endpoints")
        if scope.includes(summary["EndpointName"], summary["EndpointArn"]) and scope.is_older(summary["CreationTime"])
        if (endpoint := read_running_endpoint(scope, summary["EndpointName"])) is not None
    ]
    in_use = find_resources_in_use(scope, [metric for endpoint in running for metric in endpoint.metrics])
    for endpoint in running:
        if not endpoint.has_variant_metrics:
            yield f"endpoint {endpoint.name}: hosts inference components, so its use is unknown"
        elif endpoint.name not in in_use:
            yield _build_finding(scope, endpoint, f"no invocations for {scope.period}")


def read_running_endpoint(scope: IdleScanScope, name: str) -> RunningEndpoint | None:
    """Return an endpoint in service with running instances or workers; None for any other or a deleted endpoint."""
    description = scope.account.call(
        "sagemaker", "describe_endpoint", absent=("ValidationException",), EndpointName=name
    )
    if description is None or description["EndpointStatus"] != "InService":
        return None
    configuration = scope.account.call(
        "sagemaker", "describe_endpoint_config", EndpointConfigName=description["EndpointConfigName"]
    )
    variant_configurations = {
        one["VariantName"]: one
        for member in ("ProductionVariants", "ShadowProductionVariants")
        for one in configuration.get(member) or ()
    }
    activities = tuple(
        activity
        for member in ("ProductionVariants", "ShadowProductionVariants")
        for one in description.get(member) or ()
        if (activity := _read_variant(one, variant_configurations.get(one["VariantName"], {}), scope.region))
        is not None
    )
    if not activities:
        return None
    is_serverless = any(isinstance(one, ServerlessActivity) for one in activities)
    kind = "serverless" if is_serverless else "async" if configuration.get("AsyncInferenceConfig") else "realtime"
    return RunningEndpoint(
        description, kind, activities, all("ModelName" in one for one in variant_configurations.values())
    )


def _read_variant(variant: Mapping[str, Any], configuration: Mapping[str, Any], region: str) -> Activity | None:
    serverless = variant.get("CurrentServerlessConfig") or configuration.get("ServerlessConfig")
    if serverless:
        workers = serverless.get("ProvisionedConcurrency") or 0
        memory = serverless["MemorySizeInMB"]
        provisioned = make_exact(float(workers))
        return ServerlessActivity(memory, region, NO_WORK, NO_WORK, provisioned) if workers else None
    count = variant.get("CurrentInstanceCount") or 0
    pools = sorted(configuration.get("InstancePools") or (), key=lambda pool: pool.get("Priority", 0))
    types = (
        [configuration["InstanceType"]] if "InstanceType" in configuration else [pool["InstanceType"] for pool in pools]
    )
    if not count or not types:
        return None
    instances = make_exact(float(count))
    return FleetActivity(types[0], region, count=instances, duty=NO_WORK, fallback_types=tuple(types[1:]))


def _build_finding(scope: IdleScanScope, endpoint: RunningEndpoint, problem: str) -> IdleFinding:
    arn = endpoint.description["EndpointArn"]
    return IdleFinding(
        IdleKind.ENDPOINT,
        endpoint.name,
        problem,
        _INPUTS[endpoint.kind],
        estimate_month(*endpoint.activities),
        arn,
        scope.find_manager(arn),
        {"EndpointName": endpoint.name},
    )


@dataclass(frozen=True)
class AwsRecommendation:
    """A recommendation of AWS for an endpoint."""

    source: str
    arn: str
    usd: float
    #: True if AWS recommends a deletion or a stop of the endpoint.
    is_idle: bool
    text: str

    @property
    def name(self) -> str:
        """Name of the endpoint."""
        return Arn.parse(self.arn).name


def read_compute_optimizer(scope: IdleScanScope) -> list[AwsRecommendation] | str:
    """Return the idle endpoints of Compute Optimizer, or a note if the account is not enrolled."""
    source = "Compute Optimizer"
    status = scope.account.call("compute-optimizer", "get_enrollment_status")["status"]
    if status != "Active":
        return f"{source}: the account is not enrolled (status {status})"
    items = scope.account.list_all(
        "compute-optimizer",
        "get_idle_recommendations",
        "idleRecommendations",
        filters=[{"name": "ResourceType", "values": [_RESOURCE_TYPE]}],
    )
    return [
        AwsRecommendation(
            source,
            one["resourceArn"],
            one.get("savingsOpportunity", {}).get("estimatedMonthlySavings", {}).get("value", 0.0),
            True,
            f"idle for {format_days(one.get('lookBackPeriodInDays', 0))}",
        )
        for one in items
    ]


def read_cost_optimization_hub(scope: IdleScanScope) -> list[AwsRecommendation] | str:
    """Return the recommendations of Cost Optimization Hub, or a note if the account is not enrolled."""
    source = "Cost Optimization Hub"
    hub = {"region": _HUB_REGION}
    statuses = scope.account.list_all("cost-optimization-hub", "list_enrollment_statuses", "items", **hub)
    if not any(one["status"] == "Active" for one in statuses):
        return f"{source}: the account is not enrolled"
    selection = {
        "resourceTypes": [_RESOURCE_TYPE],
        "regions": [scope.region],
        "accountIds": [scope.account.read_account_id()],  # a management account sees those of all members
    }
    items = scope.account.list_all("cost-optimization-hub", "list_recommendations", "items", filter=selection, **hub)
    return [
        AwsRecommendation(
            source,
            one["resourceArn"],
            one.get("estimatedMonthlySavings", 0.0),
            one.get("actionType") in _ENDING_ACTIONS,
            " ".join(filter(None, (one.get("actionType"), one.get("recommendedResourceSummary")))),
        )
        for one in items
    ]


def merge_recommendations(
    scope: IdleScanScope, findings: list[IdleFinding], recommendations: list[AwsRecommendation]
) -> list[IdleFinding]:
    """Return the findings with the recommendations: known endpoints get the source, and other endpoints are added.

    Recommendations for another account or Region are ignored, because an endpoint there can have the same name.
    """
    findings_by_arn = {finding.arn: finding for finding in findings}
    location = (scope.region, scope.account.read_account_id())
    for one in recommendations:
        arn = Arn.parse_or_none(one.arn)
        if arn is None or (arn.region, arn.account) != location:
            continue
        finding = findings_by_arn.get(one.arn)
        if finding is not None:
            findings_by_arn[one.arn] = replace(finding, sources=tuple(dict.fromkeys((*finding.sources, one.source))))
        elif scope.includes(one.name, one.arn) and (new_finding := _build_recommended_finding(scope, one)) is not None:
            findings_by_arn[one.arn] = new_finding
    return list(findings_by_arn.values())


def _build_recommended_finding(scope: IdleScanScope, recommendation: AwsRecommendation) -> IdleFinding | None:
    """Return the finding of an endpoint that only AWS reports; None if it no longer runs."""
    endpoint = read_running_endpoint(scope, recommendation.name)
    if endpoint is None:
        return None
    problem = f"{recommendation.source}: {recommendation.text}"
    finding = replace(_build_finding(scope, endpoint, problem), sources=(recommendation.source,))
    if recommendation.is_idle:
        return finding
    usd = recommendation.usd
    savings = FootprintFigure(usd, usd, usd, "B", f"savings by {recommendation.source}", UNITS["cost"])
    return replace(
        finding,
        kind=IdleKind.OVERSIZED_ENDPOINT,
        module_input=f"instance_type, min_instances ({endpoint.kind}_endpoint)",
        estimate=FootprintEstimate({"cost": savings}),
    )
