"""Load of a job's instances, measured by counters: the duty of the footprint model."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Quantity, make_bounded
from sustainable_mlops.footprint.instance_calculations import find_job_duty
from sustainable_mlops.jobs.measurement.counters import CounterReadings


def measure_load(measured: CounterReadings | None, seconds: float, instance_type: str) -> Quantity | None:
    """Return the mean load of the CPUs over the job's `seconds` (0-1), or an accelerator's share of busy time.

    Counters cover the script. Outside the script, while data and model are copied, only bounds are known. Returns None
    without measurements.
    """
    instance = instances.find(instance_type)
    if measured is None or instance is None or not seconds:
        return None
    covered_share = min((measured.get_value("wall_seconds") or 0.0) / seconds, 1.0)
    if instance.accelerator is None:
        name, text, low = "cpu_utilization", "load of the CPU, measured", 1.0
    else:
        # Share of the time in which anything runs on the accelerator. Power is lower than that (assumptions.csv).
        name, text, low = "gpu_utilization", "time the accelerators are busy, measured", find_job_duty(instance).low
    load = measured.get_value(name)
    if load is None:
        return None
    load = min(load, 1.0)
    return make_bounded(
        min(load * covered_share, low), load, load + (1 - load) * (1 - covered_share), text, "B", "of the time"
    )
