"""Regular expressions that are compiled when they are first used: a review imports many, and most plans need few."""

import re
from functools import cached_property


class LazyPattern:
    """A regular expression, not yet compiled."""

    def __init__(self, text: str, flags: int = 0) -> None:
        """Take the pattern's text; an invalid one raises only when it is used."""
        self._text, self._flags = text, flags

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self._text, self._flags)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of the whole text."""
        return self._pattern.fullmatch(text)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in the text."""
        return self._pattern.search(text)
