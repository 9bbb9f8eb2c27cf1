"""The fenced blocks of every Markdown file, and the commands in them.

After the language a block says where its commands run; tests hold it to that.

- nothing: in a clone after `make setup`, with no more than this machine has
- `sandbox`: the same, with the AWS CLI; the block starts the sandbox itself
- `demo`: after `make demo KEEP=1`
- `page`: on the sandbox, with the AWS CLI, one block of the page after the other
- `account`: on AWS. Nothing is run, but each program, file and option is there.
- a test's file: that test does what the commands do. They are looked at as those of `account`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.terraform import ROOT
from tests.clone import git

SHELLS = ("console", "sh", "bash", "shell")
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>\S[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One fenced block: its file in the repository, line, language, what else its info string says, and its text."""

    file: str
    line: int
    language: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """What a person pastes, one after the other, without the prompt."""
        lines = re.sub(r"\\\n\s*", " ", self.text).splitlines()
        if self.language != "console":
            return [line for line in lines if line.strip()]
        return [line.strip().removeprefix("$ ") for line in lines if line.strip().startswith("$ ")]


def blocks() -> list[Block]:
    """Every block whose info string names a language, by file and line."""
    found = []
    for file in sorted(git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "*.md").splitlines()):
        text = Path(ROOT, file).read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            language, _, where = match["info"].partition(" ")
            found.append(Block(file, text[: match.start()].count("\n") + 1, language, where, match["text"]))
    return found


def shell_blocks(*where: str) -> list[Block]:
    """The blocks of commands that run in one of these places."""
    return [block for block in blocks() if block.language in SHELLS and block.where in where]
