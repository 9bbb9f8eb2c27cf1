"""Paths into JSON, as `Get` and `Std:JsonGet` have them: `Outputs['train'].S3Output.S3Uri`, `metrics.mse[0]`."""

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"\.?(?P<member>[^.\[\]]+)|\[(?P<index>\d+)\]|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]")


def parts(path: str) -> list[str | int]:
    """The members and indexes of a path, in order; raises ValueError where it is no path."""
    found: list[str | int] = []
    position = 0
    while position < len(path):
        part = _PART.match(path, position)
        if part is None:
            raise ValueError(f"'{path}' is no path")
        index = part["index"]
        found.append(int(index) if index is not None else part["member"] or part["single"] or part["double"] or "")
        position = part.end()
    return found


def walk(value: Any, steps: list[str | int]) -> Any:
    """What is there; raises LookupError where nothing is.

    A list of named things, such as channels or metrics, is also entered by name.
    """
    for step in steps:
        value = _enter(value, step)
    return value


def _enter(value: Any, step: str | int) -> Any:
    if isinstance(value, list):
        return value[step] if isinstance(step, int) else _named(value, step)
    if isinstance(value, Mapping):
        return value[str(step)]
    raise LookupError(step)


def _named(items: list[Any], name: str) -> Any:
    for item in items:
        if isinstance(item, Mapping) and any(item[key] == name for key in item if key.endswith("Name")):
            return item
    raise LookupError(name)
