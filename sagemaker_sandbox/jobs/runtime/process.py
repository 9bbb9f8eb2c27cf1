"""Child processes whose output is read line by line, and which end with their owner."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sagemaker_sandbox.base.scratch import CONTAINER_VARIABLE
from sagemaker_sandbox.jobs.runtime.container import Container

if TYPE_CHECKING:
    import psutil

#: Identity of a file: device and inode.
FileId = tuple[int, int]


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGKILL to a session leader and its children. A process that has ended is ignored."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return


def to_exit_code(return_code: int) -> int:
    """Return the exit code of a container: 128 plus the signal number if a signal killed it."""
    return return_code if return_code >= 0 else 128 - return_code


def kill_daemons(container: str) -> None:
    """Send SIGKILL to daemons of a container. They have their own sessions, so `kill_group` misses them."""
    import psutil

    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get(CONTAINER_VARIABLE) == container:
            with suppress(psutil.NoSuchProcess):
                process.kill()


class Process:
    """A command that runs in a container, in its own session.

    `on_line(line, is_error)` is called from reader threads for each line of stdout and stderr. `on_end()` is called
    once after the last line. The thread that creates a Process must live as long as the process, because Linux treats
    the end of that thread as the end of the parent.
    """

    def __init__(
        self,
        container: Container,
        command: Sequence[str],
        workdir: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str, bool], None],
        on_end: Callable[[], None],
    ) -> None:
        self._on_line = on_line
        self._on_end = on_end
        self._container = str(container.folder)
        self._popen = subprocess.Popen(
            container.build_command(command, workdir, parent=os.getpid()),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        errors = threading.Thread(target=self._read, args=(self._popen.stderr, True), daemon=True)
        output = threading.Thread(target=self._read_output, args=(self._popen.stdout, errors), daemon=True)
        self._readers = (errors, output)
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Process ID of the command. `launch.py` replaces itself with the command."""
        return self._popen.pid

    def poll(self) -> int | None:
        """Return the return code (negative: killed by that signal), or None while the process runs."""
        return self._popen.poll()

    def list_open_files(self) -> set[FileId] | None:
        """Return the files that the command or its children hold open for writing; None after its end."""
        import psutil

        files: set[FileId] = set()
        with suppress(psutil.NoSuchProcess):
            command = psutil.Process(self.pid)
            for process in (command, *command.children(recursive=True)):
                files.update(_list_files_open_for_writing(process))
        return files if self.poll() is None else None

    def terminate(self) -> None:
        """Send SIGTERM to the command only. The command is responsible for its children."""
        self._popen.send_signal(signal.SIGTERM)

    def close(self) -> int:
        """Kill the remaining processes, read the rest of the output, and return the return code."""
        kill_group(self._popen)
        code = self._popen.wait()
        kill_daemons(self._container)
        for reader in self._readers:
            reader.join(timeout=5)  # a daemon with a cleared environment may hold the pipe open forever
        return code

    def _read(self, stream: IO[bytes], is_error: bool) -> None:
        with stream:
            for line in stream:
                self._on_line(line.decode("utf-8", "replace").rstrip("\r\n"), is_error)

    def _read_output(self, stream: IO[bytes], errors: threading.Thread) -> None:
        self._read(stream, False)
        errors.join()
        self._on_end()


def _list_files_open_for_writing(process: "psutil.Process") -> Iterator[FileId]:
    if sys.platform != "linux":  # the open mode is unknown there, so every open file counts
        for file in process.open_files():
            with suppress(FileNotFoundError):
                status = os.stat(file.path)
                yield status.st_dev, status.st_ino
        return
    # psutil would list paths of a mount namespace, which do not resolve outside it; descriptors do.
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for descriptor in os.scandir(f"/proc/{process.pid}/fd"):
            with suppress(FileNotFoundError, ProcessLookupError):
                about = Path(f"/proc/{process.pid}/fdinfo/{descriptor.name}").read_text()
                flags = int(next(line for line in about.splitlines() if line.startswith("flags:")).split()[1], base=8)
                if flags & os.O_ACCMODE != os.O_RDONLY:
                    status = descriptor.stat()
                    yield status.st_dev, status.st_ino
