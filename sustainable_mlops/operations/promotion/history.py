"""The previous packages of an environment, from the git history of its packages file.

Git is the only source of truth: each pin was a reviewed commit. A separate record could differ from it.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.deploy.entry import read_packages


def find_previous_package(folder: Path, model: str) -> str:
    """Return the previous package of a model. Raises UserError without one."""
    current = read_packages(folder).get("model_packages", {}).get(model)
    file = folder / synth.PACKAGES
    if current is None:
        raise UserError(f"{file}: pins no package of {model}, so there is nothing to roll back")
    for package in _list_committed_packages(file, model):
        if package != current:
            return package
    raise UserError(
        f"{file}: its git history has no other package of {model} than {current}; pass --package ARN, or fetch the "
        "whole history with git fetch --unshallow"
    )


def _list_committed_packages(file: Path, model: str) -> Iterator[str]:
    """Yield the package of each commit that changed the file, the newest first."""
    for commit in _run_git(file.parent, "log", "--format=%H", "--", file.name).split():
        try:
            document = json.loads(_run_git(file.parent, "show", f"{commit}:./{file.name}"))
            package = document["model_packages"][model]
        except (UserError, ValueError, KeyError, TypeError):
            continue  # the commit deleted the file, or has no package of the model
        if isinstance(package, str):
            yield package


def _run_git(folder: Path, *arguments: str) -> str:
    try:
        process = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        raise UserError("rollback: git is not on PATH; install it, or pass --package ARN") from None
    if process.returncode:
        reason = next(iter(process.stderr.splitlines()), "git failed").removeprefix("fatal: ")
        raise UserError(f"{folder}: git cannot read the history: {reason}; pass --package ARN")
    return process.stdout
