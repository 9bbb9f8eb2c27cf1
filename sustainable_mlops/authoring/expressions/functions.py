"""Functions for authors, with the types of their results. `function_table` has their HCL names and Python versions."""

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, TypeVar, cast, overload

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import Expression, to_condition, to_hcl, to_node
from sustainable_mlops.authoring.expressions.node import ExpressionNode

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")


def _call(name: str, *arguments: Any, gives: Any) -> Any:
    return Expression(ExpressionNode("call", (name, *map(to_node, arguments)), gives))


def _find_common_item_type(*collections: Any) -> Any:
    """Return the common type of the items of these collections."""
    return types.find_common_type(types.get_item_types(to_node(each).type)[1] for each in collections)


def _find_common_node_type(*nodes: ExpressionNode) -> Any:
    """Return the common type of these nodes, without null."""
    return types.find_common_type(node.type for node in nodes if types.find_kind(node.type) != "null")


def is_expression(value: object) -> bool:
    """Return whether only Terraform knows the value."""
    return isinstance(value, Expression)


# Conditions.


def is_null(value: object) -> bool:
    """Return the condition that a value is null."""
    return cast(bool, Expression(ExpressionNode("==", (to_node(value), to_node(None)), bool)))


def is_omitted(value: object) -> bool:
    """Return the condition that an optional input is null, for a `for_each`.

    Terraform refuses a sensitive `for_each`, and `is_null` is sensitive if anything in the input is.
    """
    return cast(bool, _call("nonsensitive", is_null(value), gives=bool))


def assume_not_null(value: T | None) -> T:
    """Return `value` with a type that is not optional, for mypy. Use it after a condition that checks for null."""
    return cast(T, value)


def as_map(value: BaseModel) -> Mapping[str, Any]:
    """Return an object with the type of a map of its attributes, for mypy."""
    return cast(Mapping[str, Any], value)


def local_table(name: str, value: T) -> T:
    """Return a value that a rule refers to as `local.<name>`, because it is too long for a rule. The module adds it."""
    return cast(T, Expression(ExpressionNode("fixed", (name, value), to_node(value).type)))


def when(condition: object, if_true: T, if_false: R) -> T | R:
    """Return `condition ? if_true : if_false`."""
    nodes = to_condition(condition), to_node(if_true), to_node(if_false)
    return cast(T, Expression(ExpressionNode("if", nodes, _find_common_node_type(*nodes[1:]))))


def can(value: object) -> bool:
    """Return the condition that an expression evaluates without an error."""
    return cast(bool, _call("can", value, gives=bool))


def coalesce(*values: T | None) -> T:
    """Return the first value that is neither null nor an empty text. Terraform fails if there is none."""
    return cast(T, _call("coalesce", *values, gives=_find_common_node_type(*map(to_node, values))))


def try_(value: T, other: R) -> T | R:
    """Return the value, or `other` if it fails."""
    return cast(T, _call("try", value, other, gives=_find_common_node_type(to_node(value), to_node(other))))


def contains(items: Iterable[T], item: T) -> bool:
    """Return the condition that `items` contains `item`."""
    return cast(bool, _call("contains", items, item, gives=bool))


def text_contains(text: str, part: str) -> bool:
    """Return the condition that a text contains `part`."""
    return cast(bool, _call("holds", text, part, gives=bool))


# Lists, sets and maps.


def length(value: Sized) -> int:
    """Return the number of items or characters."""
    return cast(int, _call("length", value, gives=int))


def keys(mapping: Mapping[K, V]) -> list[K]:
    """Return the sorted keys of a map."""
    return cast(list[K], _call("keys", mapping, gives=list[str]))


def get(mapping: Mapping[K, V], key: K, default: V) -> V:
    """Return the item of `key`, or `default`."""
    return cast(V, _call("get", mapping, key, default, gives=_find_common_item_type(mapping)))


