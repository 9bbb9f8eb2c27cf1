"""The end of a failing test run."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest
from tests.stale_files import suggest_update

@pytest.mark.parametrize("name", ["b", "a", "a"])
def test_fresh(name):
    assert name == "fresh", f"differs\\n{suggest_update(f'make {name}')}"

def test_other():
    assert False, "updated: nothing"
"""


@pytest.mark.slow
def test_a_failing_run_ends_with_the_commands_that_update_files(root: Path, tmp_path: Path) -> None:
    (tmp_path / "test_files.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "tests.stale_files", "-p", "no:cacheprovider"]
    process = subprocess.run(
        [*command, "--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, ending = process.stdout.partition("commands that update files, if the change is intended")
    lines = ending.splitlines()[1:]
    assert lines[:2] == ["make a", "make b"], process.stdout
    assert not [line for line in lines[2:] if line.startswith("make")]
