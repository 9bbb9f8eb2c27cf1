"""A copy of the sources for tests that edit them."""

import shutil
from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the committed and the new files of the repository."""
    for folder in ("sustainable_mlops", "clone", "modules", "envs", "scripts", "workloads"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
    for file in ("constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path
