"""Scope of a change: the addresses that a pull request with promotions and rollbacks may change."""

import json
import re
import subprocess
from collections.abc import Iterator

from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.deploy.entry import read_packages
from sustainable_mlops.operations.promotion import run
from sustainable_mlops.terraform import ROOT

_PACKAGES_FILE = re.compile(rf"envs/(?P<environment>[^/]+)/{re.escape(synth.PACKAGES)}")


def find_scope(base: str) -> list[str]:
    """Return the patterns of the addresses that the commits since `base` may change.

    The list is empty if they change other files than the packages files. Raises UserError if git cannot compare.
    """
    files = _run_git("diff", "--name-only", "-z", f"{base}...HEAD").split("\0")[:-1]
    matches = [_PACKAGES_FILE.fullmatch(file) for file in files]
    if not all(matches):
        return []
    patterns = (one for match in matches if match for one in _list_addresses(match["environment"], base))
    return list(dict.fromkeys(patterns))


def _list_addresses(environment: str, base: str) -> Iterator[str]:
    """Yield the patterns of the models whose package differs from that of `base`."""
    folder = run.list_environments().get(environment)
    if folder is None:
        raise UserError(f"envs/{environment}: there is no such environment; synthesize it, or remove the file")
    before = _read_committed_packages(f"{base}:envs/{environment}/{synth.PACKAGES}")
    after = read_packages(folder).get("model_packages", {})
    targets = run.read_targets(folder)
    for model in sorted(before.keys() | after.keys()):
        if before.get(model) != after.get(model) and model in targets:
            yield from targets[model].list_addresses(is_first=model not in before or model not in after)


def _read_committed_packages(name: str) -> dict[str, str]:
    """Return the packages of a committed file; none if it did not exist."""
    try:
        packages: dict[str, str] = json.loads(_run_git("show", name))["model_packages"]
    except (UserError, ValueError, KeyError, TypeError):
        return {}
    return packages


def _run_git(*arguments: str) -> str:
    try:
        process = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        raise UserError("--changed-since: git is not on PATH") from None
    if process.returncode:
        reason = next(iter(process.stderr.splitlines()), "git failed").removeprefix("fatal: ")
        raise UserError(f"--changed-since: git cannot compare: {reason}; fetch the whole history of both branches")
    return process.stdout
