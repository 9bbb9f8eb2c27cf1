"""A scratch clone of this checkout: what a stranger has, with what is not committed yet in it too."""

import os
import shutil
import subprocess
from pathlib import Path

from sustainable_mlops.terraform import ROOT, find_engine

#: What set-up makes and every clone may share. The state of a sandbox and of the demo is each clone's own.
SHARED = (".venv", ".local/checkov", ".local/plugin-cache", ".local/provider")


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody with a name and nothing configured; its stdout."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": f"{what}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def clone(folder: Path) -> Path:
    """A git repository of one commit in `folder`, which is new: every file here that git does not ignore."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def set_up(clone: Path) -> dict[str, str]:
    """Do to a clone what `make setup` would, by links to what this checkout has; the variables to run it with.

    The packages in `.venv` import this checkout, so the clone has to come before it.
    """
    for name in SHARED:
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).symlink_to((ROOT / name).resolve())
    return {**os.environ, "PYTHONPATH": str(clone)}


class Reader:
    """Somebody with a clone after `make setup`, who pastes."""

    def __init__(self, folder: Path, *paths: Path) -> None:
        self.folder = clone(folder)
        self.environment = set_up(self.folder)
        engine = Path(find_engine().path).parent
        self.environment["PATH"] = os.pathsep.join([*map(str, paths), str(engine), self.environment["PATH"]])

    def paste(self, *commands: str) -> str:
        """Run each; all that they print. A command that fails fails the test."""
        said = ""
        for command in commands:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said += done.stdout + done.stderr
        return said
