"""Text with styles in rows that wrap at a width. It takes the place of a terminal library, whose import is slow."""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern

_WORD = LazyPattern(r"\s*\S+\s*")
_MIN_WIDTH = 20


class StyledText(NamedTuple):
    """A text with its style: codes of the ANSI sequence "select graphic rendition", such as `1;31` for bold red."""

    text: str
    style: str = ""


class Row(NamedTuple):
    """Lines, each of several texts, with a label at the left of the first; all lines start in the same column."""

    label: StyledText
    lines: Iterable[Iterable[StyledText]]


def format_rows(rows: Iterable[Row], width: int, *, has_styles: bool) -> str:
    """Return the rows as text of at most `width` columns, if the labels leave space for the lines."""
    return "".join(f"{line}\n" for row in rows for line in _format_row(row, width, has_styles))


def supports_styles() -> bool:
    """Return whether a terminal shows styles: NO_COLOR turns them off (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def _format_row(row: Row, width: int, has_styles: bool) -> Iterator[str]:
    indent = _measure(row.label.text)
    prefix = _format_text(row.label, has_styles)
    for line in row.lines:
        for part in _wrap(list(line), max(width - indent, _MIN_WIDTH)):
            yield prefix + "".join(_format_text(text, has_styles) for text in part)
            prefix = " " * indent


def _format_text(text: StyledText, has_styles: bool) -> str:
    return f"\033[{text.style}m{text.text}\033[0m" if has_styles and text.style and text.text else text.text


def _wrap(line: list[StyledText], width: int) -> Iterator[list[StyledText]]:
    """Yield the line in parts of at most `width` columns."""
    whole = "".join(text.text for text in line)
    breaks = [0, *_find_breaks(whole, width), len(whole)] if _measure(whole) > width else [0, len(whole)]
    for start, end in pairwise(breaks):
        is_last = end == len(whole) and _measure(whole[start:]) <= width
        yield list(_cut(line, start, end if is_last else len(whole[:end].rstrip())))


def _cut(line: list[StyledText], start: int, end: int) -> Iterator[StyledText]:
    """Yield the texts between two positions of the line."""
    position = 0
    for text, style in line:
        if part := text[max(start - position, 0) : max(end - position, 0)]:
            yield StyledText(part, style)
        position += len(text)


def _find_breaks(text: str, width: int) -> Iterator[int]:
    """Yield the position of each new line. A word that is longer than a line starts one, and is cut."""
    column = 0
    for match in _WORD.finditer(text):
        word, position = match[0], match.start()
        size = _measure(word.rstrip())
        if column + size > width and position:
            yield position
            column = 0
        if size > width:
            for offset, character in enumerate(word):
                columns = _measure(character)
                if column + columns > width:
                    yield position + offset
                    column = 0
                column += columns
        else:
            column += _measure(word)


def _measure(text: str) -> int:
    """Return the number of columns that a terminal needs for the text."""
    return len(text) if text.isascii() else sum(map(_measure_character, text))


def _measure_character(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
