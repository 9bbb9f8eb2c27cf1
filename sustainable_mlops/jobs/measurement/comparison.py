"""Comparison of a run's estimates with its measurements."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, computed_field

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.measurement.counters import CounterReadings

#: Quantities that are estimated before a launch and can be measured.
QuantityName = Literal["duration", "load", "energy"]
QUANTITIES: tuple[QuantityName, ...] = ("duration", "load", "energy")

_JOULES_PER_KWH = 3.6e6
#: Consumers that the energy estimate includes and the chips' counters do not.
_NOT_COUNTED = "drives, network, fans, power supplies and the data center around them"


class EstimateComparison(Settings):
    """One estimate and its measurement."""

    quantity: QuantityName
    estimated: RunFigure
    measured: RunFigure
    not_counted: str = Field("", description="Consumers that only the estimate includes.")

    @computed_field(description="Estimate / measurement; null if the measurement is 0.")  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float | None:
        """Estimate / measurement; None if the measurement is 0."""
        return self.estimated.value / self.measured.value if self.measured.value else None

    @computed_field(description="True if the measurement is in the estimate's interval.")  # type: ignore[prop-decorator]
    @property
    def is_inside(self) -> bool:
        """True if the measurement is in the estimate's interval."""
        low, high = self.estimated.low, self.estimated.high
        if low is None or high is None:
            return self.estimated.value == self.measured.value
        return low <= self.measured.value <= high


def compare_quantities(
    expected: Mapping[str, RunFigure], measured: CounterReadings | None, seconds: RunFigure | None, instances: int
) -> list[EstimateComparison]:
    """Compare each estimate that has a measurement; `seconds` is the duration by SageMaker's clock."""
    counters = {"duration": seconds, "load": _find_load(expected, measured), "energy": _sum_energy(measured, instances)}
    return [
        EstimateComparison(
            quantity=quantity,
            estimated=expected[quantity],
            measured=counter,
            not_counted=_NOT_COUNTED if quantity == "energy" else "",
        )
        for quantity in QUANTITIES
        if quantity in expected and (counter := counters[quantity]) is not None
    ]


def _find_load(expected: Mapping[str, RunFigure], measured: CounterReadings | None) -> RunFigure | None:
    """Return the measured load: the GPUs' share of the time, or the load of the CPUs."""
    if measured is None or "load" not in expected:
        return None
    return measured.figures.get("gpu_utilization" if expected["load"].unit == "of the time" else "cpu_utilization")


def _sum_energy(measured: CounterReadings | None, instances: int) -> RunFigure | None:
    """Return kWh of processors, memory and GPUs; None if one has no counter, or if the job has several instances."""
    if measured is None or instances > 1:
        return None
    parts = [measured.figures.get("energy_cpu_joules")]
    if "gpu_utilization" in measured.figures:
        parts.append(measured.figures.get("energy_gpu_joules"))
    present = [part for part in parts if part is not None]
    if len(present) < len(parts):
        return None
    return RunFigure(
        value=sum(part.value for part in present) / _JOULES_PER_KWH,
        unit="kWh",
        basis="measured",
        source="; ".join(part.source for part in present),
    )
