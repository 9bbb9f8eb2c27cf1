"""Terraform processes of a run. An interruption of the run ends them."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sustainable_mlops.base.terraform import Terraform


class RunningProcesses:
    """Terraform processes of all modules of a run."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._is_stopped = False

    @contextmanager
    def hold(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """Know a process until the block ends; interrupt it if the run has been interrupted before."""
        with self._lock:
            self._processes.add(process)
            if self._is_stopped:
                process.send_signal(signal.SIGINT)
        try:
            yield
        finally:
            with self._lock:
                self._processes.discard(process)

    def stop(self) -> None:
        """Interrupt each process once: Terraform finishes its current operation and writes its state."""
        with self._lock:
            self._is_stopped = True
            for process in self._processes:
                process.send_signal(signal.SIGINT)


class RunTerraform(Terraform):
    """Terraform of a module, which an interruption of the run ends. `check` raises if the run was interrupted."""

    def __init__(self, folder: Path, processes: RunningProcesses, check: Callable[[], None]) -> None:
        super().__init__(folder)
        self._processes, self._check = processes, check

    @contextmanager
    def _start(self, *arguments: str, stderr: int) -> Iterator[subprocess.Popen[str]]:
        self._check()
        with super()._start(*arguments, stderr=stderr) as process, self._processes.hold(process):
            yield process
