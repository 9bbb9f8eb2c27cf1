"""The measuring wrapper of a job's script: the script does not notice it, and its figures come from counters."""

import ast
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.jobs.measurement import counters, smlops_measure
from sustainable_mlops.jobs.measurement.smlops_measure import Gpus, Powercap
from tests.cases import check_cases
from tests.sandbox.support import WAIT_SECONDS

HELPER = Path(smlops_measure.__file__)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

#: Script that prints everything it can know about its start.
REPORT_SCRIPT = """
import os, sys
print(sys.argv, sys.path[0], os.getcwd(), __name__, sys.flags.safe_path)
print({name: os.environ.get(name) for name in ("SM_USER_ENTRY_POINT", "SM_MODULE_NAME", "OTHER")})
print("to stderr", file=sys.stderr)
print(sys.stdin.read())
sys.stdout.write("no end of line")
sys.exit(7)
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Return a container's code folder with the wrapper."""
    shutil.copy(HELPER, tmp_path)
    return tmp_path


Way = Sequence[str]
WAYS: dict[str, tuple[Way, Way]] = {
    "file": (["train.py"], ["smlops_measure.py"]),
    "module": (["-m", "train"], ["-m", "smlops_measure"]),
}


def start(code: Path, way: Way, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *way, *arguments],
        cwd=code,
        env={"PATH": os.environ["PATH"], "SMLOPS_ENTRY_POINT": "train.py", **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def split_output(output: str) -> tuple[str, dict[str, float]]:
    """Split the output into the script's output and the measured values."""
    before, _, last = output.rpartition("\n" + "smlops_measured:")
    return before, counters.parse_line("smlops_measured:" + last)


def wait_until(condition: Callable[[], bool]) -> float:
    started_at = time.monotonic()
    while not condition():
        assert time.monotonic() - started_at < WAIT_SECONDS
        time.sleep(0.02)
    return time.monotonic() - started_at


@pytest.mark.parametrize("way", WAYS)
def test_a_script_does_not_notice_the_wrapper(code: Path, way: str) -> None:
    (code / "train.py").write_text(REPORT_SCRIPT)
    alone, with_helper = WAYS[way]
    arguments = ("--name", "a b; $HOME", "", "--π=3")
    outputs = []
    for way_of_starting, program in ((alone, "train.py"), (with_helper, "smlops_measure.py")):
        # The toolkit sets the name of the program that it started.
        names = {"SM_USER_ENTRY_POINT": program, "SM_MODULE_NAME": program.removesuffix(".py"), "OTHER": "kept"}
        process = start(code, way_of_starting, *arguments, **names)
        outputs.append((*process.communicate("from stdin", timeout=WAIT_SECONDS), process.returncode))
    (output, *rest), (measured_output, *measured_rest) = outputs
    script_output, values = split_output(measured_output)
    assert script_output == output
    assert measured_rest == rest == ["to stderr\n", 7]
    assert values["wall_seconds"] > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_reach_the_script_which_decides(code: Path, number: signal.Signals) -> None:
    script = (
        "import signal, sys\nsignal.signal({}, lambda *_: sys.exit(143))\nprint('ready', flush=True)\nsignal.pause()"
    )
    (code / "train.py").write_text(script.format(int(number)))
    running = start(code, ["smlops_measure.py"])
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    running.send_signal(number)
    output, _ = running.communicate(timeout=WAIT_SECONDS)
    assert running.returncode == 143
    assert split_output(output)[1], "an interrupted script is measured too"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_wrapper_ends_with_the_signal_that_ended_the_script(code: Path, number: signal.Signals) -> None:
    (code / "train.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})")
    running = start(code, ["smlops_measure.py"])
    running.communicate(timeout=WAIT_SECONDS)
    assert running.returncode == -number


@LINUX
def test_the_script_ends_if_the_wrapper_is_killed(code: Path) -> None:
    (code / "train.py").write_text("import os, signal\nprint(os.getpid(), flush=True)\nsignal.pause()")
    running = start(code, ["smlops_measure.py"])
    assert running.stdout is not None
    script = Path(f"/proc/{int(running.stdout.readline())}/stat")
    running.kill()
    running.wait()

    def has_ended() -> bool:
        try:
            return script.read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_until(has_ended)


def test_one_sample_in_twenty_exceeds_the_95th_percentile() -> None:
    assert smlops_measure._compute_p95([number / 100 for number in range(100, -1, -1)]) == 0.95


@pytest.mark.slow
@LINUX
def test_seconds_and_memory_are_those_of_the_whole_tree_of_processes(code: Path) -> None:
    # Two processes hold 100 MB together and 100 MB each, while each keeps a processor busy for two of its seconds.
    (code / "train.py").write_text(
        "import os, time\n"
        "shared = bytearray(100_000_000)\n"
        "child = os.fork()\n"
        "own = bytearray(100_000_000)\n"
        "began = time.process_time()\n"
        "while time.process_time() - began < 2: pass\n"
        "if child: os.waitpid(child, 0)\n"
    )
    started_at = time.monotonic()
    running = start(code, ["smlops_measure.py"])
    output, errors = running.communicate(timeout=WAIT_SECONDS)
    wall = time.monotonic() - started_at
    values = split_output(output)[1]
    assert errors == ""
    assert 4 <= values["cpu_seconds"] < 7
    assert 300e6 <= values["memory_peak_bytes"] < 380e6, "both at once, and what they share once"
    assert values["wall_seconds"] <= wall
    assert values["cpus"] == len(os.sched_getaffinity(0))
    utilization = values["cpu_seconds"] / values["wall_seconds"] / values["cpus"]
    assert values["cpu_utilization"] == pytest.approx(min(utilization, 1), rel=1e-6)


def test_a_failed_measurement_is_printed_and_does_not_fail_the_job(code: Path) -> None:
    (code / "train.py").write_text("print('trained')")
    helper = code / "smlops_measure.py"
    helper.write_text(helper.read_text().replace('os.sysconf("SC_PAGE_SIZE")', 'os.sysconf("SC_NO_SUCH")'))
    running = start(code, ["smlops_measure.py"])
    output, errors = running.communicate(timeout=WAIT_SECONDS)
    assert (running.returncode, errors) == (0, "")
    assert sorted(output.splitlines()) == ["smlops_measure: ValueError: unrecognized configuration name", "trained"]


def test_the_exit_message_has_the_values_unless_the_script_wrote_one(code: Path) -> None:
    message = code / "message"
    (code / "train.py").write_text("print('done')")
    output = start(code, ["smlops_measure.py"], SMLOPS_MEASURED_MESSAGE=str(message)).communicate(timeout=WAIT_SECONDS)[
        0
    ]
    assert counters.parse_line(message.read_text()) == split_output(output)[1]
    assert len(message.read_text()) < 1024, "SageMaker keeps no more"
    message.write_text("its own")
    start(code, ["smlops_measure.py"], SMLOPS_MEASURED_MESSAGE=str(message)).communicate(timeout=WAIT_SECONDS)
    assert message.read_text() == "its own"


def test_the_metric_definitions_find_the_values_of_the_line() -> None:
    line = "smlops_measured: wall_seconds=12.3; cpu_utilization=0.817; cpu_utilization_p95=1e-05; cpus=2;"
    readings = {
        definition["Name"]: m[1]
        for definition in counters.list_metric_definitions()
        if (m := re.search(definition["Regex"], line))
    }
    assert readings == {
        "measured:wall_seconds": "12.3",
        "measured:cpu_utilization": "0.817",
        "measured:cpu_utilization_p95": "1e-05",
        "measured:cpus": "2",
    }
    own, values = counters.split_metrics({**{name: float(text) for name, text in readings.items()}, "auc": 0.7})
    assert (own, values) == ({"auc": 0.7}, counters.parse_line(line))


@check_cases("text", ["", "done", "smlops_measured: ", "smlops_measured: wall_seconds=e.-;"])
def test_another_text_has_no_values(text: str) -> None:
    assert counters.parse_line(text) == {}
    assert counters.CounterReadings.from_values({}, 1) is None


def test_a_value_without_a_counter_is_listed_as_missing() -> None:
    readings = counters.CounterReadings.from_values({"wall_seconds": 2.0, "cpu_seconds": 1.0}, 3)
    assert readings is not None
    assert "energy_cpu_joules" in readings.without
    assert readings.get_value("energy_cpu_joules") is None
    figure = readings.figures["cpu_seconds"]
    assert (figure.value, figure.unit, figure.basis) == (1.0, "s", "measured")
    assert "one of 3 instances" in figure.source


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    """Write a processor package with its core and memory zones, and zones that overlap with them."""
    zones = {
        "intel-rapl:0": ("package-0", 900),
        "intel-rapl:0:0": ("core", 500),
        "intel-rapl:0:1": ("dram", 100),
        "intel-rapl:1": ("psys", 5000),
        "intel-rapl-mmio:0": ("package-0", 900),
    }
    for zone, (name, energy) in zones.items():
        folder = tmp_path / zone
        folder.mkdir()
        for file, content in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", 1000)):
            (folder / file).write_text(f"{content}\n")
    return tmp_path


def test_rapl_counts_packages_and_memory_once_and_across_overflows(powercap: Path) -> None:
    reader = Powercap(str(powercap))
    assert reader.is_readable
    for package, dram in ((950, 120), (50, 150), (80, 40)):  # the package's begins anew, then that of the memory
        (powercap / "intel-rapl:0" / "energy_uj").write_text(f"{package}\n")
        (powercap / "intel-rapl:0:1" / "energy_uj").write_text(f"{dram}\n")
        reader.sample()
    assert reader.joules * 1e6 == pytest.approx((50 + 100 + 30) + (20 + 30 + 890))


def test_unreadable_rapl_counters_are_ignored(powercap: Path, tmp_path: Path) -> None:
    for file in powercap.glob("*/energy_uj"):
        file.unlink()
    assert not Powercap(str(powercap)).is_readable
    assert not Powercap(str(tmp_path / "nothing")).is_readable


class FakeNvml:
    """NVML of two GPUs; the second may lack an energy counter."""

    def __init__(self, *, counts: bool = True) -> None:
        self.millijoules = [1000, 5000]
        self.busy = [90, 30]
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        # ctypes' arguments: `byref(x)` keeps x.
        functions: dict[str, Callable[..., int]] = {
            "nvmlInit_v2": lambda: 0,
            "nvmlDeviceGetCount_v2": lambda number: _set(number, 2),
            "nvmlDeviceGetHandleByIndex_v2": lambda index, handle: _set(handle, index.value + 1),
            "nvmlDeviceGetTotalEnergyConsumption": self._energy,
            "nvmlDeviceGetUtilizationRates": lambda handle, rates: _set(rates, self.busy[handle.value - 1], "gpu"),
            "nvmlDeviceGetMemoryInfo": lambda _, memory: _set(memory, 1_000_000, "used"),
        }
        return functions[name]

    def _energy(self, handle: ctypes.c_void_p, value: Any) -> int:
        index = (handle.value or 0) - 1
        return _set(value, self.millijoules[index]) if self._counts or index == 0 else 3


def _set(reference: Any, value: int, field: str = "value") -> int:
    setattr(reference._obj, field, value)
    return 0


def test_gpus_are_counted_together() -> None:
    nvml = FakeNvml()
    gpus = Gpus(nvml)
    gpus.sample()
    nvml.busy = [100, 100]
    gpus.sample()
    nvml.millijoules = [3000, 6500]
    assert gpus.busy == [0.6, 1.0]
    assert gpus.joules == 3.5
    assert gpus.peak_bytes == 2_000_000


def test_a_gpu_without_a_counter_leaves_the_energy_of_all_unknown() -> None:
    assert Gpus(FakeNvml(counts=False)).joules is None


def test_a_computer_without_gpus_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smlops_measure, "_load_nvml", lambda: None)
    gpus = Gpus()
    gpus.sample()
    assert (gpus.busy, gpus.peak_bytes, gpus.joules) == ([], 0, None)


def test_the_wrapper_needs_only_the_standard_library_and_python_3_8() -> None:
    tree = ast.parse(HELPER.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
