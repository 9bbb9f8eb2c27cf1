"""Values of a plan: what is known, what is unknown until apply, and what is sensitive."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn

#: Values that mean "not set"; Terraform writes now one, now the other.
_UNSET: tuple[object, ...] = (None, [], {}, "")
#: Numbers beyond this are no quantity of anything in a plan.
_LARGEST = 1e15


class Unknown(enum.Enum):
    """The type of `UNKNOWN`; an enumeration of one, so that type checkers narrow on `value is UNKNOWN`."""

    UNKNOWN = "(known after apply)"

    def __bool__(self) -> NoReturn:
        """An unknown value is neither true nor false: taking it for either would be a wrong answer."""
        raise TypeError("a value unknown until apply has no truth; compare with `is UNKNOWN` first")

    def __str__(self) -> str:
        return str(self.value)

    __repr__ = __str__


#: Stands where a plan cannot tell the value yet, or gives one of a kind that cannot be used.
UNKNOWN: Final = Unknown.UNKNOWN


class Sensitive(str):
    """Stands where a plan marks a value as sensitive.

    It is the text `(sensitive)` to whatever prints, formats or serialises it. Two compare equal where the hidden
    values do, so that a change shows.
    """

    __slots__ = ("_hidden",)
    _hidden: Any

    def __new__(cls, hidden: Any) -> "Sensitive":
        """Hide `hidden`."""
        self = super().__new__(cls, "(sensitive)")
        self._hidden = hidden
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sensitive) and bool(self._hidden == other._hidden)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __reduce__(self) -> str | tuple[Any, ...]:
        return str, ("(sensitive)",)


def with_marks(value: Any, unknown: Any, sensitive: Any) -> Any:
    """`value` with `UNKNOWN` where `unknown` says so and `Sensitive` where `sensitive` does.

    Both are shaped as Terraform's `after_unknown` and `after_sensitive`: `true`, or containers of it. Containers
    without a mark below are shared with `value`, not copied. A mark that is no mark makes its value unknown.
    """
    return _mark(_mark(value, unknown, _unknown), sensitive, _sensitive)


def _unknown(_: Any) -> Any:
    return UNKNOWN


def _sensitive(value: Any) -> Any:
    return value if value is None or value is UNKNOWN else Sensitive(value)


def _mark(value: Any, marks: Any, mark: Any) -> Any:
    if marks is False:
        return value
    if isinstance(marks, dict):
        return _mark_object(value, marks, mark)
    if isinstance(marks, list):
        return _mark_list(value, marks, mark)
    return mark(value)


def _mark_object(value: Any, marks: dict[str, Any], mark: Any) -> Any:
    if not isinstance(value, dict):
        return mark(value) if marked(marks) else value
    result = value
    for key, below in marks.items():
        if below is False or below == {} or below == []:
            continue
        old = value.get(key)
        new = _mark(old, below, mark)
        if new is not old:
            if result is value:
                result = dict(value)
            result[key] = new
    return result


def _mark_list(value: Any, marks: list[Any], mark: Any) -> Any:
    if not isinstance(value, list) or len(value) != len(marks):
        return mark(value) if marked(marks) else value
    result = [_mark(old, below, mark) for old, below in zip(value, marks, strict=True)]
    return value if all(new is old for new, old in zip(result, value, strict=True)) else result


def marked(marks: Any) -> bool:
    """Whether there is a mark anywhere in `marks`."""
    if isinstance(marks, dict):
        return any(map(marked, marks.values()))
    if isinstance(marks, list):
        return any(map(marked, marks))
    return marks is not False


def same(old: object, new: object) -> bool:
    """Whether two values are equal, or both mean "not set"."""
    return old == new or (old in _UNSET and new in _UNSET)


Path = str | Sequence[str | int]


def steps(path: Path) -> Sequence[str | int]:
    """`"production_variants.0.model_name"` as its parts; a sequence of parts (keys may hold dots) as it is."""
    return _split(path) if isinstance(path, str) else path


@lru_cache(maxsize=4096)
def _split(path: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in path.split("."))


def dig(value: Any, path: Path, default: Any = None) -> Any:
    """The value at `path` inside `value`.

    `default` where it is not set (missing or null); `UNKNOWN` where it or a container of it is unknown, or where
    something on the way is of another kind than the path expects; `Sensitive` where that hides it.
    """
    for step in _split(path) if type(path) is str else steps(path):
        if value is None:
            return default
        if type(value) is dict:
            value = value.get(step if type(step) is str else str(step))
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else None
        else:
            return value if isinstance(value, Sensitive) else UNKNOWN
    return default if value is None else value


class Readers:
    """Typed ways to read attributes. None of them raises on what a plan may hold: what cannot be used is `UNKNOWN`.

    Each returns `None` (or an empty list) where the attribute is not set.
    """

    __slots__ = ()
    #: Where in a resource these values are.
    path: str = ""

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at `path` (`"serverless_config.0.memory_size_in_mb"`) as it is; see `dig`."""
        raise NotImplementedError

    def text(self, path: Path) -> str | Unknown | None:
        """A text."""
        value = self.get(path)
        return value if value is None or _is_text(value) else UNKNOWN

    def number(self, path: Path) -> float | Unknown | None:
        """A number; text that is one counts, as some attributes hold numbers as text."""
        value = self.get(path)
        return None if value is None else _number(value)

    def flag(self, path: Path) -> bool | Unknown | None:
        """True or false; the texts `"true"` and `"false"` count, as some attributes hold flags as text."""
        value = self.get(path)
        if isinstance(value, str) and not isinstance(value, Sensitive):
            value = {"true": True, "false": False}.get(value)
            return UNKNOWN if value is None else value
        return value if value is None or isinstance(value, bool) else UNKNOWN

    def texts(self, path: Path) -> list[str | Unknown] | Unknown:
        """A list or set of texts, of which some may be unknown."""
        value = self.get(path)
        if value is None:
            return []
        if not isinstance(value, list):
            return UNKNOWN
        return [item if _is_text(item) else UNKNOWN for item in value]

    def blocks(self, path: Path) -> list["Block"] | Unknown:
        """The blocks of this name, in order; of an unknown one every attribute is unknown."""
        value = self.get(path)
        if value is None:
            return []
        prefix = ".".join(map(str, [*([self.path] if self.path else []), *steps(path)]))
        if isinstance(value, dict):  # a nested attribute, which some resources have instead of a block
            return [Block(value, prefix)]
        if not isinstance(value, list):
            return UNKNOWN
        return [Block(item, f"{prefix}.{position}") for position, item in enumerate(value)]

    def block(self, path: Path) -> "Block | Unknown | None":
        """The block of this name where there is at most one."""
        found = self.blocks(path)
        if found is UNKNOWN:
            return UNKNOWN
        return found[0] if found else None


