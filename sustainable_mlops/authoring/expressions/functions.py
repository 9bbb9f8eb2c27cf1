"""The functions that authors call, typed as what they give. Their HCL and their Python stand in `table`."""

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, TypeVar, cast, overload

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import author_error
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import Expression, lift, to_hcl
from sustainable_mlops.authoring.expressions.expression import lift_condition as condition_of
from sustainable_mlops.authoring.expressions.node import ExpressionNode

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")


def _call(name: str, *arguments: Any, gives: Any) -> Any:
    return Expression(ExpressionNode("call", (name, *map(lift, arguments)), gives))


def _common_item_type(*collections: Any) -> Any:
    """The type of what these collections hold."""
    return types.common_type(types.item_types(lift(each).type)[1] for each in collections)


def _common_node_type(*nodes: ExpressionNode) -> Any:
    """The type of what is one of these."""
    return types.common_type(node.type for node in nodes if types.kind_of(node.type) != "null")


def is_expression(value: object) -> bool:
    """Will Terraform alone know it? Of values, Python does."""
    return isinstance(value, Expression)


# Conditions.


def is_null(value: object) -> bool:
    """Is no value given?"""
    return cast(bool, Expression(ExpressionNode("==", (lift(value), lift(None)), bool)))


def assume_not_null(value: T | None) -> T:
    """`value`, where a condition beside it has said that it is not null: for mypy alone."""
    return cast(T, value)


def as_map(value: BaseModel) -> Mapping[str, Any]:
    """An object as the map of its attributes: for mypy alone."""
    return cast(Mapping[str, Any], value)


def local_table(name: str, value: T) -> T:
    """A value that is known here and too long to stand in a rule: there `local.<name>`, which the module adds."""
    return cast(T, Expression(ExpressionNode("fixed", (name, value), lift(value).type)))


def when(condition: object, if_true: T, if_false: R) -> T | R:
    """`condition ? one : other`."""
    nodes = condition_of(condition), lift(if_true), lift(if_false)
    return cast(T, Expression(ExpressionNode("if", nodes, _common_node_type(*nodes[1:]))))


def can(value: object) -> bool:
    """Is it a value, and no error?"""
    return cast(bool, _call("can", value, gives=bool))


def coalesce(*values: T | None) -> T:
    """The first that is neither null nor an empty text; an error where there is none."""
    return cast(T, _call("coalesce", *values, gives=_common_node_type(*map(lift, values))))


def try_(value: T, other: R) -> T | R:
    """The value, or `other` where it is an error."""
    return cast(T, _call("try", value, other, gives=_common_node_type(lift(value), lift(other))))


def contains(items: Iterable[T], item: T) -> bool:
    """Is `item` one of the items?"""
    return cast(bool, _call("contains", items, item, gives=bool))


def text_contains(text: str, part: str) -> bool:
    """Is `part` somewhere in the text?"""
    return cast(bool, _call("holds", text, part, gives=bool))


# Lists, sets and maps.


def length(value: Sized) -> int:
    """How many items, or characters."""
    return cast(int, _call("length", value, gives=int))


def keys(mapping: Mapping[K, V]) -> list[K]:
    """The keys of a map, sorted."""
    return cast(list[K], _call("keys", mapping, gives=list[str]))


def get(mapping: Mapping[K, V], key: K, default: V) -> V:
    """The item of `key`, or `default`."""
    return cast(V, _call("get", mapping, key, default, gives=_common_item_type(mapping)))


def merge(*maps: Mapping[K, V]) -> dict[K, V]:
    """All of these maps in one; of a key that two have, the last."""
    return cast(dict[K, V], _call("merge", *maps, gives=types.merged_type(lift(each).type for each in maps)))


def merge_all(maps: Iterable[Mapping[K, V]]) -> dict[K, V]:
    """The same of the maps that a list holds."""
    return cast(dict[K, V], _call("merged", maps, gives=_common_item_type(maps)))


def concat(*lists: Iterable[T]) -> list[T]:
    """All of these lists in one."""
    return cast(list[T], _call("concat", *lists, gives=list[_common_item_type(*lists)]))  # type: ignore[misc]


