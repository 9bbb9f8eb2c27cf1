"""What was expected of a run beside what counters say of it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, computed_field

from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.measurement.counters import Measured
from sustainable_mlops.settings import Settings

#: What is expected before a launch and may have a counter, with what stands for it where it has none.
Quantity = Literal["duration", "load", "energy"]
QUANTITIES: tuple[Quantity, ...] = ("duration", "load", "energy")

_JOULES_PER_KWH = 3.6e6
#: What the estimate of energy has in it and the chips' counters have not.
_NOT_COUNTED = "drives, network, fans, power supplies and the data centre around them"


class Comparison(Settings):
    """One estimate and its counter."""

    what: Quantity
    estimated: Figure
    measured: Figure
    not_counted: str = Field("", description="What the estimate has in it that the counter has not.")

    @computed_field(description="Estimate / counter; null where the counter says 0.")  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float | None:
        """Estimate / counter; None where the counter says 0."""
        return self.estimated.value / self.measured.value if self.measured.value else None

    @computed_field(description="Whether the counter lies in the estimate's interval.")  # type: ignore[prop-decorator]
    @property
    def inside(self) -> bool:
        """Whether the counter lies in the estimate's interval."""
        low, high = self.estimated.low, self.estimated.high
        if low is None or high is None:
            return self.estimated.value == self.measured.value
        return low <= self.measured.value <= high


def compare(
    expected: Mapping[str, Figure], measured: Measured | None, seconds: Figure | None, instances: int
) -> list[Comparison]:
    """The comparisons of what was expected and has a counter; `seconds` is SageMaker's clock."""
    counters = {"duration": seconds, "load": _load(expected, measured), "energy": _energy(measured, instances)}
    return [
        Comparison(
            what=what,
            estimated=expected[what],
            measured=counter,
            not_counted=_NOT_COUNTED if what == "energy" else "",
        )
        for what in QUANTITIES
        if what in expected and (counter := counters[what]) is not None
    ]


def _load(expected: Mapping[str, Figure], measured: Measured | None) -> Figure | None:
    """The counter of what was expected: the GPUs' share of the time, or the load of the CPUs."""
    if measured is None or "load" not in expected:
        return None
    return measured.figures.get("gpu_utilization" if expected["load"].unit == "of the time" else "cpu_utilization")


def _energy(measured: Measured | None, instances: int) -> Figure | None:
    """kWh of processors, memory and GPUs. None where one of them has no counter, or other instances have theirs."""
    if measured is None or instances > 1:
        return None
    parts = [measured.figures.get("energy_cpu_joules")]
    if "gpu_utilization" in measured.figures:
        parts.append(measured.figures.get("energy_gpu_joules"))
    counted = [part for part in parts if part is not None]
    if len(counted) < len(parts):
        return None
    return Figure(
        value=sum(part.value for part in counted) / _JOULES_PER_KWH,
        unit="kWh",
        basis="measured",
        source="; ".join(part.source for part in counted),
    )
