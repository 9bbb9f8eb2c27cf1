"""What a model and its callers need."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from sustainable_mlops.catalogue import regions
from sustainable_mlops.errors import UserError

Accelerator = Literal["none", "any", "gpu"]


@dataclass(frozen=True, slots=True)
class Need:
    """Traffic, latency, sizes. Raises UserError where a value cannot be."""

    region: str
    requests_per_day: float
    #: Busiest moment as a multiple of the average of the hours with traffic.
    peak: float = 3.0
    #: Hours a day with traffic.
    hours_per_day: float = 24.0
    #: p99 in ms, or what callers accept: `cold_start` (some seconds, seldom) or `minutes` (within the hour).
    latency: float | Literal["cold_start", "minutes"] = "cold_start"
    #: The larger of request and answer.
    payload_kb: float = 10.0
    model_mb: float = 100.0
    image_gb: float = 2.0
    #: Seconds that one request keeps one vCPU, or one accelerator, busy.
    duration_s: float = 0.2
    #: `any` takes Neuron chips as well as GPUs.
    accelerator: Accelerator = "none"
    #: Whether the model has to be in a VPC.
    vpc: bool = False

    def __post_init__(self) -> None:
        if regions.find(self.region) is None:
            raise UserError(f"region: the catalogue has no Region {self.region}; use for example eu-north-1")
        for name in ("requests_per_day", "hours_per_day", "payload_kb", "model_mb", "image_gb", "duration_s"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise UserError(f"{name}: {value:g} must be more than 0")
        if self.hours_per_day > 24:
            raise UserError(f"hours_per_day: {self.hours_per_day:g} is more than 24")
        if not (isfinite(self.peak) and self.peak >= 1):
            raise UserError(f"peak: {self.peak:g} must be at least 1, as no peak is below the average")
        if isinstance(self.latency, str):
            if self.latency not in ("cold_start", "minutes"):
                raise UserError(f"latency: {self.latency} is neither a p99 in ms, cold_start nor minutes")
        elif not (isfinite(self.latency) and self.latency > 0):
            raise UserError(f"latency: {self.latency:g} ms must be more than 0")
        if self.accelerator not in ("none", "any", "gpu"):
            raise UserError(f"accelerator: {self.accelerator} is none of: none, any, gpu")

    @property
    def average_at_once(self) -> float:
        """Requests served at the same time on average, in the hours with traffic (Little's law)."""
        return self.requests_per_day * self.duration_s / (self.hours_per_day * 3600)

    @property
    def peak_at_once(self) -> float:
        """Requests served at the same time at the busiest moment."""
        return self.average_at_once * self.peak

    @property
    def memory_mb(self) -> float:
        """Memory that serving takes; assumed: the model twice over while it loads, and 512 MB for the server."""
        return 2 * self.model_mb + 512
