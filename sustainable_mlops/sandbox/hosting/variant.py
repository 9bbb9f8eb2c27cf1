"""One variant of a fleet: its instances, what its requests tell of themselves, and how busy its instances are."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from sustainable_mlops.catalogue import instances
from sustainable_mlops.sandbox.hosting.instance import Instance, Shape
from sustainable_mlops.sandbox.hosting.invocation import Answer, Invocation
from sustainable_mlops.sandbox.hosting.metrics import MINUTE, TEN_SECONDS, Kind, Meter, floor
from sustainable_mlops.sandbox.hosting.pool import Member, Pool
from sustainable_mlops.sandbox.hosting.usage import Usage
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields
from sustainable_mlops.sandbox.runtime.hosting import ModelError

_GIB = 2**30
#: The volume of an instance whose configuration names none, in GB. AWS publishes no figure; assumed.
_VOLUME_GB = 30
_MICROSECONDS = 1e6


class Variant:
    """`fields` are those of the configuration, with the weight and the serverless settings as they are now."""

    def __init__(
        self,
        region: Region,
        fields: Fields,
        containers: list[Fields],
        folder: Path,
        meter: Meter,
        freed: Callable[[], None],
        *,
        asynchronous: bool,
    ) -> None:
        self.name: str = fields["VariantName"]
        self.fields = fields
        self.weight = float(fields.get("InitialVariantWeight", 1.0))
        self.serverless: Fields | None = fields.get("ServerlessConfig")
        self.kind = Kind.SERVERLESS if self.serverless else Kind.ASYNCHRONOUS if asynchronous else Kind.REAL_TIME
        self._region = region
        self._containers = containers
        self._folder = folder
        self._meter = meter
        self._usages: dict[Instance, Usage] = {}
        strategy = fields.get("RoutingConfig", {}).get("RoutingStrategy", "RANDOM")
        self.pool = Pool(self._instance, self._end, freed, at_random=strategy == "RANDOM")
        #: Whether no request has come in the last ten seconds, so that a minute's may be told together.
        self.quiet = True
        self._counted_until: datetime | None = None

    @property
    def initial(self) -> int:
        """How many instances it begins with; a serverless one is counted as one."""
        return 1 if self.serverless else int(self.fields.get("InitialInstanceCount", 1))

    def _instance(self, number: int) -> Instance:
        folder = self._folder / str(number)
        instance = Instance(self._region, f"{self.name}-{number}", self._containers, folder, self._shape())
        self._usages[instance] = Usage(self._memory(), self.fields.get("VolumeSizeInGB", _VOLUME_GB) * 1e9)
        return instance

    def _end(self, instance: Instance) -> None:
        instance.close()
        self._usages.pop(instance, None)

    def _shape(self) -> Shape:
        shape = Shape()
        shape = replace(
            shape,
            startup_seconds=self.fields.get("ContainerStartupHealthCheckTimeoutInSeconds", shape.startup_seconds),
            download_seconds=self.fields.get("ModelDataDownloadTimeoutInSeconds", shape.download_seconds),
        )
        if self.serverless is None:
            return shape
        return replace(
            shape,
            memory_mb=self.serverless["MemorySizeInMB"],
            max_concurrency=self.serverless["MaxConcurrency"],
            idle_seconds=self._region.context.idle_seconds,
            warm=self.serverless.get("ProvisionedConcurrency", 0),
        )

    def _memory(self) -> float:
        """Bytes that an instance has."""
        if self.serverless is not None:
            return float(self.serverless["MemorySizeInMB"]) * 2**20
        known = instances.find(self.fields.get("InstanceType", ""))
        return known.memory_gib * _GIB if known is not None else float(psutil.virtual_memory().total)

    def set_serverless(self, settings: Fields) -> None:
        """Other settings; back once the provisioned concurrency is warm."""
        assert self.serverless is not None
        self.serverless = self.serverless | settings
        for member in self.pool.members:
            member.instance.reshape(self._shape())

    def take(self, limit: int | None = None) -> Member | None:
        """Have an instance take one request more."""
        member = self.pool.take(limit)
        if member is not None and self.quiet:
            self.quiet = False
            self._region.clock.wake()
        return member

    def ask(self, member: Member, asked: Invocation, began: float) -> Answer:
        """The answer of an instance that has taken the request, which came when it `began`; told once it is over."""
        at_once, sent = member.under_way, time.monotonic()
        try:
            answer = member.instance.invoke(asked)
        except ModelError as error:
            self._tell(at_once, began, sent, error.original_status or 500)
            raise
        self._tell(at_once, began, sent, 200)
        return replace(answer, variant=self.name)

    def _tell(self, at_once: int, began: float, sent: float, status: int) -> None:
        now = time.monotonic()
        values = {
            "Invocations": 1.0,
            "InvocationsPerInstance": 1 / max(self.pool.count, 1),
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(status >= 500),
            "InvocationModelErrors": float(status >= 400),
            "ModelLatency": round((now - sent) * _MICROSECONDS),
            "OverheadLatency": round((sent - began) * _MICROSECONDS),
        }
        if self.serverless is not None:
            values |= _concurrency(at_once, self.serverless)
        for name, value in values.items():
            self._meter.tell(self.kind, name, value)

    def concurrency(self, moment: datetime) -> Iterator[Fields]:
        """What each instance had under way at once, each ten seconds until now. Where nothing came, once a minute."""
        if self.kind is not Kind.REAL_TIME or (self.quiet and floor(moment, MINUTE) != moment):
            return
        members, last = self.pool.members, moment - TEN_SECONDS
        start = max(self._counted_until or last, moment - MINUTE)
        while members and start < last:
            yield self._concurrent([0.0] * len(members), start)
            start += TEN_SECONDS
        most = [float(member.most()) for member in members]
        if most:
            yield self._concurrent(most, last)
        self._counted_until, self.quiet = moment, not any(most)

    def _concurrent(self, most: list[float], moment: datetime) -> Fields:
        return self._meter.datum("ConcurrentRequestsPerModel", "Count", moment) | {"Values": most}

    def utilization(self, moment: datetime, step: timedelta) -> Iterator[Fields]:
        """A value of each instance; of a serverless variant, its workers' memory alone."""
        found: dict[str, list[float]] = {}
        for member in self.pool.members:
            usage, pids = self._usages.get(member.instance), member.instance.pids
            if usage is None:
                continue
            if self.serverless is not None:
                found.setdefault("MemoryUtilization", []).extend(usage.memory(pids))
                continue
            for name, value in usage.look(pids, self._folder).items():
                found.setdefault(name, []).append(value)
        for name, values in found.items():
            if values:
                yield self._meter.datum(name, "Percent", moment - step) | {"Values": values}


def _concurrency(at_once: int, serverless: Fields) -> dict[str, float]:
    """What a request tells of how many there were at once."""
    values = {"ServerlessConcurrentExecutionsUtilization": at_once / serverless["MaxConcurrency"]}
    if provisioned := serverless.get("ProvisionedConcurrency", 0):
        handled = min(at_once, provisioned)
        by = "Invocations" if at_once <= provisioned else "SpilloverInvocations"
        values |= {
            "ServerlessProvisionedConcurrencyExecutions": float(handled),
            "ServerlessProvisionedConcurrencyUtilization": handled / provisioned,
            f"ServerlessProvisionedConcurrency{by}": 1.0,
        }
    return values
