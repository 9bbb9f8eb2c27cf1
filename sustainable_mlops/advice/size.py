"""Input size at which a job outgrows the memory of its instances, and the options to scale up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from math import ceil, inf
from typing import Any, Literal

from sustainable_mlops.advice.wording import format_figure_cell, list_legend
from sustainable_mlops.base.errors import UserError, suggest
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.footprint import FootprintEstimate, estimate_job, format_number
from sustainable_mlops.footprint.coefficients import load_assumptions

GIB = 2**30
#: Maximum number of instances of a job. Source: ProcessingInstanceCount in SageMaker's service model.
MAX_INSTANCES = 100
#: Default Region of the carbon and the prices.
REGION = "eu-north-1"

#: Kind of the job. Only processing distributes objects, and its script must work on a part of them.
JobUse = Literal["processing", "training"]


@dataclass(frozen=True, slots=True)
class MemorySample:
    """A measurement of one instance: bytes of its input, and its peak memory in bytes."""

    input_bytes: float
    peak_bytes: float


@dataclass(frozen=True, slots=True)
class GrowingJob:
    """A job with its current instances. Raises UserError for an unknown instance type or without measurements."""

    instance_type: str
    samples: tuple[MemorySample, ...]
    use: JobUse = "processing"
    instances: int = 1
    #: True if each instance gets a part of the objects.
    is_sharded: bool = False
    #: Number of input objects; an instance gets at least one. None if unknown.
    objects: int | None = None

    @property
    def shard_count(self) -> int:
        """The number of parts of the input; each instance gets one."""
        return self.instances if self.is_sharded else 1

    def __post_init__(self) -> None:
        if instances.find(self.instance_type) is None:
            hint = suggest(self.instance_type, instances.load_all()) or "; use for example ml.m5.xlarge"
            raise UserError(f"instance_type: {instances.explain_unknown(self.instance_type)}{hint}")
        if not self.samples:
            raise UserError("no run has a measurement: pass --peak-gb and --input-gb, or records of measured runs")
        for one in self.samples:
            if one.input_bytes <= 0 or one.peak_bytes <= 0:
                raise UserError("input and peak memory must be more than 0 bytes")


@dataclass(frozen=True, slots=True)
class ScaleUpOption:
    """An option for a larger input."""

    kind: Literal["shards", "larger type", "Spark"]
    instance_type: str
    instances: int
    #: Bytes of input that exceed this option too; infinite if its memory does not limit the input.
    outgrown_at: float
    reason: str
    #: Footprint of one instance-hour. All options for one target take about the same instance-hours, because the work
    #: of the script stays the same (assumption of this project).
    instance_hour: FootprintEstimate

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON; an unlimited input is null."""
        return {
            "kind": self.kind,
            "instance_type": self.instance_type,
            "instances": self.instances,
            "outgrown_at": None if self.outgrown_at == inf else self.outgrown_at,
            "reason": self.reason,
            "instance_hour": self.instance_hour.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class GrowthForecast:
    """Forecast of the input size that exceeds the memory of a job."""

    #: Bytes of the whole input that exceed the memory of the instances.
    outgrown_at: float
    #: Bounds of `outgrown_at`, for the minimum and the maximum memory that the system may leave.
    low: float
    high: float
    #: Bytes of the input that `options` are for.
    target: float
    basis: str
    #: Options for the target, by kgCO2e and then USD of an instance-hour. Empty if the job can process the target
    #: without changes.
    options: tuple[ScaleUpOption, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON; an unlimited value is null."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        finite = {name: None if value == inf else value for name, value in values.items()}
        return finite | {"options": [option.to_dict() for option in self.options]}


def forecast_growth(job: GrowingJob, target: float | None = None, region: str = REGION) -> GrowthForecast:
    """Return the input size that exceeds the job's memory, and options for `target` bytes (default: twice that size).

    The options are ranked by the carbon and the cost of an instance-hour in `region`, shards first if both are equal.

    The forecast assumes that peak memory grows linearly with the input, or in proportion if only one size was measured.
    """
    line, usable = _MemoryLine.fit(job.samples), load_assumptions()["usable_memory_share"]
    memory = _get_memory_bytes(job.instance_type)
    low, central, high = (
        line.find_input_limit(memory * part) * job.shard_count for part in (usable.low, usable.central, usable.high)
    )
    target_bytes = 2 * central if target is None else target
    options = _list_options(job, line, target_bytes, region) if target_bytes > central else ()
    return GrowthForecast(central, low, high, target_bytes, line.basis, tuple(sorted(options, key=_make_rank_key)))


def _make_rank_key(option: ScaleUpOption) -> tuple[float, float]:
    kg, usd = option.instance_hour.get("total"), option.instance_hour.get("cost")
    return kg.central if kg else inf, usd.central if usd else inf


@dataclass(frozen=True, slots=True)
class _MemoryLine:
    """Peak memory of an instance: `fixed` bytes, and `slope` bytes per byte of input."""

    fixed: float
    slope: float
    basis: str

    @classmethod
    def fit(cls, samples: Sequence[MemorySample]) -> "_MemoryLine":
        """Return the line of least squares, or a line through zero.

        A line through zero is used if only one size was measured, or if the fitted line falls or starts below zero. It
        grows fastest, so it never overestimates the input that fits.
        """
        sizes = {one.input_bytes for one in samples}
        count = len(samples)
        mean_x = sum(one.input_bytes for one in samples) / count
        mean_y = sum(one.peak_bytes for one in samples) / count
        spread = sum((one.input_bytes - mean_x) ** 2 for one in samples)
        if len(sizes) > 1:
            slope = sum((one.input_bytes - mean_x) * (one.peak_bytes - mean_y) for one in samples) / spread
            fixed = mean_y - slope * mean_x
            if slope > 0 and fixed >= 0:
                return cls(fixed, slope, f"a line through {count} measured runs of {len(sizes)} sizes")
        steepest = max(one.peak_bytes / one.input_bytes for one in samples)
        reason = "only one size was measured" if len(sizes) == 1 else "the measured sizes give no rising line"
        return cls(0.0, steepest, f"in proportion, because {reason}; a run with another size improves the forecast")

    def find_input_limit(self, memory: float) -> float:
        """Return the bytes of input that fit into this memory."""
        return max(0.0, memory - self.fixed) / self.slope


def _list_options(job: GrowingJob, line: _MemoryLine, target: float, region: str) -> Iterator[ScaleUpOption]:
    """Yield the options; shards come first, because a larger type may have idle CPUs."""
    current_hour = _estimate_hour(job.instance_type, region)
    usable = load_assumptions()["usable_memory_share"].central
    per_instance = line.find_input_limit(_get_memory_bytes(job.instance_type) * usable)
    count = ceil(target / per_instance) if per_instance > 0 else MAX_INSTANCES + 1
    max_shards = min(MAX_INSTANCES, job.objects or MAX_INSTANCES)
    if job.use == "processing" and count <= max_shards:
        reason = "sharding: by_key distributes the objects; the script must work on a part of them"
        yield ScaleUpOption("shards", job.instance_type, count, per_instance * count, reason, current_hour)
    larger = _find_larger_type(job, line, target / job.shard_count, region)
    if larger is not None:
        reason = "the same script and request; CPUs that the script does not use are idle"
        input_limit = line.find_input_limit(larger.memory_gib * GIB * usable) * job.shard_count
        hour = _estimate_hour(larger.name, region)
        yield ScaleUpOption("larger type", larger.name, job.instances, input_limit, reason, hour)
    if job.use == "processing":
        reason = (
            "SageMaker's Spark image (image: framework spark): memory limits a partition, not the input; the script "
            "must be rewritten"
        )
        spark_count = max(2, min(count, MAX_INSTANCES))
        yield ScaleUpOption("Spark", job.instance_type, spark_count, inf, reason, current_hour)


def _find_larger_type(job: GrowingJob, line: _MemoryLine, input_bytes: float, region: str) -> InstanceType | None:
    """Return the type that holds the input on one instance and emits least while it runs; None if there is none."""
    current = instances.find(job.instance_type)
    assert current is not None
    usable = load_assumptions()["usable_memory_share"].central
    candidates = [
        one
        for one in instances.load_all().values()
        if job.use in one.uses
        and one.accelerator == current.accelerator
        and one.accelerators >= current.accelerators
        and one.vcpu >= current.vcpu
        and one.family[0] != "t"  # burstable CPUs are throttled without credits
        and line.find_input_limit(one.memory_gib * GIB * usable) >= input_bytes
    ]
    return min(candidates, key=lambda one: (_estimate_kg(one, region), one.memory_gib, one.name), default=None)


def _estimate_kg(instance: InstanceType, region: str) -> float:
    total = _estimate_hour(instance.name, region).get("total")
    return total.central if total else inf


def _estimate_hour(instance_type: str, region: str) -> FootprintEstimate:
    return estimate_job(instance_type, 1, 3600, region)


def _get_memory_bytes(instance_type: str) -> float:
    instance_type_data = instances.find(instance_type)
    assert instance_type_data is not None
    return instance_type_data.memory_gib * GIB


def format_growth(job: GrowingJob, forecast: GrowthForecast) -> Iterator[str]:
    """Yield the forecast as lines of text."""
    fleet = f"{job.instances} x {job.instance_type}"
    low, high = _format_gb(forecast.low), _format_gb(forecast.high)
    yield f"{fleet}: memory for {_format_gb(forecast.outgrown_at)} of input ({low} to {high}), {forecast.basis}"
    if not forecast.options and forecast.target <= forecast.outgrown_at:
        yield f"{_format_gb(forecast.target)} fits"
    elif not forecast.options:
        advice = "no instance type has enough memory; make the script read its input in parts"
        yield f"for {_format_gb(forecast.target)}: {advice}"
    else:
        yield f"for {_format_gb(forecast.target)}:"
    for number, one in enumerate(forecast.options, 1):
        limit = "" if one.outgrown_at == inf else f", up to {_format_gb(one.outgrown_at)}"
        figures = ", ".join(" ".join(format_figure_cell(one.instance_hour.get(name))) for name in ("total", "cost"))
        yield f"  {number}. {one.kind}: {one.instances} x {one.instance_type}{limit}: {one.reason}"
        yield f"     an instance-hour: {figures}"
    if forecast.options:
        yield "ranked by CO2e, then USD of an instance-hour; all options need about the same instance-hours (assumed)"
        hours = [(f"{one.kind}", one.instance_hour.get("total")) for one in forecast.options]
        yield from (f"{name}: {text}" for name, text in list_legend(hours))


def _format_gb(size: float) -> str:
    return f"{format_number(size / 1e9)} GB"
