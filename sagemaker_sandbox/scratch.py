"""Where a sandbox's jobs and model servers have their files; what a killed one left goes when the next one starts."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The variable by which a process of a container, and each that it has started, tells where the container's files are.
CONTAINER = "SANDBOX_CONTAINER"
_LOCK = "lock"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for one sandbox, gone with it. Folders whose sandbox does not live any more are cleared."""
    root = Path(tempfile.gettempdir()) / f"smlops-sandbox-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    with (root / _LOCK).open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)  # a folder that is being made is not taken for one that was left
        _clear(root)
        own = Path(tempfile.mkdtemp(dir=root))
        alive = (own / _LOCK).open("w")
        fcntl.flock(alive, fcntl.LOCK_EX)
    try:
        with alive:
            yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _clear(root: Path) -> None:
    for left in root.iterdir():
        if not left.is_dir():
            continue
        with suppress(OSError):
            with (left / _LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end_what_runs(left.resolve())
            shutil.rmtree(left, ignore_errors=True)


def _end_what_runs(left: Path) -> None:
    """Containers die with their sandbox (Linux), but not what they have started."""
    import psutil

    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(CONTAINER, "").startswith(f"{left}{os.sep}"):
                process.kill()
