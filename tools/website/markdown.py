"""Markdown of GitHub in the form that Python-Markdown reads."""

import re
from collections.abc import Callable, Iterator

LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=(?: \"[^\"]*\")?\))")
_FENCE = re.compile(r"( *)(`{3,}|~{3,})(\S*) *(.*)")
_ITEM = re.compile(r"( *)([-*+]|\d+[.)])( +)(?=\S)")
#: Titles of the blocks whose commands need something, by the word after the language (tests/docs/blocks.py).
_TITLES = {"account": "needs an AWS account", "demo": "after make demo KEEP=1"}


def convert(text: str, change_link: Callable[[str], str]) -> str:
    """Return the text for Python-Markdown, with changed links.

    Python-Markdown indents the content of lists by four columns, needs an empty line before a list, and reads no word
    after the language of a block.
    """
    return "\n".join(_convert_lines(text.splitlines(), change_link)) + "\n"


def _convert_lines(lines: list[str], change_link: Callable[[str], str]) -> Iterator[str]:
    columns: list[int] = []  # of the content of each open list
    fence = ""
    previous = ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if fence:
            shift = min(indent, columns[-1] if columns else 0)
            yield f"{_indent(columns)}{line[shift:]}" if line.strip() else ""
            fence = "" if line.strip() == fence else fence
            previous = line
            continue
        if not line.strip():
            yield ""
            previous = ""
            continue
        while columns and indent < columns[-1] and (not previous or _ITEM.match(line)):
            columns.pop()
        if match := _FENCE.match(line):
            fence = match[2]
            yield f"{_indent(columns)}{fence}{_format_info(match[3], match[4])}"
        elif match := _ITEM.match(line):
            if previous and not columns:
                yield ""
            head = f"{_indent(columns)}{match[2]}"
            columns.append(match.end())
            yield f"{head:<{4 * len(columns)}}{LINK.sub(lambda link: change_link(link[0]), line[match.end() :])}"
        else:
            line = line.lstrip() if columns else line.replace("<details>", '<details markdown="1">')
            yield _indent(columns) + LINK.sub(lambda link: change_link(link[0]), line)
        previous = line


def _indent(columns: list[int]) -> str:
    return " " * 4 * len(columns)


def _format_info(language: str, word: str) -> str:
    return f'{language} title="{_TITLES[word]}"' if word in _TITLES else language
