"""Mapping between two resource types whose attributes have other names and locations."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from sustainable_mlops.plan.document import parse_embedded_json
from sustainable_mlops.plan.values import UNKNOWN, AttributePath, Sensitive, Unknown, split_path

#: Converts a value that is neither unknown nor sensitive.
Converter = Callable[[Any], Any]
#: Tells whether the configuration sets the unknown attribute at this source path.
IsSet = Callable[[tuple[str | int, ...]], bool]
_Steps = tuple[str | int, ...]


class TypeMapping(NamedTuple):
    """The mapping of a source type to a type of the provider aws. Paths have no list positions: `rules.days`."""

    type: str
    #: Identifying attributes, from source name to mapped name. Apply computes those that are not configured.
    identity: Mapping[str, str]
    #: Other attributes, from source path to mapped path; `*.name` is a name at any depth. The rest keep their paths.
    paths: Mapping[str, str]
    #: Converters of values, by source path.
    values: Mapping[str, Converter]

    def list_source_attributes(self, name: str) -> tuple[str, ...]:
        """Return the source attributes that the mapped attribute `name` comes from."""
        moved = {**self.identity, **self.paths}
        sources = [source.partition(".")[0] for source, path in moved.items() if path.partition(".")[0] == name]
        renamed = {source.partition(".")[0] for source in moved}
        return tuple(dict.fromkeys(sources)) if sources or name in renamed else (name,)

    def find_mapped_path(self, names: str) -> str | None:
        """Return the mapped path of the source path `names`, or None if it is the same."""
        path = self.identity.get(names) or self.paths.get(names)
        if path is None and self.paths:
            outer, _, last = names.rpartition(".")
            anywhere = self.paths.get(f"*.{last}")
            path = f"{self.find_mapped_path(outer) or outer}.{anywhere}" if anywhere and outer else anywhere
        return path


@lru_cache(maxsize=4096)
def to_snake_case(name: str) -> str:
    """Convert `MemorySizeInMB` to `memory_size_in_mb`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class MappedReader:
    """A reader of resources of one source type as their mapped type."""

    __slots__ = ("_json", "_read_back", "mapping")

    def __init__(self, mapping: TypeMapping, json: str = "", read_back: str = "") -> None:
        """Read through `twin`. `json` is the attribute that holds all properties as JSON text, if there is one.

        The attribute `read_back` holds the properties that AWS returned, once the resource exists.
        """
        self.mapping, self._json, self._read_back = mapping, json, read_back

    def read_values(self, source_values: Mapping[str, Any], is_set: IsSet) -> Mapping[str, Any] | Unknown:
        """Return the values of the mapped type.

        The result is `UNKNOWN` if the JSON text is unknown, sensitive or not an object.
        """
        if not self._json:
            return _Translation(self.mapping, is_set, snake=False).translate(source_values)
        desired, known = (_parse_object(source_values.get(name)) for name in (self._json, self._read_back))
        if desired is None:
            return UNKNOWN
        identity = {
            name: value for name, value in (known or {}).items() if to_snake_case(name) in self.mapping.identity
        }
        return _Translation(self.mapping, is_set, snake=True).translate(
            {"id": source_values.get("id"), **identity, **desired}
        )

    def list_source_attributes(self, path: AttributePath) -> tuple[str, ...]:
        """Return the source attributes whose expressions hold the mapped attribute at `path`."""
        return (self._json,) if self._json else self.mapping.list_source_attributes(str(split_path(path)[0]))

    def map_replacement_path(self, path: AttributePath) -> str:
        """Return the mapped path of a source path that forces a replacement."""
        first, *rest = map(str, split_path(path) or [""])
        return ".".join([self.mapping.find_mapped_path(first) or first, *rest])


def _parse_object(text: Any) -> dict[str, Any] | None:
    value = parse_embedded_json(text) if type(text) is str else None
    return value if isinstance(value, dict) else None


class _Translation:
    """The conversion of one object to its mapped type. Objects become lists of one block."""

    def __init__(self, mapping: TypeMapping, is_set: IsSet, *, snake: bool) -> None:
        self._mapping = mapping
        self._is_set = is_set
        self._uses_snake_case = snake
        self._result: dict[str, Any] = {}

    def translate(self, source_values: Mapping[str, Any]) -> Mapping[str, Any]:
        self._translate_object(source_values, (), (), "")
        return self._result

    def _translate_object(self, values: Mapping[str, Any], path: _Steps, base: _Steps, names: str) -> None:
        if base and all(value is None for value in values.values()):
            self._set_value(base, {})
        for key, value in values.items():
            name = to_snake_case(key) if self._uses_snake_case else key
            inner = f"{names}.{name}" if names else name
            self._translate_value(value, (*path, name), self._find_target(inner, name, base), inner)

    def _translate_value(self, value: Any, path: _Steps, target: _Steps, names: str) -> None:
        convert = self._mapping.values.get(names)
        if value is None:
            return
        if value is UNKNOWN or isinstance(value, Sensitive):
            if isinstance(value, Sensitive) or names in self._mapping.identity or self._is_set(path):
                self._copy_opaque(value, target, names)
        elif convert is not None:
            self._set_value(target, convert(value))
        elif isinstance(value, dict):
            self._translate_object(value, path, (*target, 0) if isinstance(target[-1], str) else target, names)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for position, item in enumerate(value):
                self._translate_value(item, (*path, position), (*target, position), names)
        else:
            self._set_value(target, value)

    def _copy_opaque(self, value: Any, target: _Steps, names: str) -> None:
        """Copy an unknown or sensitive value to every mapped path below it."""
        deeper_paths = [path for source, path in self._mapping.paths.items() if source.startswith(f"{names}.")]
        if names in self._mapping.paths or not deeper_paths:
            self._set_value(target, value)
            return
        for path in sorted(deeper_paths, key=len):
            self._set_value(_add_positions(path, target), value)

    def _find_target(self, names: str, name: str, base: _Steps) -> _Steps:
        location = self._mapping.find_mapped_path(names)
        return (*base, name) if location is None else _add_positions(location, base)

    def _set_value(self, target: _Steps, value: Any) -> None:
        node: Any = self._result
        for step, following in pairwise(target):
            node = _set_default(node, step, [] if isinstance(following, int) else {})
        _set_default(node, target[-1], value)


def _add_positions(location: str, base: _Steps) -> _Steps:
    """Return a mapped path as steps, with list positions from `base`.

    For example, `lifecycle_rule.expiration.days` below `("lifecycle_rule", 2)` is in the third rule.
    """
    path_steps: list[str | int] = []
    names = location.split(".")
    shared = True
    for position, name in enumerate(names):
        shared = shared and base[2 * position : 2 * position + 1] == (name,)
        path_steps.append(name)
        if position < len(names) - 1:
            path_steps.append(base[2 * position + 1] if shared and 2 * position + 1 < len(base) else 0)
    return tuple(path_steps)


def _set_default(node: Any, step: str | int, value: Any) -> Any:
    """Return the value at `step` of `here`, after setting it to `value` if it is missing.

    Unknown and sensitive values stay as they are.
    """
    if isinstance(node, dict):
        return node.setdefault(str(step), value)
    if isinstance(node, list) and isinstance(step, int):
        node += [{} for _ in range(step - len(node))]
        if step == len(node):
            node.append(value)
        return node[step]
    return None
