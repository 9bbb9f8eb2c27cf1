"""What CloudWatch is told of endpoints: exactly what AWS documents for their kind, each minute of the clock."""

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
from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.cloudwatch import metrics
from sagemaker_sandbox.hosting.invocation import Invocation
from sagemaker_sandbox.hosting.metrics import (
    INSTANCE_NAMESPACE,
    MINUTE,
    REQUEST_NAMESPACE,
    TEN_SECONDS,
    EndpointMetrics,
    floor_to_step,
)
from sagemaker_sandbox.hosting.traffic import Traffic
from sagemaker_sandbox.runtime.container_invocation import ModelError
from sagemaker_sandbox.sagemaker.fleets import Fleets
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
from tests.sandbox.support import IMAGE, next_minute, until

pytestmark = pytest.mark.slow

OF_REQUESTS = {
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "ModelLatency",
    "OverheadLatency",
}
REAL_TIME = OF_REQUESTS | {"InvocationsPerInstance", "InvocationModelErrors", "ConcurrentRequestsPerModel"}
SERVERLESS = OF_REQUESTS | {"ServerlessConcurrentExecutionsUtilization"}
PROVISIONED = SERVERLESS | {
    "ServerlessProvisionedConcurrencyExecutions",
    "ServerlessProvisionedConcurrencyUtilization",
    "ServerlessProvisionedConcurrencyInvocations",
}
OF_INSTANCES = {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}