def flatten(lists: Iterable[Iterable[T]]) -> list[T]:
    """A list of lists as one list."""
    inner = types.item_types(types.item_types(lift(lists).type)[1])[1]
    return cast(list[T], _call("flatten", lists, gives=list[inner]))  # type: ignore[valid-type]


def distinct(items: Iterable[T]) -> list[T]:
    """Each item once, where it comes first."""
    return cast(list[T], _call("distinct", items, gives=list[_common_item_type(items)]))  # type: ignore[misc]


def set_of(items: Iterable[T]) -> set[T]:
    """The items as a set."""
    return cast(set[T], _call("set_of", items, gives=set[_common_item_type(items)]))  # type: ignore[misc]


def intersection(left: Iterable[T], right: Iterable[T]) -> set[T]:
    """What is in both, as a set."""
    return cast(set[T], _call("shared", left, right, gives=set[_common_item_type(left)]))  # type: ignore[misc]


def difference(left: Iterable[T], right: Iterable[T]) -> set[T]:
    """What is in `one` and not in `other`, as a set."""
    return cast(set[T], _call("without", left, right, gives=set[_common_item_type(left)]))  # type: ignore[misc]


def optional(value: T | None) -> list[T]:
    """A list of the value, empty where it is null."""
    return cast(list[T], _call("optional", value, gives=list[types.strip_annotation(lift(value).type)]))  # type: ignore[misc]


def optional_map(key: str, value: T | None) -> dict[str, T]:
    """A map of the value under `key`, empty where it is null: for `for_each`."""
    held = lift(value)
    node = ExpressionNode(
        "if", (lift(is_null(value)), lift({}), lift({key: value})), dict[str, types.strip_annotation(held.type)]
    )  # type: ignore[misc]
    return cast(dict[str, T], Expression(node))


def one_or_null(items: Iterable[T]) -> T | None:
    """The one item, or null where there is none."""
    return cast(T, _call("one", items, gives=_common_item_type(items)))


def lowest(numbers: Iterable[float]) -> float:
    """The least of the numbers; an error where there is none."""
    return cast(float, _call("lowest", numbers, gives=float))


def highest(numbers: Iterable[float]) -> float:
    """The greatest of the numbers; an error where there is none."""
    return cast(float, _call("highest", numbers, gives=float))


# Text.


def truncate(text: str, length: int) -> str:
    """The first characters of a text, so many at most."""
    return cast(str, _call("cut", text, 0, length, gives=str))


def join(separator: str, items: Iterable[str]) -> str:
    """The items as one text."""
    return cast(str, _call("join", separator, items, gives=str))


def replace(text: str, old: str, new: str) -> str:
    """The text with each `old` as `new`."""
    return cast(str, _call("replace", text, old, new, gives=str))


def match(pattern: str, text: str) -> str:
    """The part of the text that matches a pattern without groups; an error where none does."""
    return cast(str, _call("regex", pattern, text, gives=str))


def groups(pattern: str, text: str) -> list[str]:
    """What the groups of a pattern match in the text; an error where it does not match."""
    return cast(list[str], _call("regex", pattern, text, gives=list[str]))


def split(separator: str, text: str) -> list[str]:
    """The parts of the text between the separators."""
    return cast(list[str], _call("split", separator, text, gives=list[str]))


def lower(text: str) -> str:
    """The text in small letters."""
    return cast(str, _call("lower", text, gives=str))


def upper(text: str) -> str:
    """The text in capitals."""
    return cast(str, _call("upper", text, gives=str))


def title(text: str) -> str:
    """The text with each word's first letter as a capital."""
    return cast(str, _call("title", text, gives=str))


def jsonencode(value: Any) -> str:
    """The value as JSON."""
    return cast(str, _call("json", value, gives=str))


def jsondecode(text: str) -> Any:
    """What a text of JSON holds; an error where it is none."""
    return _call("decoded", text, gives=Any)


