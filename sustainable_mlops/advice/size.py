"""At which size of its input a job outgrows the memory of its machines, and what is next."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil, inf
from typing import Any, Literal

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import estimate_job, format_number
from sustainable_mlops.footprint.coefficients import load_assumptions

GIB = 2**30
#: Most instances of a job. Source: ProcessingInstanceCount in SageMaker's service model.
MAX_INSTANCES = 100
#: Whose carbon ranks the instance types: the order hardly depends on the grid.
_REGION = "eu-north-1"

#: What a job runs on: shards need a script that works on a share of the objects, which processing deals out.
JobUse = Literal["processing", "training"]


@dataclass(frozen=True, slots=True)
class MemorySample:
    """What one instance was measured to need: bytes of its input, and the most memory, in bytes, that it held."""

    input_bytes: float
    peak_bytes: float


@dataclass(frozen=True, slots=True)
class GrowingJob:
    """A job as it is. Raises UserError where its instance type is not known or nothing was measured."""

    instance_type: str
    samples: tuple[MemorySample, ...]
    use: JobUse = "processing"
    instances: int = 1
    #: Whether each instance gets a share of the objects.
    is_sharded: bool = False
    #: Objects of the input, of which an instance gets one at least; None where not known.
    objects: int | None = None

    @property
    def shard_count(self) -> int:
        """Parts of the input, each of which one instance gets."""
        return self.instances if self.is_sharded else 1

    def __post_init__(self) -> None:
        if instances.find(self.instance_type) is None:
            raise UserError(f"instance_type: {instances.explain_unknown(self.instance_type)}")
        if not self.samples:
            raise UserError("no run was measured: give --peak-gb and --input-gb, or records of runs that were")
        for one in self.samples:
            if one.input_bytes <= 0 or one.peak_bytes <= 0:
                raise UserError("input and peak memory must be more than 0 bytes")


@dataclass(frozen=True, slots=True)
class ScaleUpOption:
    """What takes a larger input."""

    kind: Literal["shards", "larger type", "Spark"]
    instance_type: str
    instances: int
    #: Bytes of input at which this is outgrown too; infinite where its memory does not bound the input.
    outgrown_at: float
    reason: str


@dataclass(frozen=True, slots=True)
class GrowthForecast:
    """What became of a job's growth."""

    #: Bytes of the whole input at which the machines are outgrown.
    outgrown_at: float
    #: The same, with as little and as much memory as the system may leave.
    low: float
    high: float
    #: Bytes of the input that `nexts` are for.
    target: float
    basis: str
    #: What is next, the least machine time first; empty where the job takes the target as it is.
    options: tuple[ScaleUpOption, ...]

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON; what is not bounded is null."""
        finite: dict[str, Any] = _replace_infinity(asdict(self))
        return finite


def forecast_growth(job: GrowingJob, target: float | None = None) -> GrowthForecast:
    """When the job's machines are outgrown, and what takes an input of `target` bytes: twice that size unless given.

    Peak memory is taken to grow in a straight line with the input, or in proportion where one size was measured.
    """
    line, usable = _MemoryLine.fit(job.samples), load_assumptions()["usable_memory_share"]
    memory = _get_memory_bytes(job.instance_type)
    low, central, high = (
        line.find_input_limit(memory * part) * job.shard_count for part in (usable.low, usable.central, usable.high)
    )
    wanted = 2 * central if target is None else target
    nexts = tuple(_list_options(job, line, wanted)) if wanted > central else ()
    return GrowthForecast(central, low, high, wanted, line.basis, nexts)


@dataclass(frozen=True, slots=True)
class _MemoryLine:
    """Peak memory of an instance: `fixed` bytes, and `slope` bytes a byte of input."""

    fixed: float
    slope: float
    basis: str

    @classmethod
    def fit(cls, samples: Sequence[MemorySample]) -> "_MemoryLine":
        """The line of least squares; through zero where one size was measured, or where it would fall or start below.

        A line through zero grows fastest: it never says that more fits than does.
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
        of = "one size alone was measured" if len(sizes) == 1 else "the measured sizes give no line that rises from 0"
        return cls(0.0, steepest, f"in proportion, as {of}; a run with another size would tell more")

    def find_input_limit(self, memory: float) -> float:
        """Bytes of input that so much memory holds."""
        return max(0.0, memory - self.fixed) / self.slope


