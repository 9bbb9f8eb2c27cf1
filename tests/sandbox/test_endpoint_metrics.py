"""Metrics of endpoints: exactly those that AWS documents for their kind, each minute of the clock."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation
from sagemaker_sandbox.endpoints.hosting.metrics import (
    INSTANCE_NAMESPACE,
    MINUTE,
    REQUEST_NAMESPACE,
    TEN_SECONDS,
    EndpointMetrics,
    floor_to_step,
)
from sagemaker_sandbox.endpoints.hosting.traffic import Traffic
from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError
from sagemaker_sandbox.services.cloudwatch import metrics
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.fleet_support import (
    ACCOUNT,
    REGION,
    ModelStore,
    build_variant,
    invoke_model,
    run_region,
    start_fleet,
)
from tests.sandbox.support import IMAGE, STILL_CLOCK, advance_to_next_minute, wait_until

pytestmark = pytest.mark.slow

REQUEST_METRICS = {
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "ModelLatency",
    "OverheadLatency",
}
REAL_TIME = REQUEST_METRICS | {"InvocationsPerInstance", "InvocationModelErrors", "ConcurrentRequestsPerModel"}
SERVERLESS = REQUEST_METRICS | {"ServerlessConcurrentExecutionsUtilization"}
PROVISIONED = SERVERLESS | {
    "ServerlessProvisionedConcurrencyExecutions",
    "ServerlessProvisionedConcurrencyUtilization",
    "ServerlessProvisionedConcurrencyInvocations",
}
INSTANCE_METRICS = {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}


class PublishedMetrics:
    """All published values by namespace, metric and time."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
        #: Values with an additional dimension: by namespace, dimension and metric.
        self.by_dimension: dict[tuple[str, tuple[str, str], str], list[float]] = defaultdict(list)
        self.units: dict[str, str] = {}

    def put(self, account: str, region: str, namespace: str, data: list[dict[str, Any]], moment: datetime) -> None:
        assert (account, region) == (ACCOUNT, REGION)
        for datum in data:
            assert [dimension["Name"] for dimension in datum["Dimensions"][:2]] == ["EndpointName", "VariantName"]
            assert datum["Timestamp"] < moment
            name, counts = datum["MetricName"], datum.get("Counts") or [1] * len(datum["Values"])
            values = [
                repeated
                for value, count in zip(datum["Values"], counts, strict=True)
                for repeated in [value] * int(count)
            ]
            if len(datum["Dimensions"]) > 2:
                [extra_dimension] = datum["Dimensions"][2:]
                self.by_dimension[namespace, (extra_dimension["Name"], extra_dimension["Value"]), name] += values
            else:
                self.values[namespace, name][datum["Timestamp"]] += values
            self.units[datum["MetricName"]] = datum["Unit"]

    def get_names(self, namespace: str) -> set[str]:
        return {name for known_namespace, name in self.values if known_namespace == namespace}

    def get_values(self, name: str, namespace: str = REQUEST_NAMESPACE) -> list[float]:
        return [value for values in self.values[namespace, name].values() for value in values]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> PublishedMetrics:
    recorder = PublishedMetrics()
    monkeypatch.setattr(metrics, "put", recorder.put)
    return recorder


@pytest.fixture
def clock() -> Clock:
    """Return a clock at the start of a minute."""
    new_clock = Clock(STILL_CLOCK)
    begin_minute(new_clock)
    return new_clock


def begin_minute(clock: Clock) -> None:
    """Advance the clock to the next full minute."""
    now = clock.now()
    clock.advance((floor_to_step(now, MINUTE) + MINUTE - now).total_seconds())


@pytest.fixture
def fleets(sandbox: Sandbox, tmp_path: Path, clock: Clock, published: PublishedMetrics) -> Iterator[Fleets]:
    del published
    with run_region(sandbox, tmp_path, clock) as parts:
        region_fleets = parts.get(Fleets)
        EndpointMetrics(region_fleets.list_measured_endpoints, clock)
        yield region_fleets
    clock.close()


@pytest.fixture
def models(s3: Any, bucket: str) -> ModelStore:
    return ModelStore(s3, bucket)


def send_requests(traffic: Traffic) -> None:
    """Send three requests that succeed and one that fails."""
    for _ in range(3):
        invoke_model(traffic)
    with pytest.raises(ModelError):
        invoke_model(traffic, fail=True)


