"""Readers of the YAML and JSON files of a review; errors name the location of the wrong value."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sustainable_mlops.base import documents
from sustainable_mlops.base.errors import UserError


def read_entries(path: Path, key: str) -> list[tuple[dict[str, Any], str]]:
    """Return the mappings of the list under `key`, each with its location. The file has no other key.

    Raise UserError with the location of an invalid value.
    """
    document = documents.read_mapping(path)
    check_keys(document, {key}, str(path))
    items = document.get(key)
    if not isinstance(items, list):
        raise UserError(f"{path}: {key}: must be a list")
    locations = [f"{path}: {key}[{number}]" for number in range(len(items))]
    return [
        (documents.check_mapping(item, location), location) for item, location in zip(items, locations, strict=True)
    ]


def check_keys(value: Mapping[str, Any], known: set[str], location: str) -> None:
    """Raise UserError for a key that is not in `known` or has no value."""
    documents.check_keys(value, known, location)
    for key in value:
        if value[key] is None:
            raise UserError(f"{location}.{key}: has no value; set one or remove the key")


def get_text(value: Mapping[str, Any], key: str, location: str, *, required: bool = False) -> str | None:
    """Return the text at `key`. Raises UserError for any other value."""
    text = value.get(key)
    if (text is None and not required) or (isinstance(text, str) and text.strip()):
        return text
    raise UserError(f"{location}.{key}: must be text" + ("" if text is not None else ", and is missing"))


@lru_cache(maxsize=1024)
def compile_address_pattern(address: str) -> re.Pattern[str]:
    """Return a pattern for an address in which `*` matches any text. No other character is special."""
    return re.compile(".*".join(map(re.escape, address.split("*"))), re.S)
