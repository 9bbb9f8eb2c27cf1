"""Runner of notebooks: malformed notebooks, and a run without notebooks."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools import run_notebooks
from tools.run_notebooks import (
    RUNNABLE,
    Notebook,
    NotebookResult,
    create_environment,
    find_notebooks,
    find_requirement,
    run_notebook,
    write_constraints,
)


def write_notebook(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def test_a_malformed_file_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_notebook(tmp_path / "list.ipynb", [])
    write_notebook(tmp_path / "source.ipynb", {"cells": [{"cell_type": "code"}]})
    write_notebook(tmp_path / "whole.ipynb", {"cells": [{"cell_type": "code", "source": ["print(1)"]}]})
    assert [notebook.path.name for notebook in find_notebooks(tmp_path)] == ["whole.ipynb"]
    assert capsys.readouterr().err.count("not a notebook") == 2


def test_the_error_of_a_notebook_is_recorded_in_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reads(*_: Any, **__: Any) -> None:
        raise ValueError("no cells")

    names = ("CellExecutionError", "CellTimeoutError", "DeadKernelError")
    errors = SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
    monkeypatch.setitem(sys.modules, "nbformat", SimpleNamespace(reads=reads))
    monkeypatch.setitem(sys.modules, "nbclient", SimpleNamespace(NotebookClient=None))
    monkeypatch.setitem(sys.modules, "nbclient.exceptions", errors)
    write_notebook(tmp_path / "a.ipynb", {})
    notebook = Notebook(Path("a.ipynb"), ("print(1)",), RUNNABLE)
    result: NotebookResult = run_notebook(notebook, tmp_path, {}, 1)
    assert (result.error, result.is_complete) == ("ValueError: no cells", False)


def test_a_run_without_notebooks_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run_notebooks", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        run_notebooks.main()
    assert "no notebook matches" in capsys.readouterr().err


def test_a_notebook_cannot_remove_the_packages_of_the_kernel(tmp_path: Path) -> None:
    programs = create_environment(sys.executable, tmp_path / "environment")

    def run(*command: str) -> str:
        process = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        return process.stdout + process.stderr

    assert "outside environment" in run(str(programs / "pip"), "uninstall", "-y", "pathspec")
    find_file = ("-c", "import pathspec; print(pathspec.__file__)")
    assert run(str(programs / "python"), *find_file) == run(sys.executable, *find_file)


def test_the_constraints_name_the_sagemaker_sdk_only(tmp_path: Path) -> None:
    write_constraints(sys.executable, tmp_path / "constraints.txt")
    lines = (tmp_path / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("sagemaker")] == []


@pytest.mark.parametrize(
    ("code", "requirement"),
    [
        ("%store -r endpoint_name", "variables of another notebook"),
        ('arn = "<Customer to specify ARN>"', "values that a person fills in"),
        ("from transformers import pipeline", "data from the internet"),
        ("import pyspark", "Docker or another runtime"),
        ("import sagemaker", RUNNABLE),
    ],
)
def test_the_code_of_a_notebook_decides_its_requirement(code: str, requirement: str) -> None:
    assert find_requirement(code) == requirement
