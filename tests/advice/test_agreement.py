"""`advise`, `compare`, `recommend` and `size` agree on figures, verdicts and words for one model and load."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console

from sustainable_mlops.advice import ServingAdvice, ServingRequirements, display, make_advice
from sustainable_mlops.advice.comparison import EndpointComparison, compare_endpoints
from sustainable_mlops.advice.comparison import display as comparison_display
from sustainable_mlops.advice.recommendation import display as recommendation_display
from sustainable_mlops.advice.recommendation.candidates import Candidate
from sustainable_mlops.advice.recommendation.job import RecommendationJob
from sustainable_mlops.advice.recommendation.ranking import ExpectedLoad, RankedEndpoint, rank_recommendations
from sustainable_mlops.advice.size import GIB, GrowingJob, MemorySample, forecast_growth, format_growth
from sustainable_mlops.advice.wording import describe_cold_start, describe_implausible_load, list_legend
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import FootprintEstimate
from tests.cases import check_cases

REGION = "eu-north-1"
#: A model that needs 2,048 MB of serverless memory, as `compare` has by default.
MODEL_MB, DURATION_S, INSTANCE_TYPE, MEMORY_MB = 700.0, 0.2, "ml.c7g.large", 2048
#: Requests a minute of one instance with two vCPUs.
INSTANCE_RATE = 2 * 60 / DURATION_S
DAYS = 730 / 24


class LoadTest:
    """SageMaker's scaling recommendation for two instances."""

    def get_scaling_configuration_recommendation(self, **_request: Any) -> Mapping[str, Any]:
        tracking = {"TargetTracking": {"TargetValue": INSTANCE_RATE / 2}}
        return {"DynamicScalingConfiguration": {"MinCapacity": 2, "MaxCapacity": 2, "ScalingPolicies": [tracking]}}


def advise(load: float, latency: Any = "cold_start") -> ServingAdvice:
    return make_advice(
        ServingRequirements(REGION, load, latency=latency, model_mb=MODEL_MB, duration_s=DURATION_S, zones=2)
    )


def compare(load: float, latency: Any = "cold_start") -> EndpointComparison:
    requirements = ServingRequirements(REGION, load, latency=latency, model_mb=MODEL_MB, duration_s=DURATION_S)
    return compare_endpoints(requirements, (load,))


def recommend(load: float, *, cold_start: bool = True) -> tuple[list[RankedEndpoint], ExpectedLoad]:
    """Return the recommendations for a load test whose requests take as long as the other commands assume."""
    metrics = {"MaxInvocations": INSTANCE_RATE, "ModelLatency": DURATION_S * 1000, "CostPerInference": 1e-6}
    configurations: list[dict[str, Any]] = [{"InstanceType": INSTANCE_TYPE, "InitialInstanceCount": 1}]
    if cold_start:
        configurations.append({"ServerlessConfig": {"MemorySizeInMB": MEMORY_MB, "MaxConcurrency": 10}})
    results = [
        {
            "RecommendationId": "x/1",
            "EndpointConfiguration": one,
            "ModelConfiguration": {},
            "Metrics": metrics | ({} if "InstanceType" in one else {"ModelSetupTime": 4000}),
        }
        for one in configurations
    ]
    tested = RecommendationJob({"JobName": "test"}, (Candidate(INSTANCE_TYPE, None, None),))
    expected = ExpectedLoad(REGION, load, 3.0, 250, 5, cold_start=cold_start)
    return rank_recommendations([(tested, {"InferenceRecommendations": results})], expected, LoadTest()), expected


def list_monthly_figures(load: float, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FootprintEstimate]:
    """Yield the monthly estimate of one kind of endpoint by each command."""
    only = {INSTANCE_TYPE: instances.find(INSTANCE_TYPE)}
    with monkeypatch.context() as patch:
        patch.setattr(instances, "load_all", lambda: only)
        advice = advise(load)
    (option,) = (one for one in advice.options if one.kind == kind)
    assert option.size == (f"{MEMORY_MB} MB" if kind == "serverless" else INSTANCE_TYPE)
    yield option.estimate
    cell = compare(load).get_cell("serverless" if kind == "serverless" else "realtime", 0).estimate
    assert cell is not None
    yield cell
    module = "serverless_endpoint" if kind == "serverless" else "realtime_endpoint"
    (one,) = (one for one in recommend(load)[0] if one.module == module)
    yield one.per_thousand.multiply(load * DAYS / 1000)


