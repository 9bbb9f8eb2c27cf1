"""Wrapper that runs a job's script as its child and prints what the script used.

The file travels with the job's source into its container, so it needs only the standard library and Python 3.8. The
script gets the arguments, environment, output, signals and way of starting (`python file` or `python -m module`) that
were meant for it. This process ends with the script's exit code or signal.

The values are one line, printed last. The line is also written to the file that MESSAGE names, unless the script wrote
that file:

    smlops_measured: wall_seconds=12.3; cpu_seconds=20.1; cpus=2; cpu_utilization=0.817; memory_peak_bytes=31457280;

A value without a counter, or with too few samples, is not in the line.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable

#: Environment variables: the script to run, beside this file, and a file for the line. In a processing job that file
#: becomes the exit message.
ENTRY_POINT, MESSAGE = "SMLOPS_ENTRY_POINT", "SMLOPS_MEASURED_MESSAGE"

_FORWARDED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_SAMPLE_SECONDS = 1.0  # between two samples
_MIN_SAMPLES = 20  # samples for a 95th percentile
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class Processes:
    """CPU seconds and memory of a process and its descendants, from /proc; zero on systems without /proc."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._tick = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")
        self.cpu_seconds = 0.0  # at the last sample
        self.peak_bytes = 0

    def sample(self) -> None:
        """Read the counters once."""
        seconds, sizes = 0.0, {}
        for pid, fields in self._list_tree():
            # Fields 14 to 17 of proc_pid_stat(5) include ended children that their parent waited for.
            seconds += sum(map(int, fields[11:15])) / self._tick
            sizes[pid] = int(fields[21]) * self._page
        if len(sizes) > 1:  # count memory that forked processes share only once
            sizes = {pid: _read_proportional_size(pid, size) for pid, size in sizes.items()}
        self.cpu_seconds = max(self.cpu_seconds, seconds)
        self.peak_bytes = max(self.peak_bytes, sum(sizes.values()))

    def _list_tree(self) -> list[tuple[int, list[str]]]:
        stats = {}
        children: dict[int, list[int]] = {}
        for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
            if name.isdigit():
                text = _read(os.path.join("/proc", name, "stat"))
                if text:
                    stats[int(name)] = text.rpartition(")")[2].split()
                    children.setdefault(int(stats[int(name)][1]), []).append(int(name))
        processes, pending = [], [self._root]
        while pending:
            pid = pending.pop()
            if pid in stats:
                processes.append((pid, stats[pid]))
                pending += children.get(pid, [])
        return processes


def _read_proportional_size(pid: int, size: int) -> int:
    """Return a process's memory with its share of shared memory; the resident size if the share is unknown."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return size


class Powercap:
    """Joules of processors and memory, from RAPL. Its counters overflow after minutes."""

    def __init__(self, root: str = "/sys/class/powercap") -> None:
        self._counters: dict[str, int] = {}
        self._ranges: dict[str, int] = {}
        self.joules = 0.0
        for zone in sorted(os.listdir(root)) if os.path.isdir(root) else ():
            folder = os.path.join(root, zone)
            name = _read(os.path.join(folder, "name")).strip()
            # Skip `core` and `uncore`, which are parts of a package, and `psys`, which includes the packages.
            if zone.startswith("intel-rapl:") and (name.startswith("package") or name == "dram"):
                now, most = (_read(os.path.join(folder, file)) for file in ("energy_uj", "max_energy_range_uj"))
                if now.strip().isdigit() and most.strip().isdigit():
                    self._counters[folder], self._ranges[folder] = int(now), int(most)

    @property
    def is_readable(self) -> bool:
        """True if this process may read at least one counter."""
        return bool(self._counters)

    def sample(self) -> None:
        """Add the energy since the last sample. Call it more often than a counter overflows."""
        for folder, before in self._counters.items():
            text = _read(os.path.join(folder, "energy_uj")).strip()
            if text.isdigit():
                used = int(text) - before
                self.joules += (used if used >= 0 else used + self._ranges[folder]) / 1e6
                self._counters[folder] = int(text)


class _Rates(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Gpus:
    """Utilization, memory and joules of NVIDIA GPUs, from NVML."""

    def __init__(self, library: Any = None) -> None:
        self.busy: list[float] = []  # 0-1, mean over the GPUs, by sample
        self.peak_bytes = 0
        self._library = library or _load_nvml()
        self._handles = self._find_handles() if self._library is not None else []
        self._start = self._read_millijoules()

    def _find_handles(self) -> list[ctypes.c_void_p]:
        number, handles = ctypes.c_uint(), []
        if self._library.nvmlInit_v2() or self._library.nvmlDeviceGetCount_v2(ctypes.byref(number)):
            return []
        for index in range(number.value):
            handle = ctypes.c_void_p()
            if not self._library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)):
                handles.append(handle)
        return handles

    def _read_millijoules(self) -> int | None:
        """Return the energy of all GPUs since the driver started; None if one has no such counter (before Volta)."""
        total = 0
        for handle in self._handles:
            value = ctypes.c_ulonglong()
            if self._library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(value)):
                return None
            total += value.value
        return total if self._handles else None

    @property
    def joules(self) -> float | None:
        """Joules since the start."""
        now = self._read_millijoules()
        return None if now is None or self._start is None else (now - self._start) / 1000

    def sample(self) -> None:
        """Read the counters once."""
        rates, used = [], 0
        for handle in self._handles:
            rate, memory = _Rates(), _Memory()
            if not self._library.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(rate)):
                rates.append(rate.gpu / 100)
            if not self._library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
                used += memory.used
        if rates:
            self.busy.append(sum(rates) / len(rates))
        self.peak_bytes = max(self.peak_bytes, used)


def _load_nvml() -> Any:
    try:
        return ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None


def _read(path: str) -> str:
    """Return a file's text; empty if the file does not exist or is not readable."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


