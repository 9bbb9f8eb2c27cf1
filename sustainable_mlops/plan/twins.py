"""A resource whose attributes have other names and places than those of the type that it is read as."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sustainable_mlops.plan.document import embedded
from sustainable_mlops.plan.values import UNKNOWN, Path, Sensitive, Unknown, steps

#: Rewrites a value that is neither unknown nor hidden.
Converter = Callable[[Any], Any]
#: Whether the configuration gives the attribute at this path, as written, of which the plan says that it is unknown.
Gives = Callable[[tuple[str | int, ...]], bool]
_Steps = tuple[str | int, ...]


@dataclass(frozen=True, eq=False)
class Twin:
    """A type, and where it has what another one says. Paths are without positions: `rules.days`."""

    type: str
    #: What tells which object it is, as written and in the twin: where nobody gives it, apply will tell.
    identity: Mapping[str, str]
    #: Other attributes, as written and in the twin; `*.name` is a name at any depth. All others have the same path.
    paths: Mapping[str, str]
    #: How values are rewritten, by the path as written.
    values: Mapping[str, Converter]

    def written(self, name: str) -> tuple[str, ...]:
        """The attributes as written that the twin's attribute `name` comes from."""
        moved = {**self.identity, **self.paths}
        found = [written.partition(".")[0] for written, path in moved.items() if path.partition(".")[0] == name]
        elsewhere = {written.partition(".")[0] for written in moved}
        return tuple(dict.fromkeys(found)) if found or name in elsewhere else (name,)

    def place(self, names: str) -> str | None:
        """Where the twin has what is at `names` as written; None where it is called the same."""
        found = self.identity.get(names) or self.paths.get(names)
        if found is None and self.paths:
            outer, _, last = names.rpartition(".")
            anywhere = self.paths.get(f"*.{last}")
            found = f"{self.place(outer) or outer}.{anywhere}" if anywhere and outer else anywhere
        return found


@lru_cache(maxsize=4096)
def snake_case(name: str) -> str:
    """`MemorySizeInMB` as `memory_size_in_mb`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Reading:
    """Reads resources of one type as their twin."""

    __slots__ = ("_json", "_read_back", "twin")

    def __init__(self, twin: Twin, json: str = "", read_back: str = "") -> None:
        """`json` is the attribute that has all properties as JSON text, where that is how they are written.

        The one called `read_back` has them as AWS gives them, once there is such a resource.
        """
        self.twin, self._json, self._read_back = twin, json, read_back

    def values(self, written: Mapping[str, Any], gives: Gives) -> Mapping[str, Any] | Unknown:
        """The values as the twin has them; `UNKNOWN` where they are in a text that is unknown, hidden or no object."""
        if not self._json:
            return _Translation(self.twin, gives, snake=False).of(written)
        desired, known = (_object(written.get(name)) for name in (self._json, self._read_back))
        if desired is None:
            return UNKNOWN
        identity = {name: value for name, value in (known or {}).items() if snake_case(name) in self.twin.identity}
        return _Translation(self.twin, gives, snake=True).of({"id": written.get("id"), **identity, **desired})

    def attributes(self, path: Path) -> tuple[str, ...]:
        """The attributes as written whose expressions hold what the twin has at `path`."""
        return (self._json,) if self._json else self.twin.written(str(steps(path)[0]))

    def because(self, path: Path) -> str:
        """A path as written that forces a replacement, as the twin's."""
        first, *rest = map(str, steps(path) or [""])
        return ".".join([self.twin.place(first) or first, *rest])


def _object(text: Any) -> dict[str, Any] | None:
    found = embedded(text) if type(text) is str else None
    return found if isinstance(found, dict) else None


class _Translation:
    """One object as its twin has it: objects become lists of one block, and everything is where the twin has it."""

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
        """An unknown or hidden value stands for all that is in it, wherever the twin has that."""
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
    """`lifecycle_rule.expiration.days`, of something at `("lifecycle_rule", 2)`, as the steps to it."""
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
    """What is at `step` of `here`, `value` where there is nothing yet. What is unknown or hidden stays so."""
    if isinstance(here, dict):
        return here.setdefault(str(step), value)
    if isinstance(here, list) and isinstance(step, int):
        here += [{} for _ in range(step - len(here))]
        if step == len(here):
            here.append(value)
        return here[step]
    return None