def merge(*maps: Mapping[K, V]) -> dict[K, V]:
    """Merge maps; the last value of a key wins."""
    return cast(dict[K, V], _call("merge", *maps, gives=types.merge_types(to_node(each).type for each in maps)))


def merge_all(maps: Iterable[Mapping[K, V]]) -> dict[K, V]:
    """Merge the maps of a list; the last value of a key wins."""
    return cast(dict[K, V], _call("merge_all", maps, gives=_find_common_item_type(maps)))


def concat(*lists: Iterable[T]) -> list[T]:
    """Concatenate lists."""
    return cast(list[T], _call("concat", *lists, gives=list[_find_common_item_type(*lists)]))  # type: ignore[misc]


def flatten(lists: Iterable[Iterable[T]]) -> list[T]:
    """Flatten a list of lists."""
    inner = types.get_item_types(types.get_item_types(to_node(lists).type)[1])[1]
    return cast(list[T], _call("flatten", lists, gives=list[inner]))  # type: ignore[valid-type]


def distinct(items: Iterable[T]) -> list[T]:
    """Return the items without duplicates, in the order of their first occurrence."""
    return cast(list[T], _call("distinct", items, gives=list[_find_common_item_type(items)]))  # type: ignore[misc]


def set_of(items: Iterable[T]) -> set[T]:
    """Return the items as a set."""
    return cast(set[T], _call("set_of", items, gives=set[_find_common_item_type(items)]))  # type: ignore[misc]


def intersection(left: Iterable[T], right: Iterable[T]) -> set[T]:
    """Return the set of items that are in both collections."""
    return cast(set[T], _call("intersection", left, right, gives=set[_find_common_item_type(left)]))  # type: ignore[misc]


def difference(left: Iterable[T], right: Iterable[T]) -> set[T]:
    """Return the set of items that are in `left` and not in `right`."""
    return cast(set[T], _call("difference", left, right, gives=set[_find_common_item_type(left)]))  # type: ignore[misc]


def optional(value: T | None) -> list[T]:
    """Return a list of the value; empty if it is null."""
    return cast(list[T], _call("optional", value, gives=list[types.strip_annotation(to_node(value).type)]))  # type: ignore[misc]


def optional_map(key: str, value: T | None) -> dict[str, T]:
    """Return a map of the value under `key`, for `for_each`; empty if it is null."""
    held = to_node(value)
    map_type: Any = dict[str, types.strip_annotation(held.type)]  # type: ignore[misc]
    node = ExpressionNode("if", (to_node(is_omitted(value)), to_node({}), to_node({key: value})), map_type)
    return cast(dict[str, T], Expression(node))


def one_or_null(items: Iterable[T]) -> T | None:
    """Return the only item, or null for an empty collection."""
    return cast(T, _call("one", items, gives=_find_common_item_type(items)))


def lowest(numbers: Iterable[float]) -> float:
    """Return the smallest number. Terraform fails if there is none."""
    return cast(float, _call("lowest", numbers, gives=float))


def highest(numbers: Iterable[float]) -> float:
    """Return the largest number. Terraform fails if there is none."""
    return cast(float, _call("highest", numbers, gives=float))


# Text.


def truncate(text: str, length: int) -> str:
    """Return the first `length` characters of a text."""
    return cast(str, _call("truncate", text, 0, length, gives=str))


def join(separator: str, items: Iterable[str]) -> str:
    """Join the items with a separator."""
    return cast(str, _call("join", separator, items, gives=str))


def replace(text: str, old: str, new: str) -> str:
    """Replace each `old` in a text by `new`."""
    return cast(str, _call("replace", text, old, new, gives=str))


def match(pattern: str, text: str) -> str:
    """Return the part of a text that matches a pattern without groups. Terraform fails if nothing matches."""
    return cast(str, _call("regex", pattern, text, gives=str))


