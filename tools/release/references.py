"""References to this project in pages and CI files: their addresses and their version come from one place each.

The version is `__version__` of the package. The address is `Repository` of `[project.urls]` in pyproject.toml; the
mirrors are its siblings.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.base.git import list_files

PROJECT = "sustainable-mlops"
TERRAFORM_MIRROR = f"terraform-aws-{PROJECT}"
ACTION_MIRROR = f"{PROJECT}-action"
HOOK_MIRROR = f"{PROJECT}-pre-commit"

_NAMES = rf"(?:terraform-aws-)?{PROJECT}(?:-action|-pre-commit)?"
_VERSION = r"(?P<version>v\d+\.\d+\.\d+)(?![\w.]*\d)"
#: Address and version of a reference, in the forms of git, pip, Terraform, GitHub and pre-commit.
_REFERENCE = re.compile(
    rf"(?P<address>https://[\w.:/-]+?)/{_NAMES}\.git(?://[\w/-]+)?(?:(?:\?ref=|@){_VERSION})?"
    rf"|(?P<owner>[\w.-]+)/{_NAMES}@{_VERSION.replace('version', 'action_version')}"
    rf"|\brev: {_VERSION.replace('version', 'hook_version')}"
)
_SUFFIXES = (".md", ".yml", ".yaml")
#: Files with other projects' references, or with references as examples of a test.
_EXCLUDED = ("tests/", ".pre-commit-config.yaml")


@dataclass(frozen=True)
class ReferencePart:
    """One part of a reference: its file and line, the part itself, and its value now and as it should be."""

    file: str
    line: int
    start: int
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.value} instead of {self.expected}"


def read_address(root: Path) -> str:
    """Return the address of this repository, without `.git`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address: str = project["urls"]["Repository"]
    return address.removesuffix(".git").rstrip("/")


def find_owner(address: str) -> str:
    """Return the owner in the address of a repository, or the placeholder OWNER if the address has none."""
    owner = address.removeprefix("https://").split("/")[1:-1]
    return owner[-1] if owner else "OWNER"


def list_parts(root: Path, version: str) -> list[ReferencePart]:
    """Return each address and version of the references in the pages and CI files of a repository."""
    names = [one for one in list_files(root) if one.endswith(_SUFFIXES) and not one.startswith(_EXCLUDED)]
    address = read_address(root)
    return [
        part
        for name in names
        if (root / name).is_file()
        for part in _list_parts_of_file(name, (root / name).read_text(encoding="utf-8"), address, f"v{version}")
    ]


def _list_parts_of_file(name: str, text: str, address: str, tag: str) -> Iterator[ReferencePart]:
    expected = {"address": address.rpartition("/")[0], "owner": find_owner(address)}
    for match in _REFERENCE.finditer(text):
        for group, value in match.groupdict().items():
            if value is not None:
                line = text.count("\n", 0, match.start(group)) + 1
                yield ReferencePart(name, line, match.start(group), value, expected.get(group, tag))


def update_references(root: Path, version: str) -> list[str]:
    """Write the address and the version into each reference that differs, and return the changed files."""
    stale = [part for part in list_parts(root, version) if part.value != part.expected]
    # From the end of each file, so that the positions before stay valid.
    for part in sorted(stale, key=lambda one: (one.file, -one.start)):
        text = (root / part.file).read_text(encoding="utf-8")
        text = text[: part.start] + part.expected + text[part.start + len(part.value) :]
        (root / part.file).write_text(text, encoding="utf-8")
    return sorted({part.file for part in stale})
