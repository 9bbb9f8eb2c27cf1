"""Folder for the files of a sandbox's jobs and model servers.

The next sandbox removes the folder of a killed sandbox.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Environment variable of container processes and their descendants, with the folder of the container.
CONTAINER_VARIABLE = "SANDBOX_CONTAINER"
_LOCK = "lock"


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder for one sandbox, and remove it afterward. Remove folders of sandboxes that no longer run."""
    root = Path(tempfile.gettempdir()) / f"smlops-sandbox-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    with (root / _LOCK).open("w") as root_lock:
        fcntl.flock(root_lock, fcntl.LOCK_EX)  # a new folder must not be mistaken for an abandoned one
        _remove_abandoned_folders(root)
        folder = Path(tempfile.mkdtemp(dir=root))
        folder_lock = (folder / _LOCK).open("w")
        fcntl.flock(folder_lock, fcntl.LOCK_EX)
    try:
        with folder_lock:
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned_folders(root: Path) -> None:
    for folder in root.iterdir():
        if not folder.is_dir():
            continue
        with suppress(OSError):
            with (folder / _LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _kill_processes(folder.resolve())
            shutil.rmtree(folder, ignore_errors=True)


def _kill_processes(folder: Path) -> None:
    """Kill every process of the folder's containers.

    On Linux, containers end with their sandbox, but the processes that they started do not.
    """
    import psutil

    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(CONTAINER_VARIABLE, "").startswith(f"{folder}{os.sep}"):
                process.kill()
