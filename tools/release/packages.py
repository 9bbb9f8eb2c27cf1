"""Wheel, source archive and SBOM of a release."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from sustainable_mlops.base.errors import UserError
from tools.release.links import relocate_links
from tools.release.mirrors import Source
from tools.release.references import PROJECT

#: Writes the SBOM. It runs in an environment of its own, because the project does not need its dependencies.
CYCLONEDX = "cyclonedx-bom==7.5.0"


def build_packages(source: Source, folder: Path, date: str) -> list[Path]:
    """Build the wheel and the source archive into `folder`, and return their paths.

    PyPI shows the README outside the repository, so its links become addresses of the tag. `date` is the time of the
    files in the archives, in seconds since 1970: the same source gives the same bytes.
    """
    page = source.folder / "README.md"
    original = page.read_text(encoding="utf-8")
    try:
        page.write_text(relocate_links(original, "README.md", "README.md", {}, source.web), encoding="utf-8")
        _run_uv("build", "--quiet", "--out-dir", folder, source.folder, SOURCE_DATE_EPOCH=date)
    finally:
        page.write_text(original, encoding="utf-8")
    (folder / ".gitignore").unlink(missing_ok=True)  # uv's
    return sorted(folder.glob(f"*{source.version}*"))


def list_extras(source: Source) -> list[str]:
    """Return the names of the extras of the package."""
    project = tomllib.loads((source.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return sorted(project["optional-dependencies"])


def write_sbom(source: Source, wheel: Path, file: Path, extras: Sequence[str] = ()) -> None:
    """Write the CycloneDX SBOM of the wheel and its dependencies, at the tested versions, into `file`."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        _run_uv("venv", "--quiet", "--python", sys.executable, python.parent.parent)
        constraints = source.folder / "constraints.txt"
        package = f"{wheel}[{','.join(extras)}]" if extras else wheel
        _run_uv("pip", "install", "--quiet", "--python", python, "--constraint", constraints, package)
        _run_uv(
            *("tool", "run", "--quiet", "--from", CYCLONEDX, "cyclonedx-py", "environment"),
            *("--pyproject", source.folder / "pyproject.toml", "--mc-type", "application"),
            *("--output-reproducible", "--output-format", "JSON", "--output-file", file, python),
        )
    bom = json.loads(file.read_text(encoding="utf-8"))
    # The version is dynamic in pyproject.toml, so the generator does not know it.
    component = {"version": source.version, "purl": f"pkg:pypi/{PROJECT}@{source.version}"}
    bom["metadata"]["component"] |= component
    file.write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _run_uv(*arguments: str | Path, **variables: str) -> None:
    """Run uv, from PATH or beside this Python. Raises UserError with its last lines."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise UserError("uv: is not installed; install it with: pip install uv")
    process = subprocess.run(
        [uv, *map(str, arguments)], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if process.returncode:
        lines = re.sub(r"\x1b\[[\d;]*m", "", process.stderr).strip().splitlines()
        raise UserError(f"uv {arguments[0]}: {' '.join(lines[-3:])}")
