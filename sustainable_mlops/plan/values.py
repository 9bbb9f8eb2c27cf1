"""Values of a plan: known values, values that are unknown until apply, and sensitive values."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn

#: Values that mean "not set". Terraform uses any of them.
_UNSET: tuple[object, ...] = (None, [], {}, "")
#: Largest absolute value that counts as a number.
_LARGEST = 1e15


class Unknown(enum.Enum):
    """The type of `UNKNOWN`. An enumeration of one value lets type checkers narrow on `value is UNKNOWN`."""

    UNKNOWN = "(known after apply)"

    def __bool__(self) -> NoReturn:
        """Raise TypeError: an unknown value is neither true nor false."""
        raise TypeError("a value that is unknown until apply is neither true nor false; check `is UNKNOWN` first")

    def __str__(self) -> str:
        return str(self.value)

    __repr__ = __str__


#: Placeholder for a value that is unknown until apply, or whose type cannot be used.
UNKNOWN: Final = Unknown.UNKNOWN


class Sensitive(str):
    """Placeholder for a value that the plan marks as sensitive.

    It prints, formats and serializes as the text `(sensitive)`. Two placeholders are equal if their hidden values are,
    so that a change is visible.
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


def apply_marks(value: Any, unknown: Any, sensitive: Any) -> Any:
    """Return `value` with `UNKNOWN` and `Sensitive` at the positions that `unknown` and `sensitive` mark.

    Both are shaped like Terraform's `after_unknown` and `after_sensitive`: `true`, or containers of it. Containers
    without a mark below are shared with `value`, not copied. An invalid mark makes its value unknown.
    """
    return _apply(_apply(value, unknown, _return_unknown), sensitive, _hide)


def _return_unknown(_: Any) -> Any:
    return UNKNOWN


def _hide(value: Any) -> Any:
    return value if value is UNKNOWN or value in (None, [], {}) else Sensitive(value)


def _apply(value: Any, marks: Any, mark: Any) -> Any:
    if marks is False:
        return value
    if isinstance(marks, dict):
        return _apply_to_object(value, marks, mark)
    if isinstance(marks, list):
        return _apply_to_list(value, marks, mark)
    return mark(value)


def _apply_to_object(value: Any, marks: dict[str, Any], mark: Any) -> Any:
    if not isinstance(value, dict):
        return mark(value) if has_mark(marks) else value
    result = value
    for key, below in marks.items():
        if below is False or below == {} or below == []:
            continue
        old = value.get(key)
        new = _apply(old, below, mark)
        if new is not old:
            if result is value:
                result = dict(value)
            result[key] = new
    return result


def _apply_to_list(value: Any, marks: list[Any], mark: Any) -> Any:
    if not isinstance(value, list) or len(value) != len(marks):
        return mark(value) if has_mark(marks) else value
    result = [_apply(old, below, mark) for old, below in zip(value, marks, strict=True)]
    return value if all(new is old for new, old in zip(result, value, strict=True)) else result


def has_mark(marks: Any) -> bool:
    """Return whether there is a mark anywhere in `marks`."""
    if isinstance(marks, dict):
        return any(map(has_mark, marks.values()))
    if isinstance(marks, list):
        return any(map(has_mark, marks))
    return marks is not False


def is_same_value(old: object, new: object) -> bool:
    """Return whether two values are equal, or both mean "not set"."""
    return old == new or (old in _UNSET and new in _UNSET)


AttributePath = str | Sequence[str | int]


def split_path(path: AttributePath) -> Sequence[str | int]:
    """Split `"production_variants.0.model_name"` into parts.

    A sequence of parts (keys may contain dots) stays as it is.
    """
    return _split_text(path) if isinstance(path, str) else path


@lru_cache(maxsize=4096)
def _split_text(path: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in path.split("."))


def get_at_path(value: Any, path: AttributePath, default: Any = None) -> Any:
    """Return the value at `path` inside `value`.

    The result is `default` if the value is missing or null. It is `UNKNOWN` if the value or one of its containers is
    unknown. It is also `UNKNOWN` if a container has another type than the path expects. It is `Sensitive` if a
    container is hidden.
    """
    for step in _split_text(path) if isinstance(path, str) else path:
        if value is None:
            return default
        if type(value) is dict:
            value = value.get(step if type(step) is str else str(step))
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else None
        else:
            return value if isinstance(value, Sensitive) else UNKNOWN
    return default if value is None else value


