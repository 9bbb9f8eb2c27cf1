"""Settings files of a review, in YAML or JSON, read with the place named where something is wrong."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError


def read(path: Path) -> dict[str, Any]:
    """The mapping in a file. Raises UserError where it cannot be read or is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    import yaml

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    return mapping(found, str(path))


def mapping(value: Any, place: str) -> dict[str, Any]:
    """`value`, which must be a mapping."""
    if not isinstance(value, dict):
        raise UserError(f"{place}: must be a mapping of keys, not {type(value).__name__}")
    return value


def entries(document: Mapping[str, Any], key: str, path: Path) -> list[tuple[dict[str, Any], str]]:
    """The mappings listed under `key`, the only key of a file, each with its place."""
    only(document, {key}, str(path))
    listed = document.get(key)
    if not isinstance(listed, list):
        raise UserError(f"{path}: {key}: must be a list")
    return [(mapping(one, f"{path}: {key}[{number}]"), f"{path}: {key}[{number}]") for number, one in enumerate(listed)]


def only(value: Mapping[str, Any], known: set[str], place: str) -> None:
    """Raises UserError on a key that is none of `known`: a misspelt limit would be no limit."""
    for key in value:
        if key not in known:
            raise UserError(f"{place}: unknown key {key}; known are {', '.join(sorted(known))}")


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
