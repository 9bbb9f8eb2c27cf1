"""How busy a job keeps its machines, from what counters said: what the footprint model calls duty."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Quantity, between
from sustainable_mlops.footprint.machines import job_duty
from sustainable_mlops.jobs.measurement.measured import Measured


def load(measured: Measured | None, seconds: float, instance_type: str) -> Quantity | None:
    """The mean load of the CPUs over the job's `seconds` (0-1); of an accelerator, the share of the time busy.

    Counters cover the script; of the time around it, in which data and model are moved, only the bounds are known.
    None where nothing was measured.
    """
    instance = instances.find(instance_type)
    if measured is None or instance is None or not seconds:
        return None
    wall = measured.value("wall_seconds") or 0.0
    covered = min(wall / seconds, 1.0)
    if instance.accelerator is None:
        used = measured.value("cpu_utilization")
        if used is None:
            return None
        return between(used * covered, used, used * covered + 1 - covered, "load of the CPU, measured", "B")
    used = measured.value("gpu_utilization")
    if used is None:
        return None
    # The share of the time in which anything runs on it, of which power says less (assumptions.csv).
    low = min(job_duty(instance).low, used * covered)
    return between(low, used, used * covered + 1 - covered, "time the accelerators are busy, measured", "B")
