"""Git as a program."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sustainable_mlops.base.errors import UserError


class GitError(UserError):
    """Error of a git command. `reason` is one line of git's message."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"git {command}: {reason}")
        self.reason = reason


def run_git(folder: Path, *arguments: str, stdin: str | None = None, variables: Mapping[str, str] | None = None) -> str:
    """Run git in a folder, and return its stdout without white space at both ends. Raises GitError."""
    try:
        process = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**os.environ, **(variables or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        raise GitError(arguments[0], "git is not on PATH; install it") from None
    if process.returncode:
        lines = (process.stderr.strip() or process.stdout.strip() or "failed").splitlines()
        reason = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
        raise GitError(arguments[0], reason.removeprefix("fatal: "))
    return process.stdout.strip()


def list_files(folder: Path) -> list[str]:
    """Return the files of a repository, with new ones that git does not ignore. Raises GitError."""
    names = run_git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [name for name in names.split("\0") if name]
