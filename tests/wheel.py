"""Environment with the wheel and its base dependencies only, made once for all test processes."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import ROOT


def check_output(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command without this checkout on its path. It must succeed."""
    process = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr


def create_environment(folder: Path, *packages: str | Path) -> Path:
    """Create a virtual environment with these packages, by uv if available, and return its folder.

    All test processes can request the same folder; only the first one creates it.
    """
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "done"
        if not stamp.exists():
            python = folder / "bin" / "python"
            if uv := shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)):
                check_output(uv, "venv", "-q", "--clear", "--python", sys.executable, folder)
                check_output(uv, "pip", "install", "--python", python, "-q", *packages)
            else:
                check_output(sys.executable, "-m", "venv", folder)
                check_output(python, "-m", "pip", "install", "-q", *packages)
            stamp.touch()
    return folder


def find_shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def wheel_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the environment."""
    folder = find_shared_folder(tmp_path_factory)
    with (folder / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "wheel").exists():
            before = set(os.listdir(ROOT))
            check_output(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", ".", "-w", folder / "built")
            left = {name for name in set(os.listdir(ROOT)) - before if name == "build" or name.endswith(".egg-info")}
            assert not left, "the build leaves files behind"
            (folder / "built").rename(folder / "wheel")
    (wheel,) = (folder / "wheel").glob("*.whl")
    return create_environment(folder / "installed", "-c", ROOT / "constraints.txt", wheel)
