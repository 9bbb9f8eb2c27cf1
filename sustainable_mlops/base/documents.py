"""YAML and JSON files that people write or edit. Duplicate and unknown keys are errors."""

import json
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import read_text
from sustainable_mlops.base.lazy_pattern import LazyPattern

#: Numbers such as `1e6`: YAML 1.2 and JSON read a number, YAML 1.1 (pyyaml) reads text.
_FLOAT = LazyPattern(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
_FLOAT_TAG, _FLOAT_STARTS = "tag:yaml.org,2002:float", list("-+.0123456789")


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in the file at `path`; empty for an empty file.

    Raises UserError that names the file and the problem.
    """
    parse = parse_json_document if path.suffix == ".json" else parse_yaml_document
    content = parse(read_text(path), str(path))
    return check_mapping({} if content is None else content, str(path))


def parse_json_document(text: str, source: str) -> Any:
    """Return the content of a JSON text; `source` names it in messages. Raises UserError."""
    try:
        return json.loads(text, object_pairs_hook=_build_mapping)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{source}: not valid JSON: {error}") from None


def parse_yaml_document(text: str, source: str) -> Any:
    """Return the content of a YAML text; `source` names it in messages. Raises UserError."""
    import yaml  # imported here so that a review without such a file starts faster

    class Loader(yaml.SafeLoader):
        """Loader that refuses duplicate keys instead of dropping one silently."""

        def construct_unique_keys(self, node: yaml.MappingNode) -> dict[Any, Any]:
            keys: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if (key.tag, key.value) in keys:
                        raise yaml.MarkedYAMLError(problem=_describe_duplicate(key.value), problem_mark=key.start_mark)
                    keys.add((key.tag, key.value))
            return self.construct_mapping(node, deep=True)

    Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_unique_keys)
    Loader.add_implicit_resolver(_FLOAT_TAG, _FLOAT, _FLOAT_STARTS)
    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        location = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        is_tab = "'\\t'" in str(error.problem)
        problem = "a tab cannot indent a line; replace it with spaces" if is_tab else error.problem
        raise UserError(f"{source}:{location} not valid YAML: {problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from None


def render_yaml(content: Any, **options: Any) -> str:
    """Return a content as YAML, with the options of `yaml.dump`. Texts such as `1e6` are quoted, and so stay texts."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Dumper that quotes the texts which the loader would read as numbers."""

    Dumper.add_implicit_resolver(_FLOAT_TAG, _FLOAT, _FLOAT_STARTS)
    text: str = yaml.dump(content, Dumper=Dumper, **options)
    return text


def check_mapping(value: Any, location: str) -> dict[str, Any]:
    """Return a value that is a mapping. Raises UserError for any other value."""
    if not isinstance(value, dict):
        raise UserError(f"{location}: must be a mapping (key: value), but is {_describe_type(value)}")
    return value


def check_keys(value: Mapping[Any, Any], known: Collection[str], location: str) -> None:
    """Raise UserError for a key that is not in `known`: a misspelt limit would have no effect."""
    if unknown := [str(key) for key in value if key not in known]:
        raise UserError(f"{location}: unknown key {unknown[0]}; use one of {', '.join(sorted(known))}")


def _build_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(_describe_duplicate(key))
        mapping[key] = value
    return mapping


def _describe_type(value: Any) -> str:
    """Return the type of a value that is not a mapping, in the words of YAML."""
    if value is None:
        return "empty"
    names = {str: "a text", list: "a list", bool: "true or false", int: "a number", float: "a number", date: "a date"}
    return names.get(type(value), "another value")


def _describe_duplicate(key: str) -> str:
    return f"the key '{key}' appears twice; remove one"
