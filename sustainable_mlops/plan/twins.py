"""Mapping between two resource types whose attributes have other names and locations."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sustainable_mlops.plan.document import embedded
from sustainable_mlops.plan.values import UNKNOWN, Path, Sensitive, Unknown, steps

#: Converts a value that is neither unknown nor sensitive.
Converter = Callable[[Any], Any]
#: Tells whether the configuration sets the unknown attribute at this source path.
Gives = Callable[[tuple[str | int, ...]], bool]
_Steps = tuple[str | int, ...]


@dataclass(frozen=True, eq=False)
class Twin:
    """The mapping of a source type to a type of the provider aws. Paths have no list positions: `rules.days`."""

    type: str
    #: Identifying attributes, from source name to mapped name. If the configuration does not set one, apply computes it.
    identity: Mapping[str, str]
    #: Other attributes, from source path to mapped path; `*.name` is a name at any depth. The rest keep their paths.
    paths: Mapping[str, str]
    #: Converters of values, by source path.
    values: Mapping[str, Converter]

    def written(self, name: str) -> tuple[str, ...]:
        """Return the source attributes that the mapped attribute `name` comes from."""
        moved = {**self.identity, **self.paths}
        found = [written.partition(".")[0] for written, path in moved.items() if path.partition(".")[0] == name]
        elsewhere = {written.partition(".")[0] for written in moved}
        return tuple(dict.fromkeys(found)) if found or name in elsewhere else (name,)

    def place(self, names: str) -> str | None:
        """Return the mapped path of the source path `names`, or None if it is the same."""
        found = self.identity.get(names) or self.paths.get(names)
        if found is None and self.paths:
            outer, _, last = names.rpartition(".")
            anywhere = self.paths.get(f"*.{last}")
            found = f"{self.place(outer) or outer}.{anywhere}" if anywhere and outer else anywhere
        return found


@lru_cache(maxsize=4096)
def snake_case(name: str) -> str:
    """Convert `MemorySizeInMB` to `memory_size_in_mb`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Reading:
    """A reader of resources of one source type as their mapped type."""

    __slots__ = ("_json", "_read_back", "twin")

    def __init__(self, twin: Twin, json: str = "", read_back: str = "") -> None:
        """Read through `twin`. `json` is the attribute that holds all properties as JSON text, if there is one.

        The attribute `read_back` holds the properties that AWS returned, once the resource exists.
        """
        self.twin, self._json, self._read_back = twin, json, read_back

    def values(self, written: Mapping[str, Any], gives: Gives) -> Mapping[str, Any] | Unknown:
        """Return the values of the mapped type.

        The result is `UNKNOWN` if the JSON text is unknown, sensitive or not an object.
        """
        if not self._json:
            return _Translation(self.twin, gives, snake=False).of(written)
        desired, known = (_object(written.get(name)) for name in (self._json, self._read_back))
        if desired is None:
            return UNKNOWN
        identity = {name: value for name, value in (known or {}).items() if snake_case(name) in self.twin.identity}
        return _Translation(self.twin, gives, snake=True).of({"id": written.get("id"), **identity, **desired})

    def attributes(self, path: Path) -> tuple[str, ...]:
        """Return the source attributes whose expressions hold the mapped attribute at `path`."""
        return (self._json,) if self._json else self.twin.written(str(steps(path)[0]))

    def because(self, path: Path) -> str:
        """Return the mapped path of a source path that forces a replacement."""
        first, *rest = map(str, steps(path) or [""])
        return ".".join([self.twin.place(first) or first, *rest])


def _object(text: Any) -> dict[str, Any] | None:
    found = embedded(text) if type(text) is str else None
    return found if isinstance(found, dict) else None


class _Translation:
    """The conversion of one object to its mapped type. Objects become lists of one block."""

    def __init__(self, twin: Twin, gives: Gives, *, snake: bool) -> None:
        self._twin = twin
        self._gives = gives
        self._snake = snake
        self._found: dict[str, Any] = {}

    def of(self, written: Mapping[str, Any]) -> Mapping[str, Any]:
        self._object(written, (), (), "")
        return self._found

    def _object(self, values: Mapping[str, Any], path: _Steps, base: _Steps, names: str) -> None:
        if base and all(value is None for value in values.values()):
            self._set(base, {})
        for key, value in values.items():
            name = snake_case(key) if self._snake else key
            inner = f"{names}.{name}" if names else name
            self._read(value, (*path, name), self._target(inner, name, base), inner)

    def _read(self, value: Any, path: _Steps, target: _Steps, names: str) -> None:
        convert = self._twin.values.get(names)
        if value is None:
            return
        if value is UNKNOWN or isinstance(value, Sensitive):
            if isinstance(value, Sensitive) or names in self._twin.identity or self._gives(path):
                self._opaque(value, target, names)
        elif convert is not None:
            self._set(target, convert(value))
        elif isinstance(value, dict):
            self._object(value, path, (*target, 0) if isinstance(target[-1], str) else target, names)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for position, item in enumerate(value):
                self._read(item, (*path, position), (*target, position), names)
        else:
            self._set(target, value)

    def _opaque(self, value: Any, target: _Steps, names: str) -> None:
        """Copy an unknown or sensitive value to every mapped path below it."""
        elsewhere = [path for written, path in self._twin.paths.items() if written.startswith(f"{names}.")]
        if names in self._twin.paths or not elsewhere:
            self._set(target, value)
            return
        for path in sorted(elsewhere, key=len):
            self._set(_indexed(path, target), value)

    def _target(self, names: str, name: str, base: _Steps) -> _Steps:
        place = self._twin.place(names)
        return (*base, name) if place is None else _indexed(place, base)

    def _set(self, target: _Steps, value: Any) -> None:
        here: Any = self._found
        for step, following in pairwise(target):
            here = _enter(here, step, [] if isinstance(following, int) else {})
        _enter(here, target[-1], value)


def _indexed(place: str, base: _Steps) -> _Steps:
    """Return a mapped path as steps, with list positions from `base`.

    For example, `lifecycle_rule.expiration.days` below `("lifecycle_rule", 2)` is in the third rule.
    """
    found: list[str | int] = []
    names = place.split(".")
    shared = True
    for position, name in enumerate(names):
        shared = shared and base[2 * position : 2 * position + 1] == (name,)
        found.append(name)
        if position < len(names) - 1:
            found.append(base[2 * position + 1] if shared and 2 * position + 1 < len(base) else 0)
    return tuple(found)


def _enter(here: Any, step: str | int, value: Any) -> Any:
    """Return the value at `step` of `here`, after setting it to `value` if it is missing.

    Unknown and sensitive values stay as they are.
    """
    if isinstance(here, dict):
        return here.setdefault(str(step), value)
    if isinstance(here, list) and isinstance(step, int):
        here += [{} for _ in range(step - len(here))]
        if step == len(here):
            here.append(value)
        return here[step]
    return None