def test_a_real_time_endpoint_has_its_documented_metrics(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    fleet, traffic = start_fleet(fleets, "live", models, build_variant("main", InitialInstanceCount=2))
    send_requests(traffic)
    assert not published.get_values("Invocations")
    clock.advance(60)
    assert published.get_names(REQUEST_NAMESPACE) == REAL_TIME
    assert published.get_names(INSTANCE_NAMESPACE) == INSTANCE_METRICS
    assert published.get_values("Invocations") == [1] * 4
    assert [value for value in published.get_values("InvocationsPerInstance") if value] == [0.5] * 4
    assert (
        sorted(published.get_values("Invocation5XXErrors"))
        == sorted(published.get_values("InvocationModelErrors"))
        == [0, 0, 0, 1]
    )
    assert published.get_values("Invocation4XXErrors") == [0] * 4
    assert len(published.get_values("ModelLatency")) == len(published.get_values("OverheadLatency")) == 4
    assert all(latency > 1 for latency in published.get_values("ModelLatency"))
    assert {published.units[name] for name in ("ModelLatency", "OverheadLatency")} == {"Microseconds"}
    assert {published.units[name] for name in INSTANCE_METRICS} == {"Percent"}
    # One sample for each instance, as in the FAQ of AWS.
    assert (
        len(published.get_values("CPUUtilization", INSTANCE_NAMESPACE))
        == len(published.get_values("MemoryUtilization", INSTANCE_NAMESPACE))
        == 2
    )
    assert all(0 < share < 100 for share in published.get_values("MemoryUtilization", INSTANCE_NAMESPACE))

    published.values.clear()
    fleet.scale("main", 1)
    clock.advance(60)  # without requests, only the metrics by which variants scale have zeros
    assert published.get_names(REQUEST_NAMESPACE) == {"ConcurrentRequestsPerModel", "InvocationsPerInstance"}
    assert set(published.get_values("InvocationsPerInstance")) == {0}
    assert set(published.get_values("ConcurrentRequestsPerModel")) == {0}
    assert len(published.get_values("CPUUtilization", INSTANCE_NAMESPACE)) == 1
    fleet.scale("main", 0)
    published.values.clear()
    clock.advance(60)
    assert not published.values


def test_a_serverless_endpoint_has_its_documented_metrics(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics, tmp_path: Path
) -> None:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 4}
    fleet, traffic = start_fleet(fleets, "on-demand", models, build_variant("main", ServerlessConfig=serverless))
    clock.advance(60)
    assert set(published.values) == {(INSTANCE_NAMESPACE, "MemoryUtilization")}  # of the worker that tested the model
    send_requests(traffic)
    clock.advance(60)
    assert published.get_names(REQUEST_NAMESPACE) - {"ModelSetupTime"} == SERVERLESS
    assert published.get_names(INSTANCE_NAMESPACE) == {"MemoryUtilization"}
    assert published.get_values("ServerlessConcurrentExecutionsUtilization") == [0.25] * 4

    published.values.clear()
    fleet.set_serverless("main", {"ProvisionedConcurrency": 2})
    for _ in range(3):
        invoke_model(traffic)
    clock.advance(60)
    assert published.get_names(REQUEST_NAMESPACE) == PROVISIONED
    assert published.get_values("ServerlessProvisionedConcurrencyInvocations") == [3]
    assert published.get_values("ServerlessProvisionedConcurrencyExecutions") == [1] * 3
    assert published.get_values("ServerlessProvisionedConcurrencyUtilization") == [0.5] * 3

    published.values.clear()
    (meeting := tmp_path / "meeting").mkdir()
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(invoke_model, traffic, meet=[str(meeting), 4]) for _ in range(4)]:
            future.result()
    clock.advance(60)
    assert published.get_values("ServerlessProvisionedConcurrencySpilloverInvocations") == [2]
    assert max(published.get_values("ServerlessProvisionedConcurrencyUtilization")) == 1
    assert max(published.get_values("ServerlessConcurrentExecutionsUtilization")) == 1