def groups(pattern: str, text: str) -> list[str]:
    """Return the parts of a text that match the groups of a pattern. Terraform fails if nothing matches."""
    return cast(list[str], _call("regex", pattern, text, gives=list[str]))


def all_groups(pattern: str, text: str) -> list[list[str]]:
    """Return the parts that match the groups of a pattern, for each match in a text."""
    return cast(list[list[str]], _call("regexall", pattern, text, gives=list[list[str]]))


def split(separator: str, text: str) -> list[str]:
    """Split a text at each separator."""
    return cast(list[str], _call("split", separator, text, gives=list[str]))


def base64encode(text: str) -> str:
    """Return the Base64 form of a text."""
    return cast(str, _call("base64encode", text, gives=str))


def sha256(text: str) -> str:
    """Return the SHA-256 digest of a text, in hexadecimal digits."""
    return cast(str, _call("sha256", text, gives=str))


def lower(text: str) -> str:
    """Return the text in lower case."""
    return cast(str, _call("lower", text, gives=str))


def upper(text: str) -> str:
    """Return the text in upper case."""
    return cast(str, _call("upper", text, gives=str))


def title(text: str) -> str:
    """Return the text with the first letter of each word in upper case."""
    return cast(str, _call("title", text, gives=str))


def jsonencode(value: Any) -> str:
    """Return the value as JSON."""
    return cast(str, _call("json", value, gives=str))


def jsondecode(text: str) -> Any:
    """Return the value of a JSON text. Terraform fails if it is not JSON."""
    return _call("decoded", text, gives=Any)


def csvdecode(text: str, columns: Iterable[str]) -> list[Any]:
    """Return the rows of a CSV text with these columns. Cells are text; Terraform converts them to numbers."""
    row = types.ObjectType(tuple((name, Any) for name in columns), "column")
    return cast(list[Any], _call("csv", text, gives=list[row]))  # type: ignore[valid-type]


# Files that Terraform reads: `f"{path.module}/table.csv"` is next to the module's HCL.


def file(name: str) -> str:
    """Return the content of a file."""
    return cast(str, _call("file", name, gives=str))


def templatefile(name: str, values: Mapping[str, Any]) -> str:
    """Return the content of a template file, rendered with these values."""
    return cast(str, _call("filled", name, values, gives=str))


# Comprehensions. A function with one parameter gets each item; with two, the key and the item of a map. The names of
# the parameters become the names in HCL.


@overload
def every(items: Mapping[K, V], condition: Callable[[K, V], object]) -> bool: ...
@overload
def every(items: Mapping[K, V], condition: Callable[[V], object]) -> bool: ...
@overload
def every(items: Iterable[T], condition: Callable[[T], object]) -> bool: ...
def every(items: Any, condition: Callable[..., object]) -> bool:
    """Return the condition that `condition` is true for every item."""
    return cast(bool, _call("all", _trace_comprehension(items, condition), gives=bool))


@overload
def list_of(
    items: Mapping[K, V],
    value: Callable[[K, V], R],
    where: Callable[[K, V], object] | Callable[[V], object] | None = None,
) -> list[R]: ...
@overload
def list_of(items: Mapping[K, V], value: Callable[[V], R], where: Callable[[V], object] | None = None) -> list[R]: ...
@overload
def list_of(items: Iterable[T], value: Callable[[T], R], where: Callable[[T], object] | None = None) -> list[R]: ...
def list_of(items: Any, value: Callable[..., R], where: Callable[..., object] | None = None) -> list[R]:
    """Return a list of the value of each item for which `where` is true."""
    return cast(list[R], _trace_comprehension(items, value, where=where))