class Block(Readers):
    """A block or object inside a resource; `path` says where in it."""

    __slots__ = ("path", "values")

    def __init__(self, values: Any, path: str = "") -> None:
        """Read `values`: a mapping, else everything in it is unknown."""
        self.values: Mapping[str, Any] | Unknown = values if isinstance(values, dict) else UNKNOWN
        self.path = path

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at `path`; see `dig`."""
        return dig(self.values, path, default)

    def __iter__(self) -> Iterator[str]:
        return iter(() if self.values is UNKNOWN else self.values)

    def __repr__(self) -> str:
        return f"Block({self.values!r}, {self.path!r})"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Sensitive)


def _number(value: Any) -> float | Unknown:
    if _is_text(value) and len(value) < 32:
        try:
            value = float(value) if "." in value or "e" in value else int(value)
        except ValueError:
            return UNKNOWN
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        return UNKNOWN
    return value


def all_of(answers: Iterable[bool | Unknown]) -> bool | Unknown:
    """False if one is, else unknown if one is, else true."""
    found = list(answers)
    return False if False in found else UNKNOWN if UNKNOWN in found else True


def any_of(answers: Iterable[bool | Unknown]) -> bool | Unknown:
    """True if one is, else unknown if one is, else false."""
    found = list(answers)
    return True if True in found else UNKNOWN if UNKNOWN in found else False


def negated(answer: bool | Unknown) -> bool | Unknown:
    """Unknown stays so."""
    return answer if answer is UNKNOWN else not answer
