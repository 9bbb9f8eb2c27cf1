"""The commands of a clone, by any Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_start import COMMANDS

#: A Python that has none of the project's packages.
PYTHON = Path(sys.base_prefix, "bin", "python3")


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    """A clone that is not set up."""
    for folder in ("scripts", "sustainable_mlops"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def run(clone: Path, *command: str | Path) -> tuple[int, str, str]:
    environment = os.environ | {"PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(part) for part in command], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", [[PYTHON, "scripts/sandbox.py"], ["./scripts/sandbox.py"]], ids=["python", "alone"])
def test_any_python_goes_on_in_the_clones_environment(clone: Path, command: list[str | Path]) -> None:
    (clone / ".venv").symlink_to(sys.prefix)
    told = f"error: sandbox: none is running; start one with `{command[-1]} start`\n"
    assert run(clone, *command, "status") == (2, "", told)


def test_without_an_environment_the_one_line_says_what_to_run(clone: Path) -> None:
    code, out, error = run(clone, PYTHON, "-S", "scripts/train.py", "--help")
    assert (code, out) == (2, "")
    assert error == "error: there is no .venv with what this needs: run make setup\n"


def test_an_environment_that_is_half_made_is_none(clone: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    code, out, error = run(clone, PYTHON, "scripts/train.py", "--help")
    assert (code, out) == (2, "")
    assert error == "error: there is no .venv with what this needs: run make setup\n"


def test_an_environment_elsewhere_that_has_the_package_does_as_well(clone: Path) -> None:
    code, out, error = run(clone, sys.executable, "scripts/train.py", "missing.yaml")
    assert (code, out, error) == (2, "", "error: missing.yaml: no such file\n")


def test_each_command_has_a_script_that_can_be_run(root: Path) -> None:
    scripts = {file for file in (root / "scripts").glob("[!_]*.py") if file.name != "setup.py"}
    assert sorted(file.stem.replace("_", "-") for file in scripts) == COMMANDS
    for file in scripts:
        assert os.access(file, os.X_OK), file
        assert file.read_text().startswith("#!/usr/bin/env python3\n"), file
