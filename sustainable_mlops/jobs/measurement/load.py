"""How busy a job keeps its machines, from what counters said: what the footprint model calls duty."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Quantity, bounded_quantity
from sustainable_mlops.footprint.machines import find_job_duty
from sustainable_mlops.jobs.measurement.counters import Measured


def load(measured: Measured | None, seconds: float, instance_type: str) -> Quantity | None:
    """The mean load of the CPUs over the job's `seconds` (0-1); of an accelerator, the share of the time busy.

    Counters cover the script; of the time around it, in which data and model are moved, only the bounds are known.
    None where nothing was measured.
    """
    instance = instances.find(instance_type)
    if measured is None or instance is None or not seconds:
        return None
    covered = min((measured.value("wall_seconds") or 0.0) / seconds, 1.0)
    if instance.accelerator is None:
        name, text, low = "cpu_utilization", "load of the CPU, measured", 1.0
    else:
        # The share of the time in which anything runs on it, of which power says less (assumptions.csv).
        name, text, low = "gpu_utilization", "time the accelerators are busy, measured", find_job_duty(instance).low
    used = measured.value(name)
    if used is None:
        return None
    used = min(used, 1.0)
    return bounded_quantity(min(used * covered, low), used, used + (1 - used) * (1 - covered), text, "B")