@check_cases("kind", ["serverless", "real-time"])
@check_cases("load", [50.0, 5_000.0, 50_000.0])
def test_all_commands_give_a_month_the_same_carbon_and_cost(kind: str, load: float) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        estimates = list(list_monthly_figures(load, kind, monkeypatch))
    for metric in ("total", "cost"):
        first, *others = (one.figures[metric] for one in estimates)
        assert [one.central for one in others] == pytest.approx([first.central] * 2, rel=0.02), metric
        assert all(one.format().unit == first.format().unit for one in others)


def test_an_hour_of_an_instance_costs_the_same_as_in_the_month_of_an_endpoint() -> None:
    job = GrowingJob("ml.m5.large", (MemorySample(GIB, 2 * GIB),))
    (shards,) = (one for one in forecast_growth(job, 10 * GIB, REGION).options if one.kind == "shards")
    with pytest.MonkeyPatch.context() as monkeypatch:
        only = {job.instance_type: instances.find(job.instance_type)}
        monkeypatch.setattr(instances, "load_all", lambda: only)
        (option,) = make_advice(ServingRequirements(REGION, 5_000, latency=1000.0)).options
    month, hour = option.estimate.figures["cost"], shards.instance_hour.figures["cost"]
    assert (option.size, option.min_instances, option.max_instances) == (job.instance_type, 1, 1)
    assert hour.central * 730 == pytest.approx(month.central, rel=0.01)


@check_cases("latency_ms", [250.0, 1000.0, 5000.0])
def test_no_command_recommends_serverless_for_a_latency_in_ms(latency_ms: float) -> None:
    text, load = describe_cold_start(), 5_000.0
    advice, comparison = advise(load, latency_ms), compare(load, latency_ms)
    assert [one.reasons for one in advice.refusals if one.kind == "serverless"] == [(text,)]
    assert comparison.get_cell("serverless", 0).refusal == text
    assert [shape and shape.name for shape in comparison.best_shapes] == ["realtime"]
    recommendations, expected = recommend(load, cold_start=False)
    assert [one.module for one in recommendations] == ["realtime_endpoint"]
    for output in (show_advice(advice), show_comparison(comparison), show_recommendations(recommendations, expected)):
        assert text in " ".join(output.split())


def test_every_command_prints_the_same_classes_and_sources() -> None:
    legend = dict(list_legend([]))
    job = GrowingJob("ml.m5.large", (MemorySample(GIB, 2 * GIB),))
    outputs = {
        "advise": show_advice(advise(5_000.0)),
        "compare": show_comparison(compare(5_000.0)),
        "recommend": show_recommendations(*recommend(5_000.0)),
        "size": "\n".join(format_growth(job, forecast_growth(job, 10 * GIB))),
    }
    for command, output in outputs.items():
        words = " ".join(output.split())
        assert all(text in words for text in legend.values()), command
        assert "mainly from" in words, command


@check_cases(("load", "has_warning"), [(1e12, True), (1e9, False), (5_000.0, False)])
def test_an_implausible_load_gives_a_warning_in_one_line(load: float, has_warning: bool) -> None:
    warning = describe_implausible_load(load)
    assert bool(warning) == has_warning
    assert "\n" not in warning
    assert not has_warning or "1,000,000,000,000 is 11,574,074 a second" in warning


def show_advice(advice: ServingAdvice) -> str:
    return _print(lambda out: display.print_advice(advice, out))


def show_comparison(comparison: EndpointComparison) -> str:
    return _print(lambda out: comparison_display.print_comparison(comparison, out))


def show_recommendations(recommendations: Sequence[RankedEndpoint], expected: ExpectedLoad) -> str:
    return _print(lambda out: recommendation_display.print_recommendations(recommendations, {}, expected, out))


def _print(show: Any) -> str:
    file = io.StringIO()
    show(Console(file=file, width=120, soft_wrap=True))
    return file.getvalue()
