"""Conditions of a release: one line for each that does not hold."""

import datetime
import re
from pathlib import Path

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.git import run_git
from tools.release.references import list_parts, update_references

VERSION_FILE = "sustainable_mlops/__init__.py"
CHANGELOG = "CHANGELOG.md"
_VERSION = re.compile(r'^__version__ = "(?P<version>[^"]+)"$', re.M)
_UNRELEASED = "unreleased"


def check_version(version: str) -> None:
    """Raise UserError unless a version has the form 1.2.3."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise UserError(f"{version}: must be a version of the form 1.2.3, without v and suffixes")


def read_version(root: Path) -> str:
    """Return the version of a tree."""
    match = _VERSION.search((root / VERSION_FILE).read_text(encoding="utf-8"))
    if match is None:
        raise UserError(f"{VERSION_FILE}: has no __version__")
    return match["version"]


def check_release(root: Path, version: str) -> list[str]:
    """Raise UserError unless the committed tree can be released as a version; return reminders for the release."""
    check_version(version)
    prepare = f"python -m tools.release {version} --prepare"
    if (current := read_version(root)) != version:
        raise UserError(f"{version}: {VERSION_FILE} has version {current}; write the new one, and commit it", prepare)
    heading, _ = read_changes(root, version)
    if stale := [part for part in list_parts(root, version) if part.value != part.expected]:
        more = f" (and {len(stale) - 1} more)" if len(stale) > 1 else ""
        raise UserError(f"{stale[0]}{more}; write all references, and commit them", prepare)
    if changed := run_git(root, "status", "--porcelain").splitlines():
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise UserError(f"the work tree has changes: {changed[0].split(maxsplit=1)[1]}{more}; commit or remove them")
    tagged = run_git(root, "for-each-ref", "--format=%(*objectname)%(objectname)", f"refs/tags/v{version}")[:40]
    if tagged and tagged != (head := run_git(root, "rev-parse", "HEAD")):
        raise UserError(f"tag v{version} is commit {tagged[:10]}, not {head[:10]}; check it out, or raise the version")
    reminder = f"{CHANGELOG}: section {version} is {_UNRELEASED}; before the tag, run `{prepare}` and commit"
    return [reminder] if _UNRELEASED in heading else []


def check_tag(root: Path, version: str) -> None:
    """Raise UserError unless the tag of a version may be published: it is this commit, on main, with dated changes."""
    tag, main = f"v{version}", "refs/remotes/origin/main"
    head = run_git(root, "rev-parse", "HEAD")
    if not run_git(root, "for-each-ref", f"refs/tags/{tag}"):
        raise UserError(f"tag {tag} does not exist; --tagged is for a build of the tag")
    heading, _ = read_changes(root, version)
    if _UNRELEASED in heading:
        raise UserError(
            f"{CHANGELOG}: section {version} is {_UNRELEASED}; delete the tag, prepare the release, and tag again",
            f"python -m tools.release {version} --prepare",
        )
    if not run_git(root, "for-each-ref", main):
        raise UserError("origin/main is unknown; fetch the whole history (fetch-depth: 0)")
    if head not in run_git(root, "rev-list", main).splitlines():
        raise UserError(f"tag {tag} is commit {head[:10]}, which is not on main; delete the tag, and merge first")


def read_changes(root: Path, version: str) -> tuple[str, str]:
    """Return the heading and the text of a version's section in the changelog."""
    text = (root / CHANGELOG).read_text(encoding="utf-8")
    match = re.search(rf"^(## {re.escape(version)}\b.*)\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if match is None:
        raise UserError(f"{CHANGELOG}: has no section `## {version}`; add one with the changes")
    return match[1], match[2].strip()


def prepare_release(root: Path, version: str) -> list[str]:
    """Write a version, its references and its date into the tree, and return the changed files."""
    check_version(version)
    heading, _ = read_changes(root, version)
    current = read_version(root)
    new_heading = f"## {version} ({datetime.datetime.now(tz=datetime.UTC).date()})"
    edits = {
        VERSION_FILE: (f'__version__ = "{current}"', f'__version__ = "{version}"'),
        CHANGELOG: (heading, new_heading if _UNRELEASED in heading else heading),
    }
    changed = []
    for name, (before, after) in edits.items():
        if before != after:
            text = (root / name).read_text(encoding="utf-8")
            (root / name).write_text(text.replace(before, after, 1), encoding="utf-8")
            changed.append(name)
    return sorted({*changed, *update_references(root, version)})