def _list_options(job: GrowingJob, line: _MemoryLine, target: float) -> Iterator[ScaleUpOption]:
    """Shards first: their machine time is what the work takes, where a larger type's CPUs may idle."""
    usable = load_assumptions()["usable_memory_share"].central
    per_instance = line.find_input_limit(_get_memory_bytes(job.instance_type) * usable)
    count = ceil(target / per_instance) if per_instance > 0 else MAX_INSTANCES + 1
    most = min(MAX_INSTANCES, job.objects or MAX_INSTANCES)
    if job.use == "processing" and count <= most:
        why = "sharding: by_key deals the objects out; the script must work on a share of them, without the others"
        yield ScaleUpOption("shards", job.instance_type, count, per_instance * count, why)
    larger = _find_larger_type(job, line, target / job.shard_count)
    if larger is not None:
        why = "the same script and request; CPUs that the script does not use idle"
        limit = line.find_input_limit(larger.memory_gib * GIB * usable) * job.shard_count
        yield ScaleUpOption("larger type", larger.name, job.instances, limit, why)
    if job.use == "processing":
        why = (
            "SageMaker's Spark image (image: framework spark): memory bounds a partition, not the input; the script is "
            "written anew"
        )
        yield ScaleUpOption("Spark", job.instance_type, max(2, min(count, MAX_INSTANCES)), inf, why)


def _find_larger_type(job: GrowingJob, line: _MemoryLine, input_bytes: float) -> InstanceType | None:
    """The type that holds so much input on one instance, and emits least while it runs; None where none does."""
    now = instances.find(job.instance_type)
    assert now is not None
    usable = load_assumptions()["usable_memory_share"].central
    fit = [
        one
        for one in instances.load_all().values()
        if job.use in one.uses
        and one.accelerator == now.accelerator
        and one.accelerators >= now.accelerators
        and one.vcpu >= now.vcpu
        and one.family[0] != "t"  # whose CPUs are throttled once their credits are spent
        and line.find_input_limit(one.memory_gib * GIB * usable) >= input_bytes
    ]
    return min(fit, key=lambda one: (_estimate_kg_per_hour(one), one.memory_gib, one.name), default=None)


def _estimate_kg_per_hour(instance: InstanceType) -> float:
    total = estimate_job(instance.name, 1, 3600, _REGION).get("total")
    return total.central if total else inf


def _get_memory_bytes(instance_type: str) -> float:
    found = instances.find(instance_type)
    assert found is not None
    return found.memory_gib * GIB


def _replace_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replace_infinity(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_infinity(one) for one in value]
    return None if value == inf else value


def format_growth(job: GrowingJob, found: GrowthForecast) -> Iterator[str]:
    """It as lines for a person."""
    on = f"{job.instances} x {job.instance_type}"
    low, high = _format_gb(found.low), _format_gb(found.high)
    yield f"{on} is outgrown at {_format_gb(found.outgrown_at)} of input ({low} to {high}): {found.basis}"
    if not found.options and found.target <= found.outgrown_at:
        yield f"{_format_gb(found.target)} fits"
    elif not found.options:
        yield f"for {_format_gb(found.target)}: no instance type holds it; make the script read its input in parts"
    else:
        yield f"for {_format_gb(found.target)}:"
    for number, one in enumerate(found.options, 1):
        until = "" if one.outgrown_at == inf else f", up to {_format_gb(one.outgrown_at)}"
        yield f"  {number}. {one.kind}: {one.instances} x {one.instance_type}{until}: {one.reason}"


def _format_gb(size: float) -> str:
    return f"{format_number(size / 1e9)} GB"
