"""What a model and its callers need."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

from sustainable_mlops.catalogue import regions
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.coefficients import load_assumptions

Accelerator = Literal["none", "any", "gpu"]
#: What callers accept, where no p99 is asked for: each accepts what the ones before it do.
ACCEPTED_WAITS = ("cold_start", "minutes", "day")


@dataclass(frozen=True, slots=True)
class ServingRequirements:
    """Traffic, latency, sizes. Raises UserError where a value cannot be."""

    region: str
    requests_per_day: float
    #: Busiest moment as a multiple of the average of the hours with traffic.
    peak: float = 3.0
    #: Hours a day with traffic.
    hours_per_day: float = 24.0
    #: p99 in ms, or what callers accept: `cold_start` (some seconds, seldom), `minutes` (within the hour) or `day`.
    latency: float | Literal["cold_start", "minutes", "day"] = "cold_start"
    #: The larger of request and answer.
    payload_kb: float = 10.0
    model_mb: float = 100.0
    image_gb: float = 2.0
    #: Seconds that one request keeps one vCPU, or the accelerators that hold one model, busy.
    duration_s: float = 0.2
    #: `any` takes Neuron chips as well as GPUs.
    accelerator: Accelerator = "none"
    #: Whether the model has to be in a VPC.
    vpc: bool = False
    #: Instances that a real-time endpoint has at least: one a zone in which it is to answer.
    zones: int = 1
    #: Major version of the AWS provider that makes the endpoint; None where not known: then what each takes.
    provider: int | None = None

    def __post_init__(self) -> None:
        if regions.find(self.region) is None:
            raise UserError(f"region: the catalogue has no Region {self.region}; use for example eu-north-1")
        for name in ("requests_per_day", "hours_per_day", "payload_kb", "model_mb", "image_gb", "duration_s", "zones"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise UserError(f"{name}: {value:g} must be more than 0")
        if self.hours_per_day > 24:
            raise UserError(f"hours_per_day: {self.hours_per_day:g} is more than 24")
        if not (isfinite(self.peak) and self.peak >= 1):
            raise UserError(f"peak: {self.peak:g} must be at least 1, as no peak is below the average")
        if isinstance(self.latency, str):
            if self.latency not in ACCEPTED_WAITS:
                raise UserError(
                    f"latency: {self.latency} is neither a p99 in ms nor any of: {', '.join(ACCEPTED_WAITS)}"
                )
        elif not (isfinite(self.latency) and self.latency > 0):
            raise UserError(f"latency: {self.latency:g} ms must be more than 0")
        if self.accelerator not in ("none", "any", "gpu"):
            raise UserError(f"accelerator: {self.accelerator} is none of: none, any, gpu")

    @property
    def average_concurrency(self) -> float:
        """Requests served at the same time on average, in the hours with traffic (Little's law)."""
        return self.requests_per_day * self.duration_s / (self.hours_per_day * 3600)

    @property
    def peak_concurrency(self) -> float:
        """Requests served at the same time at the busiest moment."""
        return self.average_concurrency * self.peak

    @property
    def memory_mb(self) -> float:
        """Memory that serving takes: the model while it loads, and its server."""
        known = load_assumptions()
        return known["serving_memory_x_model"].central * self.model_mb + known["serving_memory_mb"].central

    @property
    def accelerator_gib(self) -> float:
        """Memory of accelerators that one model takes: its weights, and what requests need."""
        return load_assumptions()["accelerator_memory_x_model"].central * self.model_mb / 1024

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return asdict(self)


def parse_latency(text: str) -> Any:
    """A latency as it is typed: a p99 in ms, or a word, which `Need` judges."""
    try:
        return float(text)
    except ValueError:
        return text
