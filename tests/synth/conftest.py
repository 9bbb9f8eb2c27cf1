"""A copy of the sources to edit."""

import shutil
from pathlib import Path

import pytest

from sustainable_mlops.terraform import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository's sources and generated files, without what git does not hold."""
    for folder in ("sustainable_mlops", "modules", "envs", "scripts", "workloads"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
    for file in ("constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path