class PublishedMetrics:
    """Everything that was told, by namespace, metric and moment."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
        #: As `values`, of what has a dimension more: by namespace, that dimension and metric.
        self.by_dimension: dict[tuple[str, tuple[str, str], str], list[float]] = defaultdict(list)
        self.units: dict[str, str] = {}

    def put(self, account: str, region: str, namespace: str, data: list[dict[str, Any]], moment: datetime) -> None:
        assert (account, region) == (ACCOUNT, REGION)
        for datum in data:
            assert [one["Name"] for one in datum["Dimensions"][:2]] == ["EndpointName", "VariantName"]
            assert datum["Timestamp"] < moment
            name, counts = datum["MetricName"], datum.get("Counts") or [1] * len(datum["Values"])
            values = [
                each for value, count in zip(datum["Values"], counts, strict=True) for each in [value] * int(count)
            ]
            if len(datum["Dimensions"]) > 2:
                [also] = datum["Dimensions"][2:]
                self.by_dimension[namespace, (also["Name"], also["Value"]), name] += values
            else:
                self.values[namespace, name][datum["Timestamp"]] += values
            self.units[datum["MetricName"]] = datum["Unit"]

    def get_names(self, namespace: str) -> set[str]:
        return {name for of, name in self.values if of == namespace}

    def get_values(self, name: str, namespace: str = REQUEST_NAMESPACE) -> list[float]:
        return [value for values in self.values[namespace, name].values() for value in values]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> PublishedMetrics:
    heard = PublishedMetrics()
    monkeypatch.setattr(metrics, "put", heard.put)
    return heard


@pytest.fixture
def clock() -> Clock:
    """At the beginning of a minute."""
    made = Clock()
    begin_minute(made)
    return made


def begin_minute(clock: Clock) -> None:
    """Move the time to the next."""
    now = clock.now()
    clock.advance((floor_to_step(now, MINUTE) + MINUTE - now).total_seconds())


@pytest.fixture
def fleets(sandbox: Sandbox, tmp_path: Path, clock: Clock, told: PublishedMetrics) -> Iterator[Fleets]:
    del told
    with run_region(sandbox, tmp_path, clock) as parts:
        made = parts.get(Fleets)
        EndpointMetrics(made.list_measured_endpoints, clock)
        yield made
    clock.close()


@pytest.fixture
def models(s3: Any, bucket: str) -> ModelStore:
    return ModelStore(s3, bucket)


def send_requests(traffic: Traffic) -> None:
    """Three answers and an error."""
    for _ in range(3):
        invoke_model(traffic)
    with pytest.raises(ModelError):
        invoke_model(traffic, fail=True)


def test_a_real_time_endpoint(fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics) -> None:
    fleet, traffic = start_fleet(fleets, "live", models, build_variant("main", InitialInstanceCount=2))
    send_requests(traffic)
    assert not told.get_values("Invocations")
    clock.advance(60)
    assert told.get_names(REQUEST_NAMESPACE) == REAL_TIME
    assert told.get_names(INSTANCE_NAMESPACE) == OF_INSTANCES
    assert told.get_values("Invocations") == [1] * 4
    assert told.get_values("InvocationsPerInstance") == [0.5] * 4
    assert (
        sorted(told.get_values("Invocation5XXErrors"))
        == sorted(told.get_values("InvocationModelErrors"))
        == [0, 0, 0, 1]
    )
    assert told.get_values("Invocation4XXErrors") == [0] * 4
    assert len(told.get_values("ModelLatency")) == len(told.get_values("OverheadLatency")) == 4
    assert all(latency > 1 for latency in told.get_values("ModelLatency"))
    assert {told.units[name] for name in ("ModelLatency", "OverheadLatency")} == {"Microseconds"}
    assert {told.units[name] for name in OF_INSTANCES} == {"Percent"}
    # An instance is a sample: AWS's FAQ counts instances so.
    assert (
        len(told.get_values("CPUUtilization", INSTANCE_NAMESPACE))
        == len(told.get_values("MemoryUtilization", INSTANCE_NAMESPACE))
        == 2
    )
    assert all(0 < share < 100 for share in told.get_values("MemoryUtilization", INSTANCE_NAMESPACE))

    told.values.clear()
    fleet.scale("main", 1)
    clock.advance(60)  # nobody has asked: no zeros of requests, which is why scaling in wants another metric
    assert told.get_names(REQUEST_NAMESPACE) == {"ConcurrentRequestsPerModel"}
    assert set(told.get_values("ConcurrentRequestsPerModel")) == {0}
    assert len(told.get_values("CPUUtilization", INSTANCE_NAMESPACE)) == 1
    fleet.scale("main", 0)
    told.values.clear()
    clock.advance(60)
    assert not told.values


def test_a_serverless_endpoint(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics, tmp_path: Path
) -> None:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 4}
    fleet, traffic = start_fleet(fleets, "on-demand", models, build_variant("main", ServerlessConfig=serverless))
    clock.advance(60)
    assert set(told.values) == {(INSTANCE_NAMESPACE, "MemoryUtilization")}  # of the worker by which the model was tried
    send_requests(traffic)
    clock.advance(60)
    assert told.get_names(REQUEST_NAMESPACE) - {"ModelSetupTime"} == SERVERLESS
    assert told.get_names(INSTANCE_NAMESPACE) == {"MemoryUtilization"}
    assert told.get_values("ServerlessConcurrentExecutionsUtilization") == [0.25] * 4

    told.values.clear()
    fleet.set_serverless("main", {"ProvisionedConcurrency": 2})
    for _ in range(3):
        invoke_model(traffic)
    clock.advance(60)
    assert told.get_names(REQUEST_NAMESPACE) == PROVISIONED
    assert told.get_values("ServerlessProvisionedConcurrencyInvocations") == [3]
    assert told.get_values("ServerlessProvisionedConcurrencyExecutions") == [1] * 3
    assert told.get_values("ServerlessProvisionedConcurrencyUtilization") == [0.5] * 3

    told.values.clear()
    (meeting := tmp_path / "meeting").mkdir()
    with ThreadPoolExecutor() as pool:
        for answered in [pool.submit(invoke_model, traffic, meet=[str(meeting), 4]) for _ in range(4)]:
            answered.result()
    clock.advance(60)
    assert told.get_values("ServerlessProvisionedConcurrencySpilloverInvocations") == [2]
    assert max(told.get_values("ServerlessProvisionedConcurrencyUtilization")) == 1
    assert max(told.get_values("ServerlessConcurrentExecutionsUtilization")) == 1


def test_an_asynchronous_endpoint_tells_of_no_invocations(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics
) -> None:
    config = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://out"}}}
    _, traffic = start_fleet(fleets, "queued", models, build_variant("main"), **config)
    for body in (b"{}", b'{"fail": 1}'):
        with traffic.reserve(limit=1) as place, suppress(ModelError):
            assert place is not None
            place.invoke(Invocation(body))
    clock.advance(60)
    assert told.get_names(REQUEST_NAMESPACE) == {"Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency"}
    assert told.get_names(INSTANCE_NAMESPACE) == OF_INSTANCES
    assert sorted(told.get_values("Invocation5XXErrors")) == [0, 1]


def test_concurrency_is_told_each_ten_seconds_while_there_are_requests(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics, tmp_path: Path
) -> None:
    _, traffic = start_fleet(fleets, "ten", models, build_variant("main"))
    begin_minute(clock)  # what follows falls into the first ten seconds of it
    concurrency = told.values[REQUEST_NAMESPACE, "ConcurrentRequestsPerModel"]
    with ThreadPoolExecutor() as pool:
        slow = [pool.submit(invoke_model, traffic, until=str(tmp_path / "go")) for _ in range(2)]
        until(lambda: traffic.fleets[0].variants["main"].pool.members[0].active_requests == 2)
        begun = floor_to_step(clock.now(), TEN_SECONDS)
        clock.advance(10)
        assert concurrency[begun] == [2.0]
        (tmp_path / "go").touch()
        for answered in slow:
            answered.result()
    clock.advance(300)
    assert sorted(concurrency) == [min(concurrency) + number * TEN_SECONDS for number in range(len(concurrency))]
    assert len(concurrency) >= 30
    assert {moment for moment, values in concurrency.items() if values != [0.0]} <= {begun, begun + TEN_SECONDS}


def test_enhanced_metrics_tell_all_of_each_instance_too(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics
) -> None:
    enhanced = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 30}
    main = build_variant("main", InitialInstanceCount=2)
    _, traffic = start_fleet(fleets, "enhanced", models, main, MetricsConfig=enhanced)
    for _ in range(20):
        invoke_model(traffic)
    clock.advance(30)
    assert told.get_values("Invocations") == [1] * 20
    both = {also for namespace, also, _ in told.by_dimension if namespace == INSTANCE_NAMESPACE}
    assert {name for name, _ in both} == {"InstanceId"}
    assert len(both) == 2
    assert {also for namespace, also, name in told.by_dimension if name == "Invocations"} == both
    assert sum(len(told.by_dimension[REQUEST_NAMESPACE, also, "Invocations"]) for also in both) == 20
    assert {name for namespace, _, name in told.by_dimension if namespace == INSTANCE_NAMESPACE} == OF_INSTANCES


def test_containers_tell_of_themselves(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics
) -> None:
    containers = [one | {"ContainerHostname": name} for name, [one] in models("first", "second").items()]

    def deployed(endpoint: str, **members: Any) -> Traffic:
        fleet = fleets.create_fleet(
            endpoint,
            {"ProductionVariants": [build_variant("main")]},
            {"main": [one | members for one in containers]},
        )
        fleet.start()
        fleets.get_traffic(endpoint).shift((fleet, 1.0))
        return fleets.get_traffic(endpoint)

    series = deployed("series")
    series.invoke(Invocation(b"{}"))
    clock.advance(60)
    first, second = ("ContainerName", "first"), ("ContainerName", "second")
    assert set(told.by_dimension) == {
        (REQUEST_NAMESPACE, first, "ContainerLatency"),
        (REQUEST_NAMESPACE, second, "ContainerLatency"),
    }

    told.by_dimension.clear()
    direct = deployed("direct", InferenceExecutionConfig={"Mode": "Direct"})
    direct.invoke(Invocation(b"{}", target_container="second"))
    clock.advance(60)
    assert {(of, name) for _, of, name in told.by_dimension} == {
        (second, name)
        for name in (
            "ContainerLatency",
            "OverheadLatency",
            "Invocations",
            "Invocation4XXErrors",
            "Invocation5XXErrors",
        )
    }


def test_a_multi_model_endpoint(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics, bucket: str
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
    assert told.get_names(REQUEST_NAMESPACE) == REAL_TIME | loading
    assert told.get_names(INSTANCE_NAMESPACE) == OF_INSTANCES | {"LoadedModelCount"}
    assert sorted(told.get_values("ModelCacheHit")) == [0, 0, 1]
    assert told.get_values("LoadedModelCount", INSTANCE_NAMESPACE) == [2]


def test_an_answer_in_parts_is_over_with_its_last(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics
) -> None:
    _, traffic = start_fleet(fleets, "parts", models, build_variant("main"))
    answer = traffic.invoke(Invocation(b"{}", is_streaming=True))
    [member] = traffic.fleets[0].variants["main"].pool.members
    assert member.active_requests == 1
    assert not isinstance(answer.body, bytes)
    assert b"".join(answer.body).startswith(b"{")
    assert member.active_requests == 0
    left = traffic.invoke(Invocation(b"{}", is_streaming=True))
    del left  # its client has gone
    assert member.active_requests == 0
    clock.advance(60)
    assert told.get_values("Invocations") == [1] * 2


def test_how_often_utilisation_is_told_is_the_configurations(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics
) -> None:
    often = {"MetricsConfig": {"MetricPublishFrequencyInSeconds": 10}}
    seldom = {"MetricsConfig": {"MetricPublishFrequencyInSeconds": 300}}
    start_fleet(fleets, "often", models, build_variant("main"), **often)
    begin_minute(clock)
    told.values.clear()
    clock.advance(60)
    assert len(told.get_values("CPUUtilization", INSTANCE_NAMESPACE)) == 6
    fleets.release("often")
    fleets.region.join()
    told.values.clear()
    start_fleet(fleets, "seldom", models, build_variant("main"), **seldom)
    begin_minute(clock)
    told.values.clear()
    clock.advance(600)
    moments = sorted(told.values[INSTANCE_NAMESPACE, "CPUUtilization"])
    assert [second - first for first, second in itertools.pairwise(moments)] == [timedelta(minutes=5)]


def test_what_a_deleted_endpoint_was_asked_is_still_told(
    fleets: Fleets, models: ModelStore, clock: Clock, told: PublishedMetrics
) -> None:
    _, traffic = start_fleet(fleets, "gone", models, build_variant("main"))
    invoke_model(traffic)
    fleets.release("gone")
    fleets.region.join()
    clock.advance(60)
    assert told.get_values("Invocations") == [1]
    told.values.clear()
    clock.advance(60)
    assert not told.values
    assert EndpointMetrics(fleets.list_measured_endpoints, Clock()).next(datetime.now(UTC)) is None


def test_any_client_finds_in_cloudwatch_what_endpoints_tell_and_nothing_else() -> None:
    with Sandbox.start() as sandbox:
        own = EndpointClient.prepare(sandbox)
        cloudwatch = sandbox.client("cloudwatch")
        next_minute(sandbox)  # both instances are there, or neither, when a minute ends
        live = own.create_endpoint(own.create_config(own.create_model("live"), count=2))
        serverless = own.create_endpoint(own.create_config(own.create_model("serverless"), count=None))
        for endpoint in (live, live, live, serverless):
            own.invoke(endpoint)
        begun = sandbox.advance(0)
        sandbox.advance(60)

        def metrics_of(endpoint: str, namespace: str) -> set[str]:
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}]
            pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace, Dimensions=dimensions)
            return {metric["MetricName"] for page in pages for metric in page["Metrics"]}

        def total(endpoint: str, metric: str, statistic: str = "Sum", namespace: str = REQUEST_NAMESPACE) -> float:
            found = cloudwatch.get_metric_statistics(
                Namespace=namespace,
                MetricName=metric,
                Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}],
                StartTime=begun - timedelta(minutes=2),
                EndTime=begun + timedelta(minutes=2),
                Period=60,
                Statistics=[statistic],
            )
            return sum(float(point[statistic]) for point in found["Datapoints"])

        assert metrics_of(live, REQUEST_NAMESPACE) == REAL_TIME
        assert metrics_of(live, INSTANCE_NAMESPACE) == OF_INSTANCES
        assert metrics_of(serverless, REQUEST_NAMESPACE) - {"ModelSetupTime"} == SERVERLESS
        assert metrics_of(serverless, INSTANCE_NAMESPACE) == {"MemoryUtilization"}
        assert (total(live, "Invocations"), total(live, "InvocationsPerInstance")) == (3, 1.5)
        assert total(serverless, "Invocations") == 1
        assert total(live, "CPUUtilization", "SampleCount", INSTANCE_NAMESPACE) % 2 == 0
