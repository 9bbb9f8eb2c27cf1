"""JSON paths of `Get` and `Std:JsonGet`: `Outputs['train'].S3Output.S3Uri`, `metrics.mse[0]`."""

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"\.?(?P<member>[^.\[\]]+)|\[(?P<index>\d+)\]|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]")


def parse_path(path: str) -> list[str | int]:
    """Return the members and indexes of a path. Raises ValueError for an invalid path."""
    parts: list[str | int] = []
    position = 0
    while position < len(path):
        part = _PART.match(path, position)
        if part is None:
            raise ValueError(f"'{path}' is not a path")
        index = part["index"]
        parts.append(int(index) if index is not None else part["member"] or part["single"] or part["double"] or "")
        position = part.end()
    return parts


def walk(value: Any, steps: list[str | int]) -> Any:
    """Return the value at a path. Raises LookupError if there is none.

    The items of a list of named objects, such as channels or metrics, are also found by name.
    """
    for step in steps:
        value = _enter(value, step)
    return value


def _enter(value: Any, step: str | int) -> Any:
    if isinstance(value, list):
        return value[step] if isinstance(step, int) else _find_by_name(value, step)
    if isinstance(value, Mapping):
        return value[str(step)]
    raise LookupError(step)


def _find_by_name(items: list[Any], name: str) -> Any:
    for item in items:
        if isinstance(item, Mapping) and any(item[key] == name for key in item if key.endswith("Name")):
            return item
    raise LookupError(name)
