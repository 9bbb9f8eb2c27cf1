"""The error that people read, and hints for it."""

from collections.abc import Iterable
from pathlib import Path

#: Known words that a hint lists if no word is similar.
_MAX_KNOWN_WORDS = 20


class UserError(Exception):
    """Invalid input or a missing tool: one line with the location, the problem and the remedy. Commands exit with 2.

    `remedy` are shell commands that fix the problem, in order; a command prints them after the line.
    """

    def __init__(self, message: str, *remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the most similar known word, or else the known words."""
    known = sorted(known)
    known_words = f"; known: {', '.join(known[:_MAX_KNOWN_WORDS])}{', …' if len(known) > _MAX_KNOWN_WORDS else ''}"
    return suggest(word, known) or known_words


def describe_missing_file(path: Path) -> str:
    """Return the message about a missing file: the most similar file of its folder, or else a check of the path."""
    names = [] if not path.parent.is_dir() else [one.name for one in path.parent.iterdir()]
    return f"{path}: no such file{suggest(path.name, names) or '; check the path'}"


def suggest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message with the most similar known word; empty if none is similar."""
    from difflib import get_close_matches

    matches = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""
