"""Values of counters in a job's container (`smlops_measure.py`), as its record stores them."""

import re
from collections.abc import Mapping
from math import isfinite, nan
from typing import Self, TypeVar

from pydantic import ConfigDict, Field

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.jobs.figure import RunFigure

Value = TypeVar("Value")

#: Prefix of measured values among the metrics of a training job.
_PREFIX = "measured:"
_LINE = "smlops_measured:"
_NUMBER = r"[0-9.e+-]+"
_SCRIPT = "of the script's processes, in the container"

#: Possible values, each with its unit and counter.
COUNTERS: Mapping[str, tuple[str, str]] = {
    "wall_seconds": ("s", f"clock, from the start to the end {_SCRIPT}"),
    "cpu_seconds": ("s", f"getrusage and /proc {_SCRIPT}"),
    "cpus": ("CPUs", "sched_getaffinity, in the container"),
    "cpu_utilization": ("of the CPUs", "cpu_seconds / (wall_seconds x cpus)"),
    "cpu_utilization_p95": ("of the CPUs", f"/proc {_SCRIPT}, each second"),
    "memory_peak_bytes": ("B", f"/proc {_SCRIPT}, each second, and getrusage of the largest"),
    "energy_cpu_joules": ("J", "RAPL: processors and memory of the whole computer"),
    "gpu_utilization": ("of the time", "NVML: mean over the GPUs, each second"),
    "gpu_utilization_p95": ("of the time", "NVML: mean over the GPUs, each second"),
    "gpu_memory_peak_bytes": ("B", "NVML: all GPUs, each second"),
    "energy_gpu_joules": ("J", "NVML: boards of all GPUs"),
}


class CounterReadings(Settings):
    """Values that were read from counters."""

    model_config = ConfigDict(extra="ignore")

    figures: dict[str, RunFigure] = Field(description="Figures by the names of `COUNTERS`.")
    without: list[str] = Field([], description="Names without a readable counter.")

    @classmethod
    def from_values(cls, values: Mapping[str, float], instances: int) -> Self | None:
        """Return the readings of the values by name, from one of the `instances`; None without values."""
        note = f"; of one of {instances} instances, the last that reported" if instances > 1 else ""
        figures = {
            name: RunFigure(value=values[name], unit=unit, basis="measured", source=source + note)
            for name, (unit, source) in COUNTERS.items()
            if isfinite(values.get(name, nan)) and values[name] >= 0
        }
        return cls(figures=figures, without=[name for name in COUNTERS if name not in figures]) if figures else None

    def get_value(self, name: str) -> float | None:
        """Return a value; None if it has no counter."""
        figure = self.figures.get(name)
        return figure.value if figure else None


def list_metric_definitions() -> list[dict[str, str]]:
    """Return the MetricDefinitions that extract the values from the log of a training job."""
    return [{"Name": _PREFIX + name, "Regex": f"{_LINE}.* {name}=({_NUMBER});"} for name in COUNTERS]


def split_metrics(metrics: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Value]]:
    """Split the metrics of a training job, by name, into its own metrics and the measured ones."""
    own = {name: value for name, value in metrics.items() if not name.startswith(_PREFIX)}
    return own, {name.removeprefix(_PREFIX): metrics[name] for name in metrics.keys() - own.keys()}


def parse_line(text: str) -> dict[str, float]:
    """Return the values in a line of a log or in the exit message of a processing job; empty for another line."""
    _, marker, values = text.partition(_LINE)
    readings = {}
    for name, number in re.findall(rf" (\w+)=({_NUMBER});", values) if marker else ():
        try:
            readings[name] = float(number)
        except ValueError:
            continue
    return readings
