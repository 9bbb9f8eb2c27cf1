"""A file in YAML or JSON that people write: a mapping, each key of which is there once."""

import json
import re
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError

#: `1e6`, a number to YAML 1.2 and JSON, is text to YAML 1.1, which pyyaml reads.
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$")


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in the file at `path`; empty where the file is. Raises UserError naming what cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    kind, read = ("JSON", _json) if path.suffix == ".json" else ("YAML", _yaml)
    try:
        found = read(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not {kind}: {' '.join(str(error).split())}") from None
    if not isinstance(found or {}, dict):
        raise UserError(f"{path}: must be a mapping of keys, not {type(found).__name__}")
    return found or {}


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _yaml(text: str) -> Any:
    import yaml  # not at the top: a review without such a file starts sooner

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            _once([(key.value, None) for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key} is there twice")
        found[key] = value
    return found
