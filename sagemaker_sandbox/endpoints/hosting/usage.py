"""Utilization of an instance: CPU, memory and disk of its processes and files."""

import time
from collections.abc import Iterable
from pathlib import Path

#: Shortest time between two measurements, in seconds. Earlier calls return the previous result.
_MIN_INTERVAL = 0.2


class InstanceUsage:
    """Utilization of one instance in percent of its memory and disk. Each CPU counts 100."""

    def __init__(self, folder: Path, memory: float, disk: float) -> None:
        self._folder = folder
        self._memory = memory
        self._disk = disk
        self._measured_at, self._cpu = time.monotonic(), 0.0
        self._values: dict[str, float] = {}

    def measure(self, pids: Iterable[int]) -> dict[str, float]:
        """Return the metrics of the processes and files of an instance since the previous measurement."""
        now = time.monotonic()
        if not self._values:  # model files do not change
            self._values["DiskUtilization"] = 100 * _measure_folder(self._folder) / self._disk
        if len(self._values) == 1 or now - self._measured_at >= _MIN_INTERVAL:
            cpu, resident = read_process_usage(pids)
            cpu_share = max(cpu - self._cpu, 0.0) / max(now - self._measured_at, _MIN_INTERVAL)
            self._measured_at, self._cpu = now, cpu
            self._values |= {"CPUUtilization": 100 * cpu_share, "MemoryUtilization": 100 * sum(resident) / self._memory}
        return self._values

    def measure_memory(self, pids: Iterable[int]) -> list[float]:
        """Return the memory of each process in percent."""
        return [100 * resident / self._memory for resident in read_process_usage(pids)[1]]


def get_total_memory() -> float:
    """Return the memory of this computer in bytes."""
    import psutil

    return float(psutil.virtual_memory().total)


def read_process_usage(pids: Iterable[int]) -> tuple[float, list[float]]:
    """Return the CPU seconds of all processes, and the resident memory of each in bytes."""
    import psutil

    cpu, resident = 0.0, []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            times, memory = process.cpu_times(), process.memory_info()
        except psutil.Error:
            continue
        cpu += times.user + times.system + times.children_user + times.children_system
        resident.append(float(memory.rss))
    return cpu, resident


def _measure_folder(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
