"""Recommended endpoints of this project, with carbon and cost of 1,000 requests, the least carbon first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.advice import ServingRequirements
from sustainable_mlops.advice.defaults import PROVIDER, WORKERS, ZONES
from sustainable_mlops.advice.options import estimate_hours_on
from sustainable_mlops.advice.recommendation.job import RecommendationJob
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.limits import get_limit
from sustainable_mlops.catalogue.month import DAYS_PER_MONTH, HOURS_PER_MONTH
from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    ServerlessActivity,
    estimate_per_thousand_requests,
    make_bounded,
    make_exact,
)

#: Request metric of Application Auto Scaling, also used by `realtime_endpoint`.
_METRIC = "SageMakerVariantInvocationsPerInstance"
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class ExpectedLoad:
    """Load and requirements of the endpoint."""

    region: str
    requests_per_day: float
    peak: float
    latency_ms: int
    provider: int
    one_instance_because: str | None = None
    #: True if callers can wait minutes for a response, so that asynchronous endpoints are possible too.
    asynchronous: bool = False
    #: True if callers accept the cold start of a serverless endpoint.
    cold_start: bool = False

    @property
    def requests_per_minute(self) -> float:
        """The average requests a minute."""
        return self.requests_per_day / _DAY_MINUTES

    @property
    def peak_requests_per_minute(self) -> float:
        """The requests a minute at the busiest moment."""
        return self.requests_per_minute * self.peak


@dataclass(frozen=True, slots=True)
class RankedEndpoint:
    """An endpoint that met the latency in the load test."""

    title: str
    #: Module of the endpoint, and its inputs.
    module: str
    inputs: Mapping[str, Any]
    #: Maximum requests a minute of one instance, or of all workers together.
    requests_per_minute: int
    latency_ms: int
    #: Carbon, cost and energy of 1,000 requests at the expected load.
    per_thousand: FootprintEstimate
    #: Cost of 1,000 requests at the maximum load as reported by AWS; None if it reports none.
    aws_usd_per_thousand: float | None
    #: Start time of the first worker of a serverless endpoint.
    setup_ms: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "title": self.title,
            "module": self.module,
            "inputs": dict(self.inputs),
            "requests_per_minute": self.requests_per_minute,
            "latency_ms": self.latency_ms,
            "setup_ms": self.setup_ms,
            "per_1000_requests": self.per_thousand.to_dict(),
            "aws_usd_per_1000_requests": self.aws_usd_per_thousand,
        }


def rank_recommendations(
    results: Sequence[tuple[RecommendationJob, Mapping[str, Any]]], expected: ExpectedLoad, sagemaker: Client
) -> list[RankedEndpoint]:
    """Return all recommendations, ranked by kgCO2e (operational + embodied), then USD per 1,000 requests."""
    job_results = [(job, one) for job, described in results for one in described.get("InferenceRecommendations", ())]
    recommendations = [
        recommendations
        for job, one in job_results
        for recommendations in _make_recommendations(job, one, expected, sagemaker)
    ]
    return sorted(recommendations, key=_make_rank_key)


def _make_recommendations(
    job: RecommendationJob, one: Mapping[str, Any], expected: ExpectedLoad, sagemaker: Client
) -> Iterator[RankedEndpoint]:
    """Yield the endpoints of this project that correspond to a tested endpoint."""
    if not one["EndpointConfiguration"].get("InstanceType"):
        yield _recommend_serverless(one, expected)
        return
    yield _recommend_instances(job, one, expected, sagemaker)
    if expected.asynchronous:
        yield _recommend_asynchronous(one, expected)


def _make_rank_key(one: RankedEndpoint) -> tuple[float, float, str]:
    kg, usd = one.per_thousand.get("total"), one.per_thousand.get("cost")
    return (kg.central if kg else float("inf"), usd.central if usd else float("inf"), one.title)


def _recommend_instances(
    job: RecommendationJob, one: Mapping[str, Any], expected: ExpectedLoad, sagemaker: Client
) -> RankedEndpoint:
    kind, metrics, instance_requests_per_minute = (
        one["EndpointConfiguration"]["InstanceType"],
        one["Metrics"],
        _get_requests_per_minute(one),
    )
    objective = {
        "MinInvocationsPerMinute": max(1, int(expected.requests_per_minute)),
        "MaxInvocationsPerMinute": max(1, ceil(expected.peak_requests_per_minute)),
    }
    with aws.translate_aws_errors(f"scaling of {kind} by recommendation job {job.name}"):
        response = sagemaker.get_scaling_configuration_recommendation(
            InferenceRecommendationsJobName=job.name,
            RecommendationId=one["RecommendationId"],
            ScalingPolicyObjective=objective,
        )
    target, scaling = (
        _find_target(response, instance_requests_per_minute),
        response.get("DynamicScalingConfiguration", {}),
    )
    minimum = max(1 if expected.one_instance_because else ZONES, scaling.get("MinCapacity", 1))
    maximum = max(minimum, scaling.get("MaxCapacity", 1))
    inputs = {
        **_make_hardware_inputs(one, expected),
        "latency_slo_ms": expected.latency_ms,
        "min_instances": minimum,
        "max_instances": maximum,
        "one_instance_because": expected.one_instance_because if minimum == 1 else None,
        "deployment": {"strategy": "all_at_once"} if minimum == 1 else None,
        "requests_per_instance": target,
        "scale_in_cooldown_seconds": scaling.get("ScaleInCooldown"),
    }
    low, central, high = (
        min(max(rate / target, minimum), maximum)
        for rate in (expected.requests_per_minute, expected.requests_per_minute, expected.peak_requests_per_minute)
    )
    busy = min(1.0, expected.requests_per_minute / central / instance_requests_per_minute)
    fleet = FleetActivity(
        kind,
        expected.region,
        count=make_bounded(low, central, high, "instances, as scaling follows the requests", "B", "instances"),
        duty=make_bounded(
            busy / 2, busy, min(1.0, busy * 2), "busy share of the time, from the load test", "B", "of the time"
        ),
        requests=make_exact(expected.requests_per_day * DAYS_PER_MONTH),
    )
    return _make_recommendation(kind, "realtime_endpoint", inputs, metrics, fleet, round(instance_requests_per_minute))


def _recommend_asynchronous(one: Mapping[str, Any], expected: ExpectedLoad) -> RankedEndpoint:
    """Return an asynchronous endpoint on the tested instance type.

    Its concurrency per instance is that at the maximum load of the test (Little's law). It adds an instance if more
    requests wait than one instance answers in a minute (assumption: callers who can wait minutes can wait that long).
    """
    kind, metrics, instance_requests_per_minute = (
        one["EndpointConfiguration"]["InstanceType"],
        one["Metrics"],
        _get_requests_per_minute(one),
    )
    max_concurrency = get_limit("asynchronous_requests_per_instance")
    concurrency = min(max_concurrency, max(1, ceil(instance_requests_per_minute / 60 * metrics["ModelLatency"] / 1000)))
    maximum = max(1, ceil(expected.peak_requests_per_minute / instance_requests_per_minute))
    inputs = {
        **_make_hardware_inputs(one, expected),
        "max_instances": maximum,
        "requests_per_instance": concurrency,
        "target_backlog_per_instance": max(1, round(instance_requests_per_minute)),
    }
    requirements = ServingRequirements(
        expected.region,
        expected.requests_per_day,
        peak=expected.peak,
        latency="minutes",
        duration_s=60 * concurrency / instance_requests_per_minute,
        provider=expected.provider,
    )
    average = expected.requests_per_minute / instance_requests_per_minute
    hours = estimate_hours_on("asynchronous", requirements, concurrency)
    usual = min(float(maximum), max(1.0, average))
    busy = min(1.0, average * HOURS_PER_MONTH / (usual * hours.central))
    fleet = FleetActivity(
        kind,
        expected.region,
        count=make_bounded(usual, usual, float(maximum), "instances, as scaling follows the queue", "B", "instances"),
        hours=hours,
        duty=make_bounded(
            busy / 2, busy, min(1.0, busy * 2), "busy share of the time, from the load test", "B", "of the time"
        ),
        requests=make_exact(expected.requests_per_day * DAYS_PER_MONTH),
    )
    return _make_recommendation(
        f"{kind}, asynchronous", "async_endpoint", inputs, metrics, fleet, round(instance_requests_per_minute)
    )


def _get_requests_per_minute(one: Mapping[str, Any]) -> float:
    """Return the maximum requests a minute of one instance."""
    return float(one["Metrics"]["MaxInvocations"] / one["EndpointConfiguration"].get("InitialInstanceCount", 1))


def _make_hardware_inputs(one: Mapping[str, Any], expected: ExpectedLoad) -> dict[str, Any]:
    """Return the inputs for the hardware of the endpoint."""
    kind = one["EndpointConfiguration"]["InstanceType"]
    instance = instances.find(kind)
    return {
        "instance_type": kind,
        "silicon": instance.silicon if instance else None,
        "aws_provider": expected.provider if expected.provider != PROVIDER else None,
        "inference_specification_name": one["ModelConfiguration"].get("InferenceSpecificationName"),
    }


def _recommend_serverless(one: Mapping[str, Any], expected: ExpectedLoad) -> RankedEndpoint:
    metrics, memory = one["Metrics"], one["EndpointConfiguration"]["ServerlessConfig"]["MemorySizeInMB"]
    seconds = metrics["ModelLatency"] / 1000
    # Requests come at random: one worker may be enough on average, but it would refuse simultaneous requests.
    concurrency = min(
        get_limit("serverless_concurrency"), max(WORKERS, ceil(expected.peak_requests_per_minute / 60 * seconds))
    )
    inputs = {
        "memory_mb": memory,
        "max_concurrency": concurrency,
        "inference_specification_name": one["ModelConfiguration"].get("InferenceSpecificationName"),
    }
    requests = make_exact(expected.requests_per_day * DAYS_PER_MONTH)
    # The tested P95 latency is above the duration of most requests.
    duration = make_bounded(seconds / 2, seconds, seconds, "duration of a request, from the load test", "B", "s")
    activity = ServerlessActivity(memory, expected.region, requests, duration)
    recommendation = _make_recommendation(
        f"serverless {memory} MB", "serverless_endpoint", inputs, metrics, activity, metrics["MaxInvocations"]
    )
    return replace(recommendation, setup_ms=metrics.get("ModelSetupTime"))


def _make_recommendation(
    title: str,
    module: str,
    inputs: Mapping[str, Any],
    metrics: Mapping[str, Any],
    activity: FleetActivity | ServerlessActivity,
    max_requests_per_minute: int,
) -> RankedEndpoint:
    per_thousand = estimate_per_thousand_requests(activity)
    assert per_thousand is not None
    usd = metrics.get("CostPerInference")
    set_inputs = {name: value for name, value in inputs.items() if value is not None}
    aws_usd = None if usd is None else usd * 1000
    return RankedEndpoint(
        title, module, set_inputs, max_requests_per_minute, metrics["ModelLatency"], per_thousand, aws_usd
    )


def _find_target(response: Mapping[str, Any], instance_requests_per_minute: float) -> int:
    """Return the target requests a minute of an instance. Raises UserError if the policy uses another metric."""
    policies = response.get("DynamicScalingConfiguration", {}).get("ScalingPolicies", [])
    for policy in policies:
        tracking = policy.get("TargetTracking", {})
        metric = tracking.get("MetricSpecification", {}).get("Predefined", {}).get("PredefinedMetricType", _METRIC)
        if metric == _METRIC and tracking.get("TargetValue"):
            return max(1, int(tracking["TargetValue"]))
    if (invocations := response.get("Metric", {}).get("InvocationsPerInstance")) is not None:
        return max(1, int(invocations))
    raise UserError(
        "SageMaker recommends no scaling by requests; one instance answers "
        f"{instance_requests_per_minute:,.0f} a minute"
    )
