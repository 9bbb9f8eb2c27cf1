"""Regular expressions that compile at their first use. A review imports many, and most plans need few."""

import re
from functools import cached_property


class LazyPattern:
    """A regular expression that compiles at its first use."""

    def __init__(self, text: str, flags: int = 0) -> None:
        """Take the pattern. An invalid pattern raises at its first use."""
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
