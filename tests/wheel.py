"""The wheel, built once for all test processes, and an environment with it and its base dependencies alone."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from sustainable_mlops.terraform import ROOT
from tests.clone import clone


def run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = shared(tmp_path_factory) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "dist").exists():
            source = clone(folder / "source")
            run(sys.executable, "-m", "venv", folder / "venv")
            run(folder / "venv/bin/pip", "wheel", "-q", "--no-deps", "-w", folder / "made", source)
            (folder / "made").rename(folder / "dist")
    (found,) = (folder / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path) -> Path:
    """The `bin` folder of an environment in which the wheel alone is installed, with its base dependencies."""
    environment = wheel.parent.parent / "venv"
    with (environment.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment / "done").exists():
            run(environment / "bin/pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
            (environment / "done").touch()
    return environment / "bin"
