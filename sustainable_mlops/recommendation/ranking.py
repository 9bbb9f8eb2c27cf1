"""What was measured, as endpoints of this project with carbon and cost of 1,000 requests, the least carbon first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.advice import ServingRequirements
from sustainable_mlops.advice.defaults import PROVIDER, WORKERS, ZONES
from sustainable_mlops.advice.options import estimate_hours_on
from sustainable_mlops.aws import Client
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.limits import get_limit
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    ServerlessActivity,
    bounded_quantity,
    estimate_per_thousand_requests,
    exact_quantity,
)
from sustainable_mlops.recommendation.job import RecommendationJob

#: Application Auto Scaling counts requests by this metric, as `realtime_endpoint` does.
_METRIC = "SageMakerVariantInvocationsPerInstance"
_MONTH_DAYS, _DAY_MINUTES = 730 / 24, 1440


@dataclass(frozen=True, slots=True)
class ExpectedLoad:
    """What the endpoint is for."""

    region: str
    requests_per_day: float
    peak: float
    latency_ms: int
    provider: int
    one_instance_because: str | None = None
    #: Whether callers can wait minutes for an answer, so that asynchronous endpoints serve them as well.
    asynchronous: bool = False

    @property
    def requests_per_minute(self) -> float:
        """Requests a minute on average."""
        return self.requests_per_day / _DAY_MINUTES

    @property
    def peak_requests_per_minute(self) -> float:
        """The same at the busiest moment."""
        return self.requests_per_minute * self.peak


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An endpoint that kept the latency."""

    title: str
    #: The module that makes it, and its inputs.
    module: str
    inputs: Mapping[str, Any]
    #: Of one instance, or of all workers at once.
    requests_per_minute: int
    latency_ms: int
    #: Carbon, cost and energy of 1,000 requests at the load that is expected.
    per_thousand: FootprintEstimate
    #: What AWS says that a request costs, at the most that it answers; None where it says nothing.
    aws_usd_per_thousand: float | None
    #: How long the first worker of a serverless endpoint takes to start.
    setup_ms: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
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
    found: Sequence[tuple[RecommendationJob, Mapping[str, Any]]], expected: ExpectedLoad, sagemaker: Client
) -> list[Recommendation]:
    """All that the jobs recommend, least kgCO2e (operational + embodied) of 1,000 requests first, then USD."""
    recommended = [(job, one) for job, described in found for one in described.get("InferenceRecommendations", ())]
    made = [made for job, one in recommended for made in _make_recommendations(job, one, expected, sagemaker)]
    return sorted(made, key=_make_rank_key)


def _make_recommendations(
    job: RecommendationJob, one: Mapping[str, Any], expected: ExpectedLoad, sagemaker: Client
) -> Iterator[Recommendation]:
    """The endpoints that serve as what was measured."""
    if not one["EndpointConfiguration"].get("InstanceType"):
        yield _recommend_serverless(one, expected)
        return
    yield _recommend_instances(job, one, expected, sagemaker)
    if expected.asynchronous:
        yield _recommend_asynchronous(one, expected)


def _make_rank_key(one: Recommendation) -> tuple[float, float, str]:
    kg, usd = one.per_thousand.get("total"), one.per_thousand.get("cost")
    return (kg.central if kg else float("inf"), usd.central if usd else float("inf"), one.title)


def _recommend_instances(
    job: RecommendationJob, one: Mapping[str, Any], expected: ExpectedLoad, sagemaker: Client
) -> Recommendation:
    kind, metrics, of_one = one["EndpointConfiguration"]["InstanceType"], one["Metrics"], _get_requests_per_minute(one)
    objective = {
        "MinInvocationsPerMinute": max(1, int(expected.requests_per_minute)),
        "MaxInvocationsPerMinute": max(1, ceil(expected.peak_requests_per_minute)),
    }
    with aws.translate_aws_errors(f"scaling of {kind} by recommendation job {job.name}"):
        answer = sagemaker.get_scaling_configuration_recommendation(
            InferenceRecommendationsJobName=job.name,
            RecommendationId=one["RecommendationId"],
            ScalingPolicyObjective=objective,
        )
    target, scaling = _find_target(answer, of_one), answer.get("DynamicScalingConfiguration", {})
    least = max(1 if expected.one_instance_because else ZONES, scaling.get("MinCapacity", 1))
    most = max(least, scaling.get("MaxCapacity", 1))
    inputs = {
        **_make_hardware_inputs(one, expected),
        "latency_slo_ms": expected.latency_ms,
        "min_instances": least,
        "max_instances": most,
        "one_instance_because": expected.one_instance_because if least == 1 else None,
        "deployment": {"strategy": "all_at_once"} if least == 1 else None,
        "requests_per_instance": target,
        "scale_in_cooldown_seconds": scaling.get("ScaleInCooldown"),
    }
    low, central, high = (
        min(max(rate / target, least), most)
        for rate in (expected.requests_per_minute, expected.requests_per_minute, expected.peak_requests_per_minute)
    )
    busy = min(1.0, expected.requests_per_minute / central / of_one)
    fleet = FleetActivity(
        kind,
        expected.region,
        count=bounded_quantity(low, central, high, "instances, as scaling follows the requests", "B"),
        duty=bounded_quantity(busy / 2, busy, min(1.0, busy * 2), "share of the time busy, from the load test", "B"),
        requests=exact_quantity(expected.requests_per_day * _MONTH_DAYS),
    )
    return _make_recommendation(kind, "realtime_endpoint", inputs, metrics, fleet, round(of_one))