class AttributeReader:
    """Typed readers of attributes. They never raise for the content of a plan: unusable values read as `UNKNOWN`.

    Each reader returns `None` (or an empty list) if the attribute is not set.
    """

    __slots__ = ()
    #: The location of these values in their resource.
    path: str = ""

    def get(self, path: AttributePath, default: Any = None) -> Any:
        """Return the value at `path` (`"serverless_config.0.memory_size_in_mb"`) unchanged; see `get_at_path`."""
        raise NotImplementedError

    def text(self, path: AttributePath) -> str | Unknown | None:
        """Return a text."""
        value = self.get(path)
        return value if value is None or type(value) is str else UNKNOWN

    def number(self, path: AttributePath) -> float | Unknown | None:
        """Return a number. Numeric text counts, because some attributes hold numbers as text."""
        value = self.get(path)
        return None if value is None else _parse_number(value)

    def flag(self, path: AttributePath) -> bool | Unknown | None:
        """Return true or false. The texts `"true"` and `"false"` count, because some attributes hold flags as text."""
        value = self.get(path)
        if isinstance(value, str) and not isinstance(value, Sensitive):
            value = {"true": True, "false": False}.get(value)
            return UNKNOWN if value is None else value
        return value if value is None or isinstance(value, bool) else UNKNOWN

    def texts(self, path: AttributePath) -> list[str | Unknown] | Unknown:
        """Return a list or set of texts, some of which may be unknown."""
        value = self.get(path)
        if value is None:
            return []
        if not isinstance(value, list):
            return UNKNOWN
        return [item if type(item) is str else UNKNOWN for item in value]

    def blocks(self, path: AttributePath) -> list["Block"] | Unknown:
        """Return the blocks of this name, in order. All attributes of an unknown block are unknown."""
        value = self.get(path)
        if value is None or value == []:
            return []
        prefix = path if isinstance(path, str) else ".".join(map(str, path))
        prefix = f"{self.path}.{prefix}" if self.path else prefix
        if isinstance(value, dict):  # a nested attribute, which some resources have instead of a block
            return [Block(value, prefix)]
        if not isinstance(value, list):
            return UNKNOWN
        return [Block(item, f"{prefix}.{position}") for position, item in enumerate(value)]

    def count_blocks(self, path: AttributePath) -> int | Unknown:
        """Return the number of blocks of this name."""
        value = self.get(path)
        if value is None or isinstance(value, dict):
            return 0 if value is None else 1
        return len(value) if isinstance(value, list) else UNKNOWN

    def block(self, path: AttributePath) -> "Block | Unknown | None":
        """Return the block of this name, for a block that occurs at most once."""
        blocks = self.blocks(path)
        if blocks is UNKNOWN:
            return UNKNOWN
        return blocks[0] if blocks else None


class Block(AttributeReader):
    """A block or object inside a resource; `path` is its location there."""

    __slots__ = ("path", "values")

    def __init__(self, values: Any, path: str = "") -> None:
        """Read `values`. If it is not a mapping, all attributes are unknown."""
        self.values: Mapping[str, Any] | Unknown = values if isinstance(values, dict) else UNKNOWN
        self.path = path

    def get(self, path: AttributePath, default: Any = None) -> Any:
        """Return the value at `path`; see `get_at_path`."""
        return get_at_path(self.values, path, default)

    def __iter__(self) -> Iterator[str]:
        return iter(() if self.values is UNKNOWN else self.values)

    def __repr__(self) -> str:
        return f"Block({self.values!r}, {self.path!r})"


def _parse_number(value: Any) -> float | Unknown:
    if type(value) is str and len(value) < 32:
        try:
            value = float(value) if "." in value or "e" in value else int(value)
        except ValueError:
            return UNKNOWN
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        return UNKNOWN
    return value


def combine_all(answers: Iterable[bool | Unknown]) -> bool | Unknown:
    """Return False if any answer is false, else unknown if any is unknown, else True."""
    values = list(answers)
    return False if False in values else UNKNOWN if UNKNOWN in values else True


def combine_any(answers: Iterable[bool | Unknown]) -> bool | Unknown:
    """Return True if any answer is true, else unknown if any is unknown, else False."""
    values = list(answers)
    return True if True in values else UNKNOWN if UNKNOWN in values else False


def negate(answer: bool | Unknown) -> bool | Unknown:
    """Return the opposite; unknown stays unknown."""
    return answer if answer is UNKNOWN else not answer
