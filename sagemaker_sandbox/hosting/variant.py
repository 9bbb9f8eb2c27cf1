"""One variant of a fleet: its instances, what its requests tell of themselves, and how busy its instances are."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sagemaker_sandbox.hosting.instance import HostingInstance, InstanceShape, StartError
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.hosting.metrics import MINUTE, TEN_SECONDS, EndpointKind, VariantMeter, floor_to_step
from sagemaker_sandbox.hosting.pool import InstancePool, PoolMember
from sagemaker_sandbox.hosting.request_metrics import CompletedRequest
from sagemaker_sandbox.hosting.usage import ResourceUsage, get_machine_memory
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.runtime.container_invocation import InvocationTimings, ModelError
from sagemaker_sandbox.runtime.model_data import ModelDataCache
from sustainable_mlops.catalogue import instances

_MEBIBYTE, _GIBIBYTE = 2.0**20, 2.0**30
#: The volume of an instance whose configuration names none, in GB. AWS publishes no figure; assumed.
_VOLUME_GB = 30


class VariantOwner(Protocol):
    """The endpoint that a variant is of."""

    region: AccountRegion

    def get_meter(self, variant: str) -> VariantMeter:
        """Where the requests to a variant tell of themselves."""

    def signal_free_capacity(self) -> None:
        """There may be room for a request."""

    def follow_logs(self, variant: str, logs: Mapping[str, Path]) -> Callable[[], None]:
        """Send the lines of an instance's logs on, until what is returned is called."""

    def record_shadow_response(
        self, config: Fields, variant: str, asked: Invocation, answer: InvocationResponse
    ) -> None:
        """What a shadow variant of a configuration has answered."""


@dataclass
class _Running:
    """What goes with an instance."""

    id: str
    folder: Path
    usage: ResourceUsage
    stop_following: Callable[[], None] = lambda: None


