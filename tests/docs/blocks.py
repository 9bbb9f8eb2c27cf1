"""Fenced blocks of every Markdown file, and their commands.

The word after the language names the environment of the commands; tests check it.

- nothing: a clone after `make setup` and `source .venv/bin/activate`
- `sandbox`: the same, with the AWS CLI; the block starts the sandbox
- `demo`: after `make demo KEEP=1`
- `page`: on the sandbox, with the AWS CLI; the blocks of the page run in order
- `journey`: tests/docs/test_journeys.py runs the blocks of the page in order, in one shell
- `account`: on AWS. No test runs it, but each program, file and option must exist.
- `manual`: starts tests, writes files of tests, or takes hours. The commands are checked like those of `account`.
- the file of a test: that test does the same, and contains the sub-commands and options. The commands are also checked
  like those of `account`.

In a page with journeys, a block of another language can name a file, such as `main.tf`. The journey writes this file.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.base.terraform import ROOT
from tests.cloned_repository import git

SHELLS = ("console", "sh", "bash", "shell")
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)


@dataclass(frozen=True)
class FencedBlock:
    """Fenced block: its file in the repository, its line, its language, its environment, and its text."""

    file: str
    line: int
    language: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Commands in order, without the prompt."""
        lines = re.sub(r"\\\n\s*", " ", self.text).splitlines()
        if self.language != "console":
            return [line for line in lines if line.strip()]
        return [line.strip().removeprefix("$ ") for line in lines if line.strip().startswith("$ ")]


def blocks() -> list[FencedBlock]:
    """Return every block, by file and line."""
    files = sorted(git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "*.md").splitlines())
    return [block for file in files for block in parse_blocks(file, Path(ROOT, file).read_text(encoding="utf-8"))]


def parse_blocks(file: str, text: str) -> list[FencedBlock]:
    """Return the blocks of a page by line."""
    found_blocks = []
    for match in _BLOCK.finditer(text):
        language, _, where = match["info"].partition(" ")
        line = text[: match.start()].count("\n") + 1
        found_blocks.append(FencedBlock(file, line, language, where, match["text"]))
    return found_blocks


def shell_blocks(*where: str) -> list[FencedBlock]:
    """Return the blocks of commands for one of these environments."""
    return [block for block in blocks() if block.language in SHELLS and block.where in where]
