"""Selectors of values in a response: the JSONPath operators child, deep scan and array index.

Source: Systems Manager user guide, "Using JSONPath in runbooks".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_PART = re.compile(r"(?P<dots>\.\.?)(?P<child>[A-Za-z0-9_-]+)|\[(?P<index>\d+)\]|\['(?P<quoted>[^']+)'\]")


class SelectorPart(NamedTuple):
    """One operator of a selector."""

    key: str | int
    is_deep: bool = False


def parse_selector(selector: str) -> list[SelectorPart]:
    """Return the parts of a selector. Raises ValueError for an invalid one or another operator."""
    if not selector.startswith("$"):
        raise ValueError(f"the selector {selector} does not start with $")
    parts, position = [], 1
    while position < len(selector):
        match = _PART.match(selector, position)
        if match is None:
            raise ValueError(f"the selector {selector} is not made of .child, ..child and [index]")
        index = match["index"]
        key = int(index) if index is not None else match["child"] or match["quoted"]
        parts.append(SelectorPart(key, match["dots"] == ".."))
        position = match.end()
    return parts


def select(selector: str, value: Any) -> Any:
    """Return the value that a selector selects; a list for a deep scan. Raises LookupError if there is none."""
    selected, is_list = [value], False
    for part in parse_selector(selector):
        is_list |= part.is_deep
        selected = [
            inner
            for item in selected
            for inner in (_scan(item, part.key) if part.is_deep else _list_children(item, part.key))
        ]
    if is_list:
        return selected
    if not selected:
        raise LookupError(selector)
    return selected[0]


def _list_children(value: Any, key: str | int) -> Iterator[Any]:
    if isinstance(value, list) and isinstance(key, int):
        yield from value[key : key + 1]
    elif isinstance(value, Mapping) and key in value:
        yield value[str(key)]
    elif isinstance(value, list):  # a deep scan can select lists of objects
        for item in value:
            yield from _list_children(item, key)


def _scan(value: Any, key: str | int) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if key in value:
            yield value[str(key)]
        for inner in value.values():
            yield from _scan(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _scan(inner, key)