class HostedVariant:
    """`fields` are those of the configuration; weight and serverless settings are as they are now."""

    def __init__(
        self,
        home: VariantOwner,
        config: Fields,
        fields: Fields,
        containers: list[Fields],
        folder: Path,
        data: ModelDataCache,
    ) -> None:
        self.name: str = fields["VariantName"]
        self.fields = fields
        self.weight = float(fields.get("InitialVariantWeight", 1.0))
        self.serverless: Fields | None = fields.get("ServerlessConfig")
        asynchronous = "AsyncInferenceConfig" in config
        self.kind = (
            EndpointKind.SERVERLESS
            if self.serverless
            else EndpointKind.ASYNCHRONOUS
            if asynchronous
            else EndpointKind.REAL_TIME
        )
        metrics = config.get("MetricsConfig") or {}
        #: How often it tells how busy its instances are.
        self.publish_interval = timedelta(seconds=metrics.get("MetricPublishFrequencyInSeconds", 60))
        #: Whether all is told of each instance, too.
        self._by_instance = bool(metrics.get("EnableEnhancedMetrics")) and self.kind is EndpointKind.REAL_TIME
        self._home = home
        self._meter = home.get_meter(self.name)
        self._containers = containers
        self._multi_model = any(container.get("Mode") == "MultiModel" for container in containers)
        self._folder = folder
        self._data = data
        self._running: dict[HostingInstance, _Running] = {}
        strategy = fields.get("RoutingConfig", {}).get("RoutingStrategy", "RANDOM")
        self.pool = InstancePool(
            self._make, self._begin, self._end, home.signal_free_capacity, at_random=strategy == "RANDOM"
        )
        #: Whether no request has come in the last ten seconds, so that a minute's may be told together.
        self.is_quiet = True
        self._counted_until: datetime | None = None

    @property
    def initial_count(self) -> int:
        """How many instances it begins with; a serverless one is counted as one."""
        return 1 if self.serverless else int(self.fields.get("InitialInstanceCount", 1))

    def _make(self, number: int) -> HostingInstance:
        folder, name = self._folder / str(number), f"{self.name}-{number}"
        shape = self._shape()
        instance = HostingInstance(
            self._home.region, name, self._containers, folder, shape, self._data, variant=self.name
        )
        usage = ResourceUsage(folder, self._memory(), self.fields.get("VolumeSizeInGB", _VOLUME_GB) * 1e9)
        self._running[instance] = _Running(f"i-{secrets.token_hex(8)}0", folder, usage)
        return instance

    def _begin(self, instance: HostingInstance) -> None:
        running = self._running.get(instance)
        if running is None:  # closed meanwhile
            raise StartError("The endpoint is being deleted.")
        running.stop_following = self._home.follow_logs(self.name, instance.logs)
        instance.start()

    def _end(self, instance: HostingInstance) -> None:
        instance.close()
        running = self._running.pop(instance, None)
        if running is not None:
            running.stop_following()
            shutil.rmtree(running.folder, ignore_errors=True)

    def _shape(self) -> InstanceShape:
        shape = InstanceShape()
        shape = replace(
            shape,
            startup_seconds=self.fields.get("ContainerStartupHealthCheckTimeoutInSeconds", shape.startup_seconds),
            download_seconds=self.fields.get("ModelDataDownloadTimeoutInSeconds", shape.download_seconds),
        )
        if self.serverless is None:
            return replace(shape, loaded_mb=int(self._memory() / _MEBIBYTE))
        return replace(
            shape,
            memory_mb=self.serverless["MemorySizeInMB"],
            max_concurrency=self.serverless["MaxConcurrency"],
            idle_seconds=self._home.region.context.idle_seconds,
            warm=self.serverless.get("ProvisionedConcurrency", 0),
        )

    def _memory(self) -> float:
        """Bytes that an instance has."""
        if self.serverless is not None:
            return float(self.serverless["MemorySizeInMB"]) * _MEBIBYTE
        known = instances.find(self.fields.get("InstanceType", ""))
        return known.memory_gib * _GIBIBYTE if known is not None else get_machine_memory()

    def set_serverless(self, settings: Fields) -> None:
        """Other settings; back once the provisioned concurrency is warm. Raises StartError."""
        assert self.serverless is not None
        self.serverless = self.serverless | settings
        for member in self.pool.members:
            member.instance.reshape(self._shape())

    def reserve(self, limit: int | None = None) -> PoolMember | None:
        """Have an instance take one request more."""
        member = self.pool.reserve(limit)
        if member is not None:
            self._stir()
        return member

    def reserve_at(self, member: PoolMember) -> bool:
        """Have this instance take one request more; False where it is not in service any more."""
        taken = self.pool.reserve_at(member)
        if taken:
            self._stir()
        return taken

    def _stir(self) -> None:
        if self.is_quiet:
            self.is_quiet = False
            self._home.region.clock.wake()

    def invoke(self, member: PoolMember, asked: Invocation, began: float) -> InvocationResponse:
        """The answer of an instance that has taken the request, which came when it `began`. One that streams is told
        of once it is over, by whoever takes its parts."""
        at_once = member.active_requests
        try:
            answer = member.instance.invoke(asked)
        except ModelError as error:
            self.record_request(member, asked, at_once, error.original_status, time.monotonic() - began, error.timings)
            raise
        if isinstance(answer.body, bytes):
            self.record_request(member, asked, at_once, 200, time.monotonic() - began, answer.timings)
        return replace(answer, variant=self.name)

    def record_request(
        self, member: PoolMember, asked: Invocation, at_once: int, status: int, seconds: float, took: InvocationTimings
    ) -> None:
        """A request is over."""
        over = CompletedRequest(status, seconds, took, at_once, self.pool.count, asked.target_container)
        for name, value in over.list_variant_metrics(self.serverless):
            self._tell(member, name, value)
        for container, name, value in over.list_container_metrics():
            self._meter.record(self.kind, name, value, ("ContainerName", container))

    def _tell(self, member: PoolMember, name: str, value: float) -> None:
        if not self._by_instance:
            self._meter.record(self.kind, name, value)
            return
        self._meter.record(self.kind, name, value, step=self.publish_interval)
        running = self._running.get(member.instance)
        if running is not None:
            self._meter.record(self.kind, name, value, ("InstanceId", running.id), self.publish_interval)

    def collect_concurrency(self, moment: datetime) -> Iterator[Fields]:
        """What each instance had under way at once, each ten seconds until now. Where nothing came, once a minute."""
        if self.kind is not EndpointKind.REAL_TIME or (self.is_quiet and floor_to_step(moment, MINUTE) != moment):
            return
        members, last = self.pool.members, moment - TEN_SECONDS
        start = max(self._counted_until or last, moment - MINUTE)
        while members and start < last:
            yield self._concurrent([0.0] * len(members), start)
            start += TEN_SECONDS
        most = [float(member.take_peak()) for member in members]
        if most:
            yield self._concurrent(most, last)
        self._counted_until, self.is_quiet = moment, not any(most)

    def _concurrent(self, most: list[float], moment: datetime) -> Fields:
        return self._meter.build_datum("ConcurrentRequestsPerModel", "Count", (moment, moment + TEN_SECONDS), most)

    def collect_utilization(self, moment: datetime) -> Iterator[Fields]:
        """A value of each instance; of a serverless variant, its workers' memory alone."""
        if floor_to_step(moment, self.publish_interval) != moment:
            return
        found: dict[str, list[tuple[float, _Running]]] = {}
        for member in self.pool.members:
            running = self._running.get(member.instance)
            if running is not None:
                for name, value in self._used(member.instance, running.usage):
                    found.setdefault(name, []).append((value, running))
        times = moment - self.publish_interval, moment
        for name, values in found.items():
            unit = "None" if name == "LoadedModelCount" else "Percent"
            yield self._meter.build_datum(name, unit, times, [value for value, _ in values])
            if self._by_instance:
                for value, running in values:
                    yield self._meter.build_datum(name, unit, times, [value], ("InstanceId", running.id))

    def _used(self, instance: HostingInstance, usage: ResourceUsage) -> Iterator[tuple[str, float]]:
        if self.serverless is not None:
            for share in usage.measure_memory(instance.pids):
                yield "MemoryUtilization", share
            return
        yield from usage.measure(instance.pids).items()
        if self._multi_model:
            yield "LoadedModelCount", float(instance.loaded_models)