def _recommend_asynchronous(one: Mapping[str, Any], expected: ExpectedLoad) -> Recommendation:
    """An asynchronous endpoint on what was measured.

    It gives an instance as many requests at once as it had when it answered the most (Little's law), and adds another
    where more wait than one answers in a minute (assumed: callers who can wait minutes can wait that long).
    """
    kind, metrics, of_one = one["EndpointConfiguration"]["InstanceType"], one["Metrics"], _get_requests_per_minute(one)
    most_at_once = get_limit("asynchronous_requests_per_instance")
    at_once = min(most_at_once, max(1, ceil(of_one / 60 * metrics["ModelLatency"] / 1000)))
    most = max(1, ceil(expected.peak_requests_per_minute / of_one))
    inputs = {
        **_make_hardware_inputs(one, expected),
        "max_instances": most,
        "requests_per_instance": at_once,
        "target_backlog_per_instance": max(1, round(of_one)),
    }
    need = ServingRequirements(
        expected.region,
        expected.requests_per_day,
        peak=expected.peak,
        latency="minutes",
        duration_s=60 * at_once / of_one,
        provider=expected.provider,
    )
    average = expected.requests_per_minute / of_one
    hours = estimate_hours_on("asynchronous", need, at_once)
    usual = min(float(most), max(1.0, average))
    busy = min(1.0, average * _MONTH_DAYS * 24 / (usual * hours.central))
    fleet = FleetActivity(
        kind,
        expected.region,
        count=bounded_quantity(usual, usual, float(most), "instances, as scaling follows the queue", "B"),
        hours=hours,
        duty=bounded_quantity(busy / 2, busy, min(1.0, busy * 2), "share of the time busy, from the load test", "B"),
        requests=exact_quantity(expected.requests_per_day * _MONTH_DAYS),
    )
    return _make_recommendation(f"{kind}, asynchronous", "async_endpoint", inputs, metrics, fleet, round(of_one))


def _get_requests_per_minute(one: Mapping[str, Any]) -> float:
    """Requests a minute that one instance answers."""
    return float(one["Metrics"]["MaxInvocations"] / one["EndpointConfiguration"].get("InitialInstanceCount", 1))


def _make_hardware_inputs(one: Mapping[str, Any], expected: ExpectedLoad) -> dict[str, Any]:
    """The inputs that say on what it runs."""
    kind = one["EndpointConfiguration"]["InstanceType"]
    instance = instances.find(kind)
    return {
        "instance_type": kind,
        "silicon": instance.silicon if instance else None,
        "aws_provider": expected.provider if expected.provider != PROVIDER else None,
        "inference_specification_name": one["ModelConfiguration"].get("InferenceSpecificationName"),
    }


def _recommend_serverless(one: Mapping[str, Any], expected: ExpectedLoad) -> Recommendation:
    metrics, memory = one["Metrics"], one["EndpointConfiguration"]["ServerlessConfig"]["MemorySizeInMB"]
    seconds = metrics["ModelLatency"] / 1000
    # Requests come at random: where one worker is enough on average, those of the same moment would be refused.
    at_once = min(
        get_limit("serverless_concurrency"), max(WORKERS, ceil(expected.peak_requests_per_minute / 60 * seconds))
    )
    inputs = {
        "memory_mb": memory,
        "max_concurrency": at_once,
        "inference_specification_name": one["ModelConfiguration"].get("InferenceSpecificationName"),
    }
    requests = exact_quantity(expected.requests_per_day * _MONTH_DAYS)
    # The latency of one in twenty is above what most take.
    duration = bounded_quantity(seconds / 2, seconds, seconds, "time a request takes, from the load test", "B")
    activity = ServerlessActivity(memory, expected.region, requests, duration)
    made = _make_recommendation(
        f"serverless {memory} MB", "serverless_endpoint", inputs, metrics, activity, metrics["MaxInvocations"]
    )
    return replace(made, setup_ms=metrics.get("ModelSetupTime"))


def _make_recommendation(
    title: str,
    module: str,
    inputs: Mapping[str, Any],
    metrics: Mapping[str, Any],
    runs: FleetActivity | ServerlessActivity,
    most: int,
) -> Recommendation:
    per_thousand = estimate_per_thousand_requests(runs)
    assert per_thousand is not None
    usd = metrics.get("CostPerInference")
    said = {name: value for name, value in inputs.items() if value is not None}
    aws_usd = None if usd is None else usd * 1000
    return Recommendation(title, module, said, most, metrics["ModelLatency"], per_thousand, aws_usd)


def _find_target(answer: Mapping[str, Any], of_one: float) -> int:
    """Requests a minute that an instance is to have. Raises UserError where scaling is by another metric."""
    policies = answer.get("DynamicScalingConfiguration", {}).get("ScalingPolicies", [])
    for policy in policies:
        tracking = policy.get("TargetTracking", {})
        metric = tracking.get("MetricSpecification", {}).get("Predefined", {}).get("PredefinedMetricType", _METRIC)
        if metric == _METRIC and tracking.get("TargetValue"):
            return max(1, int(tracking["TargetValue"]))
    if (told := answer.get("Metric", {}).get("InvocationsPerInstance")) is not None:
        return max(1, int(told))
    raise UserError(f"SageMaker recommends no scaling by requests, of which an instance answers {of_one:,.0f} a minute")