def test_an_asynchronous_endpoint_has_no_invocation_metric(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    config = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://out"}}}
    _, traffic = start_fleet(fleets, "queued", models, build_variant("main"), **config)
    for body in (b"{}", b'{"fail": 1}'):
        with traffic.reserve(limit=1) as reservation, suppress(ModelError):
            assert reservation is not None
            reservation.invoke(Invocation(body))
    clock.advance(60)
    assert published.get_names(REQUEST_NAMESPACE) == {"Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency"}
    assert published.get_names(INSTANCE_NAMESPACE) == INSTANCE_METRICS
    assert sorted(published.get_values("Invocation5XXErrors")) == [0, 1]


def test_concurrency_is_published_every_ten_seconds_while_there_are_requests(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics, tmp_path: Path
) -> None:
    _, traffic = start_fleet(fleets, "ten", models, build_variant("main"))
    begin_minute(clock)  # the requests below are in its first ten seconds
    concurrency = published.values[REQUEST_NAMESPACE, "ConcurrentRequestsPerModel"]
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(invoke_model, traffic, until=str(tmp_path / "go")) for _ in range(2)]
        wait_until(lambda: traffic.fleets[0].variants["main"].pool.members[0].active_requests == 2)
        start = floor_to_step(clock.now(), TEN_SECONDS)
        clock.advance(10)
        assert concurrency[start] == [2.0]
        (tmp_path / "go").touch()
        for future in futures:
            future.result()
    clock.advance(300)
    assert sorted(concurrency) == [min(concurrency) + number * TEN_SECONDS for number in range(len(concurrency))]
    assert len(concurrency) >= 30
    assert {moment for moment, values in concurrency.items() if values != [0.0]} <= {start, start + TEN_SECONDS}


def test_enhanced_metrics_are_published_for_each_instance(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    enhanced = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 30}
    main = build_variant("main", InitialInstanceCount=2)
    _, traffic = start_fleet(fleets, "enhanced", models, main, MetricsConfig=enhanced)
    for _ in range(20):
        invoke_model(traffic)
    clock.advance(30)
    assert published.get_values("Invocations") == [1] * 20
    dimensions = {dimension for namespace, dimension, _ in published.by_dimension if namespace == INSTANCE_NAMESPACE}
    assert {name for name, _ in dimensions} == {"InstanceId"}
    assert len(dimensions) == 2
    assert {dimension for namespace, dimension, name in published.by_dimension if name == "Invocations"} == dimensions
    assert (
        sum(len(published.by_dimension[REQUEST_NAMESPACE, dimension, "Invocations"]) for dimension in dimensions) == 20
    )
    assert {
        name for namespace, _, name in published.by_dimension if namespace == INSTANCE_NAMESPACE
    } == INSTANCE_METRICS


