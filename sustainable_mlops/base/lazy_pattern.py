"""Regular expressions that compile at their first use. A review imports many, and most plans need few."""

import re
from collections.abc import Callable, Iterator
from typing import Any

_METHODS = ("fullmatch", "match", "search", "finditer", "findall", "split", "sub")


class LazyPattern:
    """A regular expression that compiles at its first use. It has the methods of a compiled expression."""

    fullmatch: Callable[[str], re.Match[str] | None]
    match: Callable[[str], re.Match[str] | None]
    search: Callable[[str], re.Match[str] | None]
    finditer: Callable[[str], Iterator[re.Match[str]]]
    findall: Callable[[str], list[Any]]
    split: Callable[[str], list[str]]
    sub: Callable[[str | Callable[[re.Match[str]], str], str], str]

    def __init__(self, pattern: str, flags: int = 0) -> None:
        """Store the pattern. An invalid pattern raises an error at its first use."""
        self.pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """Compile the pattern; every later call of a method reaches the compiled pattern directly."""
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self._flags)
        vars(self).update((method, getattr(compiled, method)) for method in _METHODS)
        return getattr(compiled, name)
