"""The previous packages of an environment, from the git history of its packages file.

Git is the only source of truth: each pin was a reviewed commit. A separate record could differ from it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from clone import synth
from clone.deploy.entry import read_packages
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.git import GitError, run_git


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
    try:
        commits = run_git(file.parent, "log", "--format=%H", "--", file.name).split()
    except GitError as error:
        raise UserError(f"{file.parent}: git cannot read the history: {error.reason}; pass --package ARN") from None
    for commit in commits:
        try:
            document = json.loads(run_git(file.parent, "show", f"{commit}:./{file.name}"))
            package = document["model_packages"][model]
        except (GitError, ValueError, KeyError, TypeError):
            continue  # the commit deleted the file, or has no package of the model
        if isinstance(package, str):
            yield package
