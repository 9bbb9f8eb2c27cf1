"""Scope of a change: the addresses that a pull request with promotions and rollbacks may change."""

import json
import re
from collections.abc import Iterator
from typing import Any

from clone import synth
from clone.promotion import run
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.git import GitError, run_git
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.review.scope import NOTHING

_PACKAGES_FILE = re.compile(rf"envs/(?P<environment>[^/]+)/{re.escape(synth.PACKAGES)}")


def find_scope(base: str) -> list[str]:
    """Return the patterns of the addresses that the commits since `base` may change, for `smlops review --only`.

    Each pattern starts with its environment. The list is empty if the commits change other files than the packages
    files. It is `nothing` if no address may change. Raises UserError if git cannot compare.
    """
    start = _run_git("merge-base", base, "HEAD")
    files = _run_git("diff", "--name-only", "--no-renames", "-z", start, "HEAD").split("\0")[:-1]
    matches = [_PACKAGES_FILE.fullmatch(file) for file in files]
    if not all(matches):
        return []
    environments = [match["environment"] for match in matches if match]
    patterns = [f"{name}:{address}" for name in environments for address in _list_addresses(name, start)]
    return patterns or [NOTHING]


def _list_addresses(environment: str, base: str) -> Iterator[str]:
    """Yield the patterns of the models whose package differs from the package of `base`."""
    folder = run.list_environments().get(environment)
    if folder is None:
        raise UserError(f"envs/{environment}: there is no such environment; synthesize it, or remove the file")
    before, after = (_read_committed_packages(commit, environment) for commit in (base, "HEAD"))
    targets = run.read_targets(folder)
    for model in sorted(before.keys() | after.keys()):
        if before.get(model) != after.get(model) and model in targets:
            yield from targets[model].list_addresses(is_first=model not in before or model not in after)


def _read_committed_packages(commit: str, environment: str) -> dict[str, Any]:
    """Return the packages of an environment in a commit; none without the file. Raises UserError for other content."""
    path = f"envs/{environment}/{synth.PACKAGES}"
    if not _run_git("ls-tree", "--full-tree", "--name-only", commit, "--", path):
        return {}
    try:
        document = json.loads(_run_git("show", f"{commit}:{path}"))
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON in {commit}: {error}; correct it there") from None
    packages = document.get("model_packages", {}) if isinstance(document, dict) else None
    if not isinstance(packages, dict):
        raise UserError(f'{path}: must contain only packages in {commit}: {{"model_packages": {{"MODEL": "ARN"}}}}')
    if others := sorted(document.keys() - {"model_packages"}):
        raise UserError(f"{path}: {', '.join(others)}: must be in another file; this one has only model_packages")
    return packages


def _run_git(*arguments: str) -> str:
    try:
        return run_git(ROOT, *arguments)
    except GitError as error:
        raise UserError(
            f"--changed-since: git cannot compare: {error.reason}; fetch the whole history of both branches"
        ) from None
