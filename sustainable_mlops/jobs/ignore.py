"""What of a source folder is never sent, and what only where it is asked for."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".smlopsignore"

_SECRETS = ("*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_ed25519*", "*credentials*", "*.tfstate*", "*.tfvars")
_CACHES = {"__pycache__", "node_modules"}

_NOT_CODE = Path(__file__).with_suffix(".gitignore")
#: What lines of every job file start with, and no other file is likely to have.
_OF_A_JOB = (b"platform:", b"compute:", b"limits:")


def is_private(name: PurePath) -> bool:
    """Whether it is never sent: a hidden file, a cache, or likely a secret."""
    hidden_or_cache = any(part.startswith(".") or part in _CACHES for part in name.parts)
    return hidden_or_cache or any(PurePath(name.name.lower()).match(pattern) for pattern in _SECRETS)


@dataclass(frozen=True)
class Rule:
    """What stays behind unless it is asked for. The folder's own `.smlopsignore` has the last word."""

    folders: "GitIgnoreSpec"
    files: "GitIgnoreSpec"
    own: "GitIgnoreSpec"

    def leaves_out(self, name: str, path: Path, pattern: str) -> bool:
        """Whether the file stays, though `pattern` of `source.include` matches it.

        A pattern asks for a file by its whole name, for all files with the ending that it has itself (`*.csv`), and for
        what is in a folder where it begins with that folder's name.
        """
        if name == pattern:
            return False
        ignored = self.own.check_file(name).include
        if ignored is not None:
            return ignored
        if self.folders.match_file(name) and PurePath(pattern).parts[0] != PurePath(name).parts[0]:
            return True
        if path.suffix and PurePath(pattern).suffix.lower() == path.suffix.lower():
            return False
        return self.files.match_file(name.lower()) or _is_job_file(path)


def rule(root: Path) -> Rule:
    """The rule for the source folder `root`. Raises UserError where its .smlopsignore cannot be read."""
    from pathspec import GitIgnoreSpec

    def lines(file: Path) -> list[str]:
        return file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []

    file, not_code = root / IGNORE_FILE, lines(_NOT_CODE)
    try:
        return Rule(
            GitIgnoreSpec.from_lines(line for line in not_code if line.endswith("/")),
            GitIgnoreSpec.from_lines(line for line in not_code if not line.endswith("/")),
            GitIgnoreSpec.from_lines(lines(file)),
        )
    except (OSError, ValueError) as error:
        raise UserError(f"source: {file}: {error}; write it as a .gitignore") from None


def spoken_of(left_out: set[str], sent: dict[str, Path]) -> dict[str, str]:
    """Those that could be asked for and whose name ends a text in Python code that is sent; each with one such file."""
    code = {name: path.read_bytes() for name, path in sent.items() if name.endswith(".py")} if left_out else {}
    found: dict[str, str] = {}
    for name in sorted(one for one in left_out if not is_private(PurePath(one))):
        text = re.compile(rb"[\"'/]" + re.escape(PurePath(name).name).encode() + rb"[\"']")
        speaking = next((file for file, content in code.items() if text.search(content)), None)
        if speaking:
            found[name] = speaking
    return found


def _is_job_file(path: Path) -> bool:
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return False
    try:
        lines = path.read_bytes().splitlines()
    except OSError:  # who packs it says so
        return False
    return all(any(line.startswith(start) for line in lines) for start in _OF_A_JOB)
