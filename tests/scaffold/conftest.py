"""A clone to put something new into, by the commands that a person types."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clone import clone, set_up


@dataclass
class Clone:
    """A clone that is set up."""

    folder: Path
    variables: dict[str, str]
    #: What mypy found out of packages, which are the same for every clone.
    checked: Path

    def run(self, *command: str | Path, **variables: str) -> str:
        """The stdout of a command that succeeds."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, commands: list[str], **variables: str) -> str:
        """The stdout of commands pasted into a shell, each of which succeeds."""
        return self.run("bash", "-euo", "pipefail", "-c", "\n".join(commands), **variables)

    def python(self, *arguments: str | Path) -> str:
        return self.run(self.folder / ".venv" / "bin" / "python", *arguments)

    def new_files(self) -> list[str]:
        """Files that git does not know yet, and that it does not ignore; none that it knows has changed."""
        assert self.run("git", "status", "--porcelain", "--untracked-files=no") == ""
        return self.run("git", "ls-files", "--others", "--exclude-standard").split()

    def lint(self, *folders: str) -> None:
        """What `make lint` asks, of these folders."""
        tools = self.folder / ".venv" / "bin"
        self.run(tools / "ruff", "check", "-q", *folders)
        self.run(tools / "ruff", "format", "-q", "--check", *folders)
        self.run(tools / "mypy", "--cache-dir", self.checked, *folders)


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mypy's cache, of this test process alone."""
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture
def scratch(tmp_path: Path, aws_cli: Path, checked: Path) -> Clone:
    """A clone of this checkout, set up, with the AWS CLI."""
    folder = clone(tmp_path / "clone")
    (folder / ".git" / "info" / "exclude").write_text("/.venv\n")  # a link here, which `.venv/` does not match
    variables = set_up(folder)
    return Clone(folder, variables | {"PATH": f"{aws_cli}{os.pathsep}{variables['PATH']}"}, checked)


def commands(printed: str) -> list[str]:
    """The commands in what was printed: its indented lines."""
    return [line.strip() for line in printed.splitlines() if line.startswith("  ")]
