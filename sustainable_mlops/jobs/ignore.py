"""Files of a source folder that are never sent, or sent only on request."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".smlopsignore"

_KEY_FILES = (
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore", "*.kdbx"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*credentials*", "*.env", "*.tfstate*", "*.tfvars*"),
)
_WORDS = r"(?:secrets?|passwords?|passwd|passphrase|kubeconfig|service[-_]?accounts?)"
_KEYWORD = r"(?:access|api|auth|bearer|github|gitlab|hf|refresh)[-_]?token"
#: Names of likely secrets, unless the file is Python code. `tokenizer.json` and `cls_token.txt` do not match.
_SECRET_NAME = re.compile(rf"{_WORDS}(?![a-z])|(?:^token|{_KEYWORD})(?=\.|$)")
#: Names of data files that are likely secrets: `passwords.csv`, `passwords_2024.csv`; not `password_strength.csv`.
_SECRET_DATA_NAME = re.compile(rf"(?:{_WORDS}|{_KEYWORD})(?:[-_. ]*(?:v?\d+|backup|bak|copy|old))*\.|^token\.")
_DATA = {".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".avro", ".orc", ".npy", ".npz"}
_SECRET_FOLDERS = {"secret", "secrets", "credentials"}
_CODE = {".py", ".pyi", ".pyx"}
_CACHES = {"__pycache__", "node_modules"}

#: Patterns of files that are usually not code.
_NOT_CODE_FILE = Path(__file__).with_suffix(".gitignore")
#: Starts of lines that every job file has, and hardly any other file.
_JOB_FILE_STARTS = (b"platform:", b"compute:", b"limits:")


def is_private(name: PurePath) -> bool:
    """Return True for a file that is never sent: a hidden file, a cache, or a likely secret."""
    return _is_hidden_or_cache(name) or _looks_secret(name)


def list_likely_secrets(ignored: set[str]) -> list[str]:
    """Return the ignored files with names of secrets, without hidden files and caches."""
    return sorted(name for name in ignored if not _is_hidden_or_cache(PurePath(name)) and _looks_secret(PurePath(name)))


def _is_hidden_or_cache(name: PurePath) -> bool:
    return any(part.startswith(".") or part in _CACHES for part in name.parts)


def _looks_secret(name: PurePath) -> bool:
    *folders, file = name.as_posix().lower().split("/")
    if any(PurePath(file).match(pattern) for pattern in _KEY_FILES):
        return True
    pattern = _SECRET_NAME if _DATA.isdisjoint(PurePath(file).suffixes) else _SECRET_DATA_NAME
    has_secret_name = pattern.search(file) is not None or not _SECRET_FOLDERS.isdisjoint(folders)
    return has_secret_name and PurePath(file).suffix not in _CODE


@dataclass(frozen=True)
class IgnoreRules:
    """Rules for files that are sent only on request. The folder's own `.smlopsignore` has priority."""

    folders: "GitIgnoreSpec"
    files: "GitIgnoreSpec"
    own_rules: "GitIgnoreSpec"

    def is_ignored(self, name: str, path: Path, pattern: str) -> bool:
        """Return whether the file is not sent, although `pattern` of `source.include` matches it.

        A pattern requests a file by its whole name, all files with the pattern's own ending (`*.csv`), and the files of
        a folder if the pattern starts with the folder's name.
        """
        if name == pattern:
            return False
        ignored = self.own_rules.check_file(name).include
        if ignored is not None:
            return ignored
        if self.folders.match_file(name) and PurePath(pattern).parts[0] != PurePath(name).parts[0]:
            return True
        if path.suffix and PurePath(pattern).suffix.lower() == path.suffix.lower():
            return False
        return self.files.match_file(name.lower()) or _is_job_file(path)


def load_rules(root: Path) -> IgnoreRules:
    """Load the rules for the source folder `root`. Raises UserError if its .smlopsignore cannot be read."""
    from pathspec import GitIgnoreSpec

    def read_lines(file: Path) -> list[str]:
        return file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []

    file, patterns = root / IGNORE_FILE, read_lines(_NOT_CODE_FILE)
    try:
        return IgnoreRules(
            GitIgnoreSpec.from_lines(line for line in patterns if line.endswith("/")),
            GitIgnoreSpec.from_lines(line for line in patterns if not line.endswith("/")),
            GitIgnoreSpec.from_lines(read_lines(file)),
        )
    except (OSError, ValueError) as error:
        raise UserError(f"source: {file}: {error}; use the syntax of .gitignore") from None


def find_mentions(ignored: set[str], files: dict[str, Path]) -> dict[str, str]:
    """Return the ignored files that sent Python code mentions, each with one such code file.

    A mention is a string that ends with the file's name. Private files do not count.
    """
    code = {name: path.read_bytes() for name, path in files.items() if name.endswith(".py")} if ignored else {}
    mentions: dict[str, str] = {}
    for name in sorted(ignored_name for ignored_name in ignored if not is_private(PurePath(ignored_name))):
        text = re.compile(rb"[\"'/]" + re.escape(PurePath(name).name).encode() + rb"[\"']")
        code_file = next((file for file, content in code.items() if text.search(content)), None)
        if code_file:
            mentions[name] = code_file
    return mentions


def _is_job_file(path: Path) -> bool:
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return False
    try:
        read_lines = path.read_bytes().splitlines()
    except OSError:  # the packing reports it
        return False
    return all(any(line.startswith(start) for line in read_lines) for start in _JOB_FILE_STARTS)