def test_each_container_has_metrics(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    containers = [container | {"ContainerHostname": name} for name, [container] in models("first", "second").items()]

    def start(endpoint: str, **members: Any) -> Traffic:
        fleet = fleets.create_fleet(
            endpoint,
            {"ProductionVariants": [build_variant("main")]},
            {"main": [container | members for container in containers]},
        )
        fleet.start()
        fleets.get_traffic(endpoint).shift((fleet, 1.0))
        return fleets.get_traffic(endpoint)

    series = start("series")
    series.invoke(Invocation(b"{}"))
    clock.advance(60)
    first, second = ("ContainerName", "first"), ("ContainerName", "second")
    assert set(published.by_dimension) == {
        (REQUEST_NAMESPACE, first, "ContainerLatency"),
        (REQUEST_NAMESPACE, second, "ContainerLatency"),
    }

    published.by_dimension.clear()
    direct = start("direct", InferenceExecutionConfig={"Mode": "Direct"})
    direct.invoke(Invocation(b"{}", target_container="second"))
    clock.advance(60)
    assert {(dimension, name) for _, dimension, name in published.by_dimension} == {
        (second, name)
        for name in (
            "ContainerLatency",
            "OverheadLatency",
            "Invocations",
            "Invocation4XXErrors",
            "Invocation5XXErrors",
        )
    }


def test_a_multi_model_endpoint_has_its_documented_metrics(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics, bucket: str
) -> None:
    models("one", "two")
    container = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{bucket}/"}
    fleet = fleets.create_fleet("many", {"ProductionVariants": [build_variant("main")]}, {"main": [container]})
    fleet.start()
    fleets.get_traffic("many").shift((fleet, 1.0))
    for model in ("one", "two", "one"):
        fleets.get_traffic("many").invoke(Invocation(b"{}", target_model=f"{model}.tar.gz"))
    clock.advance(60)
    loading = {"ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime", "ModelCacheHit"}
    assert published.get_names(REQUEST_NAMESPACE) == REAL_TIME | loading
    assert published.get_names(INSTANCE_NAMESPACE) == INSTANCE_METRICS | {"LoadedModelCount"}
    assert sorted(published.get_values("ModelCacheHit")) == [0, 0, 1]
    assert published.get_values("LoadedModelCount", INSTANCE_NAMESPACE) == [2]


def test_a_streaming_response_ends_with_its_last_part(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    _, traffic = start_fleet(fleets, "parts", models, build_variant("main"))
    response = traffic.invoke(Invocation(b"{}", is_streaming=True))
    [member] = traffic.fleets[0].variants["main"].pool.members
    assert member.active_requests == 1
    assert not isinstance(response.body, bytes)
    assert b"".join(response.body).startswith(b"{")
    assert member.active_requests == 0
    abandoned = traffic.invoke(Invocation(b"{}", is_streaming=True))
    del abandoned  # the client disconnected
    assert member.active_requests == 0
    clock.advance(60)
    assert published.get_values("Invocations") == [1] * 2


def test_the_configuration_sets_the_interval_of_utilization_metrics(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    often = {"MetricsConfig": {"MetricPublishFrequencyInSeconds": 10}}
    seldom = {"MetricsConfig": {"MetricPublishFrequencyInSeconds": 300}}
    start_fleet(fleets, "often", models, build_variant("main"), **often)
    begin_minute(clock)
    published.values.clear()
    clock.advance(60)
    assert len(published.get_values("CPUUtilization", INSTANCE_NAMESPACE)) == 6
    fleets.release("often")
    fleets.region.join()
    published.values.clear()
    start_fleet(fleets, "seldom", models, build_variant("main"), **seldom)
    begin_minute(clock)
    published.values.clear()
    clock.advance(600)
    moments = sorted(published.values[INSTANCE_NAMESPACE, "CPUUtilization"])
    assert [second - first for first, second in itertools.pairwise(moments)] == [timedelta(minutes=5)]


def test_requests_to_a_deleted_endpoint_are_still_published(
    fleets: Fleets, models: ModelStore, clock: Clock, published: PublishedMetrics
) -> None:
    _, traffic = start_fleet(fleets, "gone", models, build_variant("main"))
    invoke_model(traffic)
    fleets.release("gone")
    fleets.region.join()
    clock.advance(60)
    assert published.get_values("Invocations") == [1]
    published.values.clear()
    clock.advance(60)
    assert not published.values
    assert EndpointMetrics(fleets.list_measured_endpoints, Clock()).next(datetime.now(UTC)) is None


def test_clients_find_exactly_the_metrics_of_endpoints_in_cloudwatch() -> None:
    with Sandbox.start(time_scale=STILL_CLOCK) as sandbox:
        endpoints = EndpointClient.prepare(sandbox)
        cloudwatch = sandbox.client("cloudwatch")
        advance_to_next_minute(sandbox)  # both instances exist at the end of a minute, or neither
        live = endpoints.create_endpoint(endpoints.create_config(endpoints.create_model("live"), count=2))
        serverless = endpoints.create_endpoint(
            endpoints.create_config(endpoints.create_model("serverless"), count=None)
        )
        for endpoint in (live, live, live, serverless):
            endpoints.invoke(endpoint)
        start = sandbox.advance(0)
        sandbox.advance(60)

        def list_metrics(endpoint: str, namespace: str) -> set[str]:
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}]
            pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace, Dimensions=dimensions)
            return {metric["MetricName"] for page in pages for metric in page["Metrics"]}

        def get_total(endpoint: str, metric: str, statistic: str = "Sum", namespace: str = REQUEST_NAMESPACE) -> float:
            statistics = cloudwatch.get_metric_statistics(
                Namespace=namespace,
                MetricName=metric,
                Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}],
                StartTime=start - timedelta(minutes=2),
                EndTime=start + timedelta(minutes=2),
                Period=60,
                Statistics=[statistic],
            )
            return sum(float(point[statistic]) for point in statistics["Datapoints"])

        assert list_metrics(live, REQUEST_NAMESPACE) == REAL_TIME
        assert list_metrics(live, INSTANCE_NAMESPACE) == INSTANCE_METRICS
        assert list_metrics(serverless, REQUEST_NAMESPACE) - {"ModelSetupTime"} == SERVERLESS
        assert list_metrics(serverless, INSTANCE_NAMESPACE) == {"MemoryUtilization"}
        assert (get_total(live, "Invocations"), get_total(live, "InvocationsPerInstance")) == (3, 1.5)
        assert get_total(serverless, "Invocations") == 1
        assert get_total(live, "CPUUtilization", "SampleCount", INSTANCE_NAMESPACE) % 2 == 0
