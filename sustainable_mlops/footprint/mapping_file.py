"""Reader of YAML and JSON files that people write: one mapping without duplicate keys."""

import json
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.files import read_text
from sustainable_mlops.lazy_pattern import LazyPattern

#: Numbers such as `1e6`: YAML 1.2 and JSON read a number, YAML 1.1 (pyyaml) reads text.
_FLOAT = LazyPattern(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$")


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in the file at `path`; empty for an empty file.

    Raises UserError that names the file and the fault.
    """
    text = read_text(path)
    kind, parse = ("JSON", _parse_json) if path.suffix == ".json" else ("YAML", _parse_yaml)
    try:
        content = parse(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not {kind}: {' '.join(str(error).split())}") from None
    if not isinstance(content or {}, dict):
        raise UserError(f"{path}: must be a mapping of keys, not {type(content).__name__}")
    return content or {}


def _parse_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_build_mapping)


def _parse_yaml(text: str) -> Any:
    import yaml  # imported here so that a review without such a file starts faster

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            _build_mapping([(key.value, None) for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _build_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f"the key {key} appears twice; remove one")
        mapping[key] = value
    return mapping
