"""Variants: the instances of a variant in one fleet, and the metrics of its requests and instances."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sagemaker_sandbox.endpoints.hosting.instance import HostingInstance, InstanceShape, StartError
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.endpoints.hosting.metrics import MINUTE, TEN_SECONDS, EndpointKind, VariantMeter, floor_to_step
from sagemaker_sandbox.endpoints.hosting.pool import InstancePool, PoolMember
from sagemaker_sandbox.endpoints.hosting.request_metrics import CompletedRequest
from sagemaker_sandbox.endpoints.hosting.usage import InstanceUsage, get_total_memory
from sagemaker_sandbox.jobs.runtime.container_invocation import InvocationTimings, ModelError
from sagemaker_sandbox.jobs.runtime.model_data import ModelDataCache
from sagemaker_sandbox.resources.instance_types import list_instance_types
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.catalogue import instances

_MEBIBYTE, _GIBIBYTE = 2.0**20, 2.0**30
#: Default volume size of an instance in GB. AWS publishes no figure; assumed.
_VOLUME_GB = 30


class VariantOwner(Protocol):
    """The endpoint of a variant."""

    region: AccountRegion

    def get_meter(self, variant: str) -> VariantMeter:
        """Return the meter for the requests to a variant."""

    def signal_free_capacity(self) -> None:
        """Report that an instance may accept another request."""

    def follow_logs(self, variant: str, logs: Mapping[str, Path]) -> Callable[[], None]:
        """Send the log lines of an instance to CloudWatch Logs; return a function that stops this."""

    def record_shadow_response(
        self, config: Fields, variant: str, invocation: Invocation, response: InvocationResponse
    ) -> None:
        """Process the response of a shadow variant."""


@dataclass
class _InstanceRecord:
    """Resources of one instance: ID, folder, utilization and log follower."""

    id: str
    folder: Path
    usage: InstanceUsage
    stop_following: Callable[[], None] = lambda: None


class HostedVariant:
    """One variant of a fleet.

    `fields` are the fields of the configuration. `weight` and `serverless` are the present values.
    """

    def __init__(
        self,
        owner: VariantOwner,
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
        is_asynchronous = "AsyncInferenceConfig" in config
        self.kind = (
            EndpointKind.SERVERLESS
            if self.serverless
            else EndpointKind.ASYNCHRONOUS
            if is_asynchronous
            else EndpointKind.REAL_TIME
        )
        metrics = config.get("MetricsConfig") or {}
        #: Publishing interval of the utilization metrics.
        self.publish_interval = timedelta(seconds=metrics.get("MetricPublishFrequencyInSeconds", 60))
        #: True if metrics are also published for each instance.
        self._has_instance_metrics = bool(metrics.get("EnableEnhancedMetrics")) and self.kind is EndpointKind.REAL_TIME
        self._owner = owner
        self._meter = owner.get_meter(self.name)
        self._containers = containers
        self._multi_model = any(container.get("Mode") == "MultiModel" for container in containers)
        self._folder = folder
        self._data = data
        self._instance_records: dict[HostingInstance, _InstanceRecord] = {}
        strategy = fields.get("RoutingConfig", {}).get("RoutingStrategy", "RANDOM")
        self.pool = InstancePool(
            self._create_instance,
            self._start_instance,
            self._end_instance,
            owner.signal_free_capacity,
            at_random=strategy == "RANDOM",
        )
        #: True if no request arrived in the last ten seconds; values are then published once a minute.
        self.is_quiet = True
        self._counted_until: datetime | None = None

    @property
    def initial_count(self) -> int:
        """Initial number of instances. A serverless variant counts as one."""
        return 1 if self.serverless else int(self.fields.get("InitialInstanceCount", 1))

    def _create_instance(self, number: int) -> HostingInstance:
        folder, instance_name = self._folder / str(number), f"{self.name}-{number}"
        shape = self._build_shape()
        instance = HostingInstance(
            self._owner.region, instance_name, self._containers, folder, shape, self._data, variant=self.name
        )
        usage = InstanceUsage(folder, self._get_memory_bytes(), self.fields.get("VolumeSizeInGB", _VOLUME_GB) * 1e9)
        self._instance_records[instance] = _InstanceRecord(f"i-{secrets.token_hex(8)}0", folder, usage)
        return instance

    def _start_instance(self, instance: HostingInstance) -> None:
        running = self._instance_records.get(instance)
        if running is None:  # the variant was closed concurrently
            raise StartError("The endpoint is being deleted.")
        running.stop_following = self._owner.follow_logs(self.name, instance.logs)
        if self.serverless is None:
            self._owner.region.usage.start(running.id, self._get_instance_type())
        instance.start()

    def _end_instance(self, instance: HostingInstance) -> None:
        instance.close()
        running = self._instance_records.pop(instance, None)
        if running is not None:
            running.stop_following()
            self._owner.region.usage.end(running.id)
            shutil.rmtree(running.folder, ignore_errors=True)

    def _build_shape(self) -> InstanceShape:
        shape = InstanceShape()
        shape = replace(
            shape,
            startup_seconds=self.fields.get("ContainerStartupHealthCheckTimeoutInSeconds", shape.startup_seconds),
            download_seconds=self.fields.get("ModelDataDownloadTimeoutInSeconds", shape.download_seconds),
        )
        if self.serverless is None:
            return replace(shape, max_loaded_mb=int(self._get_memory_bytes() / _MEBIBYTE))
        return replace(
            shape,
            memory_mb=self.serverless["MemorySizeInMB"],
            max_concurrency=self.serverless["MaxConcurrency"],
            idle_seconds=self._owner.region.context.idle_seconds,
            warm_workers=self.serverless.get("ProvisionedConcurrency", 0),
        )

    def _get_memory_bytes(self) -> float:
        """Return the memory of an instance in bytes."""
        if self.serverless is not None:
            return float(self.serverless["MemorySizeInMB"]) * _MEBIBYTE
        known_type = instances.find(self._get_instance_type())
        return known_type.memory_gib * _GIBIBYTE if known_type is not None else get_total_memory()

    def _get_instance_type(self) -> str:
        return next(iter(list_instance_types(self.fields)), "")

    def set_serverless(self, settings: Fields) -> None:
        """Apply other serverless settings. Raises StartError.

        The call returns when the provisioned concurrency is warm.
        """
        assert self.serverless is not None
        self.serverless = self.serverless | settings
        for member in self.pool.members:
            member.instance.reshape(self._build_shape())

    def reserve(self, limit: int | None = None) -> PoolMember | None:
        """Reserve an instance for one request; None if all have `limit` active requests."""
        member = self.pool.reserve(limit)
        if member is not None:
            self._mark_busy()
        return member

    def reserve_at(self, member: PoolMember) -> bool:
        """Reserve this instance for one request; False if it is no longer in service."""
        is_reserved = self.pool.reserve_at(member)
        if is_reserved:
            self._mark_busy()
        return is_reserved

    def _mark_busy(self) -> None:
        if self.is_quiet:
            self.is_quiet = False
            self._owner.region.clock.wake()

    def invoke(self, member: PoolMember, invocation: Invocation, start: float) -> InvocationResponse:
        """Send the request to a reserved instance and return its response. `start` is the arrival time.

        The metrics of a streaming response are recorded by the caller, after the last part.
        """
        concurrent_requests = member.active_requests
        try:
            response = member.instance.invoke(invocation)
        except ModelError as error:
            self.record_request(
                member, invocation, concurrent_requests, error.original_status, time.monotonic() - start, error.timings
            )
            raise
        if isinstance(response.body, bytes):
            self.record_request(
                member, invocation, concurrent_requests, 200, time.monotonic() - start, response.timings
            )
        return replace(response, variant=self.name)

    def record_request(
        self,
        member: PoolMember,
        invocation: Invocation,
        concurrent_requests: int,
        status: int,
        seconds: float,
        timings: InvocationTimings,
    ) -> None:
        """Record the metrics of a completed request."""
        completed = CompletedRequest(
            status, seconds, timings, concurrent_requests, self.pool.count, invocation.target_container
        )
        for name, value in completed.list_variant_metrics(self.serverless):
            self._record_metric(member, name, value)
        for container, name, value in completed.list_container_metrics():
            self._meter.record(self.kind, name, value, ("ContainerName", container))

    def _record_metric(self, member: PoolMember, name: str, value: float) -> None:
        if not self._has_instance_metrics:
            self._meter.record(self.kind, name, value)
            return
        self._meter.record(self.kind, name, value, step=self.publish_interval)
        running = self._instance_records.get(member.instance)
        if running is not None:
            self._meter.record(self.kind, name, value, ("InstanceId", running.id), self.publish_interval)

    def collect_concurrency(self, moment: datetime) -> Iterator[Fields]:
        """Yield the peak concurrency of each instance for each ten seconds.

        If no request arrived, yield the values once a minute.
        """
        if self.kind is not EndpointKind.REAL_TIME or (self.is_quiet and floor_to_step(moment, MINUTE) != moment):
            return
        members, period_start = self.pool.members, moment - TEN_SECONDS
        start = max(self._counted_until or period_start, moment - MINUTE)
        while members and start < period_start:
            yield self._build_concurrency_datum([0.0] * len(members), start)
            start += TEN_SECONDS
        peaks = [float(member.take_peak()) for member in members]
        if peaks:
            yield self._build_concurrency_datum(peaks, period_start)
        self._counted_until, self.is_quiet = moment, not any(peaks)

    def fill_invocations(self, moment: datetime, completed: list[Fields]) -> Iterator[Fields]:
        """Yield 0 as InvocationsPerInstance of a period without requests. `completed` has the data of all requests.

        So a variant without traffic scales in to its minimum. Source: developer guide, "Edit a scaling policy".
        """
        interval = moment - self.publish_interval, moment
        if self.kind is not EndpointKind.REAL_TIME or floor_to_step(moment, self.publish_interval) != moment:
            return
        datum = self._meter.build_datum("InvocationsPerInstance", "None", interval, [0.0])
        members = ("MetricName", "Dimensions", "Timestamp")
        if self.pool.members and not any(all(other[name] == datum[name] for name in members) for other in completed):
            yield datum

    def _build_concurrency_datum(self, peaks: list[float], moment: datetime) -> Fields:
        return self._meter.build_datum("ConcurrentRequestsPerModel", "Count", (moment, moment + TEN_SECONDS), peaks)

    def collect_utilization(self, moment: datetime) -> Iterator[Fields]:
        """Yield the utilization of each instance. A serverless variant has worker memory only."""
        if floor_to_step(moment, self.publish_interval) != moment:
            return
        metrics: dict[str, list[tuple[float, _InstanceRecord]]] = {}
        for member in self.pool.members:
            running = self._instance_records.get(member.instance)
            if running is not None:
                for name, value in self._measure_instance(member.instance, running.usage):
                    metrics.setdefault(name, []).append((value, running))
        interval = moment - self.publish_interval, moment
        for name, values in metrics.items():
            unit = "None" if name == "LoadedModelCount" else "Percent"
            yield self._meter.build_datum(name, unit, interval, [value for value, _ in values])
            if self._has_instance_metrics:
                for value, running in values:
                    yield self._meter.build_datum(name, unit, interval, [value], ("InstanceId", running.id))

    def _measure_instance(self, instance: HostingInstance, usage: InstanceUsage) -> Iterator[tuple[str, float]]:
        if self.serverless is not None:
            for share in usage.measure_memory(instance.pids):
                yield "MemoryUtilization", share
            return
        yield from usage.measure(instance.pids).items()
        if self._multi_model:
            yield "LoadedModelCount", float(instance.loaded_models)
