"""A clone where tests run the commands for new modules, workloads and environments."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cloned_repository import clone, set_up


@dataclass
class Clone:
    """A clone with its environment."""

    folder: Path
    variables: dict[str, str]
    #: All clones have the same packages, so they share mypy's cache.
    mypy_cache: Path

    def run(self, *command: str | Path, **variables: str) -> str:
        """Run a command, check its success and return its stdout."""
        result = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def run_shell(self, commands: list[str], **variables: str) -> str:
        """Run commands in one shell, check their success and return their stdout."""
        return self.run("bash", "-euo", "pipefail", "-c", "\n".join(commands), **variables)

    def run_python(self, *arguments: str | Path) -> str:
        return self.run(self.folder / ".venv" / "bin" / "python", *arguments)

    def list_new_files(self, *changed: str) -> list[str]:
        """Return the new files that git does not ignore. Fail if a tracked file other than `changed` has changed."""
        assert self.run("git", "diff", "--name-only").split() == list(changed)
        return self.run("git", "ls-files", "--others", "--exclude-standard").split()

    def check_style(self, *folders: str) -> None:
        """Run the checks of `make lint` on these folders."""
        tools = self.folder / ".venv" / "bin"
        self.run(tools / "ruff", "check", "-q", *folders)
        self.run(tools / "ruff", "format", "-q", "--check", *folders)
        self.run(tools / "mypy", "--cache-dir", self.mypy_cache, *folders)


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mypy's cache of this test process."""
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture
def scratch(tmp_path: Path, aws_cli: Path, mypy_cache: Path) -> Clone:
    """Create a clone of this checkout with its environment and the AWS CLI."""
    folder = clone(tmp_path / "clone")
    (folder / ".git" / "info" / "exclude").write_text("/.venv\n")  # a symlink here, which `.venv/` does not match
    variables = set_up(folder)
    return Clone(folder, variables | {"PATH": f"{aws_cli}{os.pathsep}{variables['PATH']}"}, mypy_cache)


def list_commands(printed: str) -> list[str]:
    """Return the commands in a printed text: its indented lines."""
    return [line.strip() for line in printed.splitlines() if line.startswith("  ")]