def csvdecode(text: str, columns: Iterable[str]) -> list[Any]:
    """The rows of a text of CSV with these columns, all of whose cells are texts; Terraform makes numbers of them."""
    row = types.ObjectType(tuple((name, Any) for name in columns), "column")
    return cast(list[Any], _call("csv", text, gives=list[row]))  # type: ignore[valid-type]


# Files, which Terraform reads: `f"{path.module}/table.csv"` lies beside the module's HCL.


def file(name: str) -> str:
    """What a file holds."""
    return cast(str, _call("file", name, gives=str))


def templatefile(name: str, values: Mapping[str, Any]) -> str:
    """What a file of this template gives for the values."""
    return cast(str, _call("filled", name, values, gives=str))


# Comprehensions: of each item, or of each key and item of a map, by whether the function takes one or two. The names of
# its parameters are the names in HCL.


@overload
def every(items: Mapping[K, V], condition: Callable[[K, V], object]) -> bool: ...
@overload
def every(items: Mapping[K, V], condition: Callable[[V], object]) -> bool: ...
@overload
def every(items: Iterable[T], condition: Callable[[T], object]) -> bool: ...
def every(items: Any, condition: Callable[..., object]) -> bool:
    """Does it hold for each item?"""
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
    """A value of each item, where a condition holds."""
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
    """A map of a value of each item, where a condition holds; under the same keys unless `key` gives others."""
    return cast(dict[str, R], _trace_comprehension(items, value, key=key or (lambda key, _: key), where=where))


def _trace_comprehension(
    items: Any,
    value: Callable[..., Any],
    *,
    key: Callable[..., Any] | None = None,
    where: Callable[..., object] | None = None,
) -> Expression:
    collection = lift(items)
    if types.kind_of(collection.type) in ("text", "number", "bool"):
        raise author_error(f"{to_hcl(items)} is a {types.kind_of(collection.type)}; there is nothing to go through")
    functions = [each for each in (value, where, key) if each]
    names = _choose_names([list(inspect.signature(each).parameters) for each in functions])
    if names is None:
        raise author_error(f"going through {to_hcl(items)} takes lambda item: … or, for a map, lambda key, item: …")
    bound = [
        name_expression(name, kind)
        for name, kind in zip(names, types.item_types(collection.type)[-len(names) :], strict=True)
    ]
    with bind_names(names):
        results = {each: each(*bound[-len(inspect.signature(each).parameters) :]) for each in functions}
        nodes = {each: condition_of(result) if each is where else lift(result) for each, result in results.items()}
    return build_comprehension(names, collection, nodes[value], key and nodes[key], where and nodes[where])


#: Names of the comprehensions that are being written, outermost first.
_bound_names: list[list[str]] = []


@contextlib.contextmanager
def bind_names(names: list[str]) -> Iterator[None]:
    """Within it these names mean the items of a comprehension, so that no inner one may bind them again."""
    _bound_names.append(names)
    try:
        yield
    finally:
        _bound_names.pop()


_RESERVED_NAMES = {"data", "each", "local", "module", "self", "var"}


def _choose_names(parameters: Sequence[list[str]]) -> list[str] | None:
    """What the functions of one comprehension call the key and the item, or the item alone."""
    longest = max(map(len, parameters))
    if not all(1 <= len(each) <= 2 for each in parameters):
        return None
    names_in_use = _RESERVED_NAMES.union(*_bound_names)
    names = [""] * longest
    for each in reversed(parameters):
        for index, name in enumerate(each, longest - len(each)):
            names[index] = name.strip("_") or names[index]
    if duplicates := names_in_use & {*names} or {name for name in names if name and names.count(name) > 1}:
        raise author_error(
            f"'{duplicates.pop()}' means something else here already; name the lambda's parameter otherwise"
        )
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
    """`[for names in items : value if where]`, a map with a `key`."""
    gives = dict[str, value.type] if key else list[value.type]  # type: ignore[name-defined]
    return Expression(ExpressionNode("for", (tuple(names), items, key, value, where), gives))


def name_expression(name: str, declared: Any) -> Any:
    """The expression that is one name."""
    return Expression(ExpressionNode("name", (name,), declared))
