"""What a Selector picks from an answer: the operators of JSONPath that the user guide lists, in "Using JSONPath in
runbooks": a child, a deep scan and an array index."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_PART = re.compile(r"(?P<dots>\.\.?)(?P<child>[A-Za-z0-9_-]+)|\[(?P<index>\d+)\]|\['(?P<quoted>[^']+)'\]")


class Part(NamedTuple):
    """One step into a value."""

    key: str | int
    deep: bool = False


def parse(selector: str) -> list[Part]:
    """The parts of a selector. Raises ValueError for what is none, or has another operator."""
    if not selector.startswith("$"):
        raise ValueError(f"the selector {selector} does not start with $")
    parts, position = [], 1
    while position < len(selector):
        found = _PART.match(selector, position)
        if found is None:
            raise ValueError(f"the selector {selector} is not made of .child, ..child and [index]")
        index = found["index"]
        key = int(index) if index is not None else found["child"] or found["quoted"]
        parts.append(Part(key, found["dots"] == ".."))
        position = found.end()
    return parts


def select(selector: str, value: Any) -> Any:
    """What is there; of a deep scan always a list. Raises LookupError where nothing is."""
    found, several = [value], False
    for part in parse(selector):
        several |= part.deep
        found = [inner for one in found for inner in (_scanned(one, part.key) if part.deep else _child(one, part.key))]
    if several:
        return found
    if not found:
        raise LookupError(selector)
    return found[0]


def _child(value: Any, key: str | int) -> Iterator[Any]:
    if isinstance(value, list) and isinstance(key, int):
        yield from value[key : key + 1]
    elif isinstance(value, Mapping) and key in value:
        yield value[str(key)]
    elif isinstance(value, list):  # what a deep scan has found may be lists of what has the child
        for one in value:
            yield from _child(one, key)


def _scanned(value: Any, key: str | int) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if key in value:
            yield value[str(key)]
        for inner in value.values():
            yield from _scanned(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _scanned(inner, key)
