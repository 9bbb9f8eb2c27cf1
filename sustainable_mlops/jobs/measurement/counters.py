"""What a job's container told of itself (`smlops_measure.py`), as its record keeps it."""

import re
from collections.abc import Mapping
from math import isfinite, nan
from typing import Self

from pydantic import ConfigDict, Field

from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.settings import Settings

#: What the measured values are called among a training job's metrics.
_PREFIX = "measured:"
_LINE = "smlops_measured:"
_NUMBER = r"[0-9.e+-]+"
_SCRIPT = "of the script's processes, in the container"

#: Each value that there may be: its unit, and the counter that it is read from.
COUNTERS: Mapping[str, tuple[str, str]] = {
    "wall_seconds": ("s", f"clock, from the start to the end {_SCRIPT}"),
    "cpu_seconds": ("s", f"getrusage and /proc {_SCRIPT}"),
    "cpus": ("CPUs", "sched_getaffinity, in the container"),
    "cpu_utilization": ("of the CPUs", "cpu_seconds / (wall_seconds x cpus)"),
    "cpu_utilization_p95": ("of the CPUs", f"/proc {_SCRIPT}, each second"),
    "memory_peak_bytes": ("B", f"/proc {_SCRIPT}, each second, and getrusage of the largest"),
    "energy_cpu_joules": ("J", "RAPL: processors and memory of the whole machine"),
    "gpu_utilization": ("of the time", "NVML: mean over the GPUs, each second"),
    "gpu_utilization_p95": ("of the time", "NVML: mean over the GPUs, each second"),
    "gpu_memory_peak_bytes": ("B", "NVML: all GPUs, each second"),
    "energy_gpu_joules": ("J", "NVML: boards of all GPUs"),
}


class Measured(Settings):
    """What was read from counters, and only that."""

    model_config = ConfigDict(extra="ignore")

    figures: dict[str, Figure] = Field(description="By the names of `COUNTERS`.")
    without: list[str] = Field([], description="What had no counter that could be read.")

    @classmethod
    def of_values(cls, values: Mapping[str, float], instances: int) -> Self | None:
        """Of the values by name, those of one of the `instances`; None where there is none."""
        of = f"; of one of {instances} instances, the last that told" if instances > 1 else ""
        figures = {
            name: Figure(value=values[name], unit=unit, basis="measured", source=source + of)
            for name, (unit, source) in COUNTERS.items()
            if isfinite(values.get(name, nan)) and values[name] >= 0
        }
        return cls(figures=figures, without=[name for name in COUNTERS if name not in figures]) if figures else None

    def value(self, name: str) -> float | None:
        """A value; None where it has no counter."""
        figure = self.figures.get(name)
        return figure.value if figure else None


def definitions() -> list[dict[str, str]]:
    """MetricDefinitions with which SageMaker reads the values from a training job's log."""
    return [{"Name": _PREFIX + name, "Regex": f"{_LINE}.* {name}=({_NUMBER});"} for name in COUNTERS]


def split(metrics: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """A training job's metrics: the job's own, and the measured values by name."""
    own = {name: value for name, value in metrics.items() if not name.startswith(_PREFIX)}
    return own, {name.removeprefix(_PREFIX): metrics[name] for name in metrics.keys() - own.keys()}


def of_text(text: str) -> dict[str, float]:
    """The values in a line of a log or in a processing job's exit message; none where it is another's."""
    _, told, values = text.partition(_LINE)
    found = {}
    for name, number in re.findall(rf" (\w+)=({_NUMBER});", values) if told else ():
        try:
            found[name] = float(number)
        except ValueError:
            continue
    return found
