"""Last release of the modules: their files and interfaces, in one archive of the repository.

A shallow clone has no history, so the test of an upgrade starts from this archive. Terraform prints no types of inputs,
so the interfaces come from the synthesis of the release.
"""

import io
import json
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sustainable_mlops.base.terraform import ROOT
from tools.upgrades.interfaces import Interface, describe_interface

ARCHIVE = ROOT / "modules" / "released.tar.xz"
#: Files of a module that its users get, and its page with the examples.
_FILES = ("README.md", "*.csv", "*.tf", "*.tftpl")
_INTERFACES = "interfaces.json"


@cache
def _read_index() -> dict[str, Any]:
    with tarfile.open(ARCHIVE) as archive:
        member = archive.extractfile(_INTERFACES)
        index: dict[str, Any] = json.load(member) if member else {}
        return index


def read_name() -> str:
    """Return the tag or the commit of the last release."""
    name: str = _read_index()["release"]
    return name


def read_interfaces() -> dict[str, Interface]:
    """Return the interfaces of the last release by module."""
    interfaces: dict[str, Interface] = _read_index()["interfaces"]
    return interfaces


def extract_release(folder: Path) -> None:
    """Write the files of the last release to `folder`, at their paths in the repository."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")


def write_release(name: str, bodies: Mapping[str, Any]) -> None:
    """Write the archive of the current modules, whose JSON is `bodies`, under the name of a release."""
    index = {"release": name, "interfaces": {module: describe_interface(body) for module, body in bodies.items()}}
    files = {
        str(file.relative_to(ROOT)): file.read_bytes()
        for module in bodies
        for pattern in _FILES
        for file in (ROOT / "modules" / module).glob(pattern)
    }
    with tarfile.open(ARCHIVE, "w:xz") as archive:
        for path, content in sorted({_INTERFACES: json.dumps(index).encode(), **files}.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    _read_index.cache_clear()
