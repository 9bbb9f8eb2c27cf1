"""Settings files of a review, in YAML or JSON, read with the place named where something is wrong."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.mapping_file import read_mapping


def entries(path: Path, key: str) -> list[tuple[dict[str, Any], str]]:
    """The mappings listed under `key`, the only key of the file at `path`, each with its place.

    Raises UserError naming the place of anything that cannot be used.
    """
    document = read_mapping(path)
    only(document, {key}, str(path))
    listed = document.get(key)
    if not isinstance(listed, list):
        raise UserError(f"{path}: {key}: must be a list")
    places = [f"{path}: {key}[{number}]" for number in range(len(listed))]
    for place, one in zip(places, listed, strict=True):
        if not isinstance(one, dict):
            raise UserError(f"{place}: must be a mapping of keys, not {type(one).__name__}")
    return list(zip(listed, places, strict=True))


def only(value: Mapping[str, Any], known: set[str], place: str) -> None:
    """Raises UserError on a key that is none of `known` or has no value: a misspelt limit would be no limit."""
    for key in value:
        if key not in known:
            raise UserError(f"{place}: unknown key {key}; known are {', '.join(sorted(known))}")
        if value[key] is None:
            raise UserError(f"{place}.{key}: has no value; give one or leave the key out")


def text(value: Mapping[str, Any], key: str, place: str, *, required: bool = False) -> str | None:
    """The text at `key`."""
    found = value.get(key)
    if (found is None and not required) or (isinstance(found, str) and found.strip()):
        return found
    raise UserError(f"{place}.{key}: must be text" + ("" if found is not None else ", and is missing"))


@lru_cache(maxsize=1024)
def pattern(address: str) -> re.Pattern[str]:
    """An address in which `*` stands for anything; nothing else is special, as addresses hold brackets and dots."""
    return re.compile(".*".join(map(re.escape, address.split("*"))), re.S)