class Meter:
    """Measurement of a child process from now on."""

    def __init__(self, pid: int) -> None:
        self._began = time.monotonic()
        self._processes, self._powercap, self._gpus = Processes(pid), Powercap(), Gpus()
        self._cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._loads: list[float] = []
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._sample_repeatedly, daemon=True)
        self._watcher.start()

    def _sample_repeatedly(self) -> None:
        before, used = self._began, 0.0
        while True:
            if not _run_safely(self._sample):
                return
            now, seconds = time.monotonic(), self._processes.cpu_seconds
            if now - before >= _SAMPLE_SECONDS / 2:  # the first sample covers no time
                self._loads.append(min((seconds - used) / (now - before) / self._cpus, 1.0))
                before, used = now, seconds
            if self._ended.wait(_SAMPLE_SECONDS):
                return

    def _sample(self) -> bool:
        for meter in (self._processes, self._powercap, self._gpus):
            meter.sample()
        return True

    def result(self) -> dict[str, float]:
        """Return the measured values by name, after the child has ended."""
        wall = time.monotonic() - self._began
        self._ended.set()
        self._watcher.join()
        self._powercap.sample()
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = max(usage.ru_utime + usage.ru_stime, self._processes.cpu_seconds)
        largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # of the largest process
        values = {"wall_seconds": wall, "cpu_seconds": cpu, "cpus": self._cpus}
        if wall > 0:
            values["cpu_utilization"] = min(cpu / wall / self._cpus, 1.0)
        if len(self._loads) >= _MIN_SAMPLES:
            values["cpu_utilization_p95"] = _compute_p95(self._loads)
        values["memory_peak_bytes"] = max(self._processes.peak_bytes, largest)
        if self._powercap.is_readable:
            values["energy_cpu_joules"] = self._powercap.joules
        values.update(self._list_gpu_values())
        return values

    def _list_gpu_values(self) -> dict[str, float]:
        values, gpus, joules = {}, self._gpus, self._gpus.joules
        if gpus.busy:
            values["gpu_utilization"] = sum(gpus.busy) / len(gpus.busy)
        if len(gpus.busy) >= _MIN_SAMPLES:
            values["gpu_utilization_p95"] = _compute_p95(gpus.busy)
        if gpus.peak_bytes:
            values["gpu_memory_peak_bytes"] = gpus.peak_bytes
        if joules is not None:
            values["energy_gpu_joules"] = joules
        return values


def _compute_p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1) + 0.5)]


def _start_script(program: str, as_module: bool) -> subprocess.Popen[bytes]:
    """Start the script in the way this file was started: as a module, or by its path."""
    module = os.path.splitext(program)[0]
    script = ["-m", module] if as_module else [os.path.join(os.path.dirname(sys.argv[0]), program)]
    # The SageMaker Training Toolkit sets these variables for the entry point.
    names = {"SM_USER_ENTRY_POINT": program, "SM_MODULE_NAME": module}
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return subprocess.Popen(
        [sys.executable, *script, *sys.argv[1:]],
        env=dict(os.environ, **{name: value for name, value in names.items() if name in os.environ}),
        # End the script if this process is killed.
        preexec_fn=(lambda: libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))) if libc else None,
    )


def _run_safely(function: Callable[[], Any]) -> Any:
    """Return the result of `function`; print an error and return None if it fails.

    A failing counter must not fail the job.
    """
    try:
        return function()
    except Exception as error:  # any error of the system's counters
        print(f"smlops_measure: {type(error).__name__}: {error}", flush=True)
        return None


def _report(meter: Meter) -> None:
    line = "smlops_measured: " + " ".join(f"{name}={value:.9g};" for name, value in meter.result().items())
    print("\n" + line, flush=True)  # start a new line, whatever the script printed last
    message = os.environ.get(MESSAGE)
    if message and not os.path.exists(message):
        with open(message, "w") as file:
            file.write(line)


def main(as_module: bool) -> None:
    """Run the script, measure it, print the values, and end like the script."""
    early_signals: list[int] = []
    for number in _FORWARDED_SIGNALS:
        signal.signal(number, lambda number_received, _: early_signals.append(number_received))
    child = _start_script(os.environ[ENTRY_POINT], as_module)
    for number in _FORWARDED_SIGNALS:
        signal.signal(number, lambda number_received, _: child.send_signal(number_received))
    for number_received in early_signals:  # signals received before the child started
        child.send_signal(number_received)
    meter = _run_safely(lambda: Meter(child.pid))
    code = child.wait()
    if meter is not None:
        _run_safely(lambda: _report(meter))
    if code < 0:
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main(__spec__ is not None)
