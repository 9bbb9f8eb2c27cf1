"""How busy the processes of an instance are."""

import time
from collections.abc import Iterable
from pathlib import Path

#: Two looks that are closer to each other, in seconds, tell the same.
_LEAST = 0.2


class ResourceUsage:
    """Of one instance, in percent of what it has of memory and disk; each CPU of this machine counts 100."""

    def __init__(self, folder: Path, memory: float, disk: float) -> None:
        self._folder = folder
        self._memory = memory
        self._disk = disk
        self._looked, self._cpu = time.monotonic(), 0.0
        self._known: dict[str, float] = {}

    def measure(self, pids: Iterable[int]) -> dict[str, float]:
        """Metric to its value since the last look, of an instance's processes and files."""
        now = time.monotonic()
        if not self._known:  # what a model brings stays as it is
            self._known["DiskUtilization"] = 100 * _size(self._folder) / self._disk
        if len(self._known) == 1 or now - self._looked >= _LEAST:
            cpu, resident = read_process_usage(pids)
            busy = max(cpu - self._cpu, 0.0) / max(now - self._looked, _LEAST)
            self._looked, self._cpu = now, cpu
            self._known |= {"CPUUtilization": 100 * busy, "MemoryUtilization": 100 * sum(resident) / self._memory}
        return self._known

    def measure_memory(self, pids: Iterable[int]) -> list[float]:
        """The memory of each process."""
        return [100 * resident / self._memory for resident in read_process_usage(pids)[1]]


def get_machine_memory() -> float:
    """Bytes of memory that this machine has."""
    import psutil

    return float(psutil.virtual_memory().total)


def read_process_usage(pids: Iterable[int]) -> tuple[float, list[float]]:
    """CPU seconds so far, and the resident memory of each in bytes."""
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


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
