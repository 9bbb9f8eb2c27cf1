"""The script of a clone, `scripts/smlops.py`, started with any Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: A Python without the project's packages.
PYTHON = Path(sys.base_prefix, "bin", "python3")


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    """Yield a clone before `make setup`."""
    for folder in ("scripts", "sustainable_mlops"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def run(clone: Path, *command: str | Path) -> tuple[int, str, str]:
    environment = os.environ | {"PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    process = subprocess.run(
        [str(part) for part in command], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    return process.returncode, process.stdout, process.stderr


@pytest.mark.parametrize("start", [[PYTHON, "scripts/smlops.py"], ["./scripts/smlops.py"]], ids=["python", "alone"])
def test_the_script_restarts_in_the_environment_of_its_clone(clone: Path, start: list[str | Path]) -> None:
    (clone / ".venv").symlink_to(sys.prefix)
    message = "error: sandbox: none is running; start one with `smlops sandbox start`\n"
    assert run(clone, *start, "sandbox", "status") == (2, "", message)


def test_without_an_environment_one_line_names_make_setup(clone: Path) -> None:
    code, out, error = run(clone, PYTHON, "-S", "scripts/smlops.py", "train", "--help")
    assert (code, out) == (2, "")
    assert error == "error: there is no .venv with the packages of this project: run make setup\n"


def test_an_incomplete_environment_counts_as_none(clone: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    code, out, error = run(clone, PYTHON, "scripts/smlops.py", "train", "--help")
    assert (code, out) == (2, "")
    assert error == "error: there is no .venv with the packages of this project: run make setup\n"


@pytest.mark.slow
def test_another_environment_with_the_package_runs_the_script(clone: Path) -> None:
    code, out, error = run(clone, sys.executable, "scripts/smlops.py", "train", "missing.yaml")
    assert (code, out, error) == (2, "", "error: missing.yaml: no such file; check the path\n")
