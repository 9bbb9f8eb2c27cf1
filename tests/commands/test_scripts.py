"""The scripts of a clone, started with any Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_start import COMMANDS

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


@pytest.mark.parametrize("command", [[PYTHON, "scripts/sandbox.py"], ["./scripts/sandbox.py"]], ids=["python", "alone"])
def test_a_script_restarts_in_the_environment_of_its_clone(clone: Path, command: list[str | Path]) -> None:
    (clone / ".venv").symlink_to(sys.prefix)
    message = "error: sandbox: none is running; start one with `smlops sandbox start`\n"
    assert run(clone, *command, "status") == (2, "", message)


def test_without_an_environment_one_line_names_make_setup(clone: Path) -> None:
    code, out, error = run(clone, PYTHON, "-S", "scripts/train.py", "--help")
    assert (code, out) == (2, "")
    assert error == "error: there is no .venv with the packages of this project: run make setup\n"


def test_an_incomplete_environment_counts_as_none(clone: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    code, out, error = run(clone, PYTHON, "scripts/train.py", "--help")
    assert (code, out) == (2, "")
    assert error == "error: there is no .venv with the packages of this project: run make setup\n"


@pytest.mark.slow
def test_another_environment_with_the_package_runs_the_script(clone: Path) -> None:
    code, out, error = run(clone, sys.executable, "scripts/train.py", "missing.yaml")
    assert (code, out, error) == (2, "", "error: missing.yaml: no such file; check the path\n")


def test_each_command_has_an_executable_script(root: Path) -> None:
    scripts = {file for file in (root / "scripts").glob("[!_]*.py") if file.name != "setup.py"}
    assert sorted(file.stem.replace("_", "-") for file in scripts) == COMMANDS
    for file in scripts:
        assert os.access(file, os.X_OK), file
        assert file.read_text().startswith("#!/usr/bin/env python3\n"), file