@overload
def map_of(
    items: Mapping[K, V],
    value: Callable[[K, V], R],
    where: Callable[[K, V], object] | Callable[[V], object] | None = None,
    key: Callable[[K, V], str] | None = None,
) -> dict[str, R]: ...
@overload
def map_of(
    items: Mapping[K, V],
    value: Callable[[V], R],
    where: Callable[[K, V], object] | Callable[[V], object] | None = None,
    key: Callable[[K, V], str] | None = None,
) -> dict[str, R]: ...
@overload
def map_of(
    items: Iterable[T],
    value: Callable[[T], R],
    where: Callable[[T], object] | None = None,
    *,
    key: Callable[[T], str],
) -> dict[str, R]: ...
def map_of(
    items: Any,
    value: Callable[..., R],
    where: Callable[..., object] | None = None,
    key: Callable[..., str] | None = None,
) -> dict[str, R]:
    """Return a map of the value of each item for which `where` is true; `key` changes the keys."""
    return cast(dict[str, R], _trace_comprehension(items, value, key=key or (lambda key, _: key), where=where))


def _trace_comprehension(
    items: Any,
    value: Callable[..., Any],
    *,
    key: Callable[..., Any] | None = None,
    where: Callable[..., object] | None = None,
) -> Expression:
    collection = to_node(items)
    if types.find_kind(collection.type) in ("text", "number", "bool"):
        raise make_author_error(
            f"{to_hcl(items)} is a {types.find_kind(collection.type)}; it has no items to iterate over"
        )
    functions = [each for each in (value, where, key) if each]
    names = _choose_names([list(inspect.signature(each).parameters) for each in functions])
    if names is None:
        raise make_author_error(
            f"a comprehension over {to_hcl(items)} takes lambda item: … or, for a map, lambda key, item: …"
        )
    bound = [
        name_expression(name, kind)
        for name, kind in zip(names, types.get_item_types(collection.type)[-len(names) :], strict=True)
    ]
    with bind_names(names):
        results = {each: each(*bound[-len(inspect.signature(each).parameters) :]) for each in functions}
        nodes = {each: to_condition(result) if each is where else to_node(result) for each, result in results.items()}
    return build_comprehension(names, collection, nodes[value], key and nodes[key], where and nodes[where])


#: Names of the comprehensions that are being built, outermost first.
_bound_names: list[list[str]] = []


@contextlib.contextmanager
def bind_names(names: list[str]) -> Iterator[None]:
    """Reserve the names of a comprehension, so that an inner comprehension cannot bind them again."""
    _bound_names.append(names)
    try:
        yield
    finally:
        _bound_names.pop()


_RESERVED_NAMES = {"data", "each", "local", "module", "self", "var"}


def _choose_names(parameters: Sequence[list[str]]) -> list[str] | None:
    """Return the HCL names of the key and the item, or of the item alone."""
    longest = max(map(len, parameters))
    if not all(1 <= len(each) <= 2 for each in parameters):
        return None
    names_in_use = _RESERVED_NAMES.union(*_bound_names)
    names = [""] * longest
    for each in reversed(parameters):
        for index, name in enumerate(each, longest - len(each)):
            names[index] = name.strip("_") or names[index]
    if duplicates := names_in_use & {*names} or {name for name in names if name and names.count(name) > 1}:
        raise make_author_error(f"'{duplicates.pop()}' already has another meaning here; rename the lambda's parameter")
    names_in_use |= {*names}
    for index, default in enumerate(["key", "item"][-longest:]):
        free = (f"{default}{number or ''}" for number in (0, *range(2, 9)))
        names[index] = names[index] or next(name for name in free if name not in names_in_use)
    return names


def build_comprehension(
    names: Sequence[str],
    items: ExpressionNode,
    value: ExpressionNode,
    key: ExpressionNode | None,
    where: ExpressionNode | None,
) -> Expression:
    """Return `[for names in items : value if where]`; with `key`, a map."""
    gives = dict[str, value.type] if key else list[value.type]  # type: ignore[name-defined]
    return Expression(ExpressionNode("for", (tuple(names), items, key, value, where), gives))


def name_expression(name: str, declared: Any) -> Any:
    """Return the expression that consists of one name."""
    return Expression(ExpressionNode("name", (name,), declared))
