"""Requirements of a model and its callers."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import regions
from sustainable_mlops.footprint.coefficients import load_assumptions

Accelerator = Literal["none", "any", "gpu"]
#: Waits that callers accept if no p99 is required. Each includes the ones before it.
ACCEPTED_WAITS = ("cold_start", "minutes", "batch")
#: Largest load; a larger number has a wrong unit.
MAX_REQUESTS_PER_DAY = 1e12


@dataclass(frozen=True, slots=True)
class ServingRequirements:
    """Traffic, latency and sizes. Raises UserError with the option of a command for an impossible value."""

    region: str
    requests_per_day: float
    #: Load at the busiest moment as a multiple of the average in the hours with traffic.
    peak: float = 3.0
    #: Hours a day with traffic.
    hours_per_day: float = 24.0
    #: p99 in ms, or the accepted wait: `cold_start` (some seconds, seldom), `minutes` (within the hour) or
    #: `batch` (a job a day).
    latency: float | Literal["cold_start", "minutes", "batch"] = "cold_start"
    #: Size of the larger one of request and response.
    payload_kb: float = 10.0
    model_mb: float = 100.0
    image_gb: float = 2.0
    #: Busy seconds per request of one vCPU, or of the accelerators that hold one model.
    duration_s: float = 0.2
    #: `any` allows Neuron chips and GPUs.
    accelerator: Accelerator = "none"
    #: True if the model must be in a VPC.
    vpc: bool = False
    #: Minimum number of instances of a real-time endpoint, one per zone.
    zones: int = 1
    #: Major version of the AWS provider; None if unknown: then only types that all versions accept.
    provider: int | None = None

    def __post_init__(self) -> None:
        regions.require(self.region)
        self._check_amounts()
        if isinstance(self.latency, str):
            if self.latency not in ACCEPTED_WAITS:
                raise UserError(f"--latency: {self.latency} must be a p99 in ms or one of: {', '.join(ACCEPTED_WAITS)}")
        elif not (isfinite(self.latency) and self.latency > 0):
            raise UserError(f"--latency: {self.latency:g} ms must be more than 0")
        if self.accelerator not in ("none", "any", "gpu"):
            raise UserError(f"--accelerator: {self.accelerator} must be one of: none, any, gpu")

    def _check_amounts(self) -> None:
        for name in ("requests_per_day", "hours_per_day", "payload_kb", "model_mb", "image_gb", "duration_s", "zones"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                option = name.removesuffix("_s").replace("_", "-")
                raise UserError(f"--{option}: {value:g} must be more than 0")
        if self.requests_per_day > MAX_REQUESTS_PER_DAY:
            raise UserError(
                f"--requests-per-day: {self.requests_per_day:g} is more than {MAX_REQUESTS_PER_DAY:g}; "
                "check the number and its unit"
            )
        if self.hours_per_day > 24:
            raise UserError(f"--hours-per-day: {self.hours_per_day:g} must be at most 24")
        if not (isfinite(self.peak) and self.peak >= 1):
            raise UserError(f"--peak: {self.peak:g} must be at least 1, because a peak is not below the average")

    @property
    def average_concurrency(self) -> float:
        """The average number of concurrent requests in the hours with traffic (Little's law)."""
        return self.requests_per_day * self.duration_s / (self.hours_per_day * 3600)

    @property
    def peak_concurrency(self) -> float:
        """The number of concurrent requests at the busiest moment."""
        return self.average_concurrency * self.peak

    @property
    def memory_mb(self) -> float:
        """The memory for serving: the model while it loads, and its server."""
        assumptions = load_assumptions()
        return assumptions["serving_memory_x_model"].central * self.model_mb + assumptions["serving_memory_mb"].central

    @property
    def accelerator_gib(self) -> float:
        """The accelerator memory of one model: its weights, and the memory for requests."""
        return load_assumptions()["accelerator_memory_x_model"].central * self.model_mb / 1024

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return asdict(self)


def parse_latency(text: str) -> Any:
    """Return a latency as a number in ms, or as the given word, which `ServingRequirements` validates."""
    try:
        return float(text)
    except ValueError:
        return text
