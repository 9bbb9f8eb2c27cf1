"""Roots of expressions: inputs, the item of a `for_each` or dynamic block, paths, and the resource itself."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast, get_origin, overload

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import to_hcl, to_node
from sustainable_mlops.authoring.expressions.functions import name_expression
from sustainable_mlops.authoring.expressions.node import ExpressionNode

K = TypeVar("K")
V = TypeVar("V")
Model = TypeVar("Model", bound=BaseModel)
Kind = TypeVar("Kind")

#: Paths of the module's files.
path = name_expression("path", types.ObjectType((("module", str), ("root", str))))


def input_expressions(model: type[Model], name: str = "var") -> Model:
    """Return `var`: for authors and mypy an instance of the model, with expressions as fields."""
    return cast(Model, name_expression(name, model))


def self_reference(kind: type[Kind]) -> Kind:
    """Return `self`: the resource that contains the `lifecycle` condition."""
    return cast(Kind, name_expression("self", types.ResourceSchema(kind)))


class Each(Generic[K, V]):
    """Current item of a `for_each`: its `key`, its `value` and the collection."""

    key: K
    value: V

    def __init__(self, collection: Any, name: str = "each") -> None:
        self.collection: ExpressionNode = to_node(collection)
        self.name = name
        key, value = types.get_item_types(self.collection.type)
        self.type = types.ObjectType((("key", key), ("value", value)))
        of = name_expression(name, self.type)
        self.key, self.value = of.key, of.value


@overload
def each_of(collection: Mapping[K, V]) -> Each[K, V]: ...
@overload
def each_of(collection: Iterable[K]) -> Each[K, K]: ...
def each_of(collection: Any) -> Any:
    """Return the item of a `for_each` over a map or a set; arguments use its `key` and `value`."""
    declared = to_node(collection).type
    if get_origin(types.strip_annotation(declared)) is list:
        raise make_author_error(f"{to_hcl(collection)} is a list; each_of() takes a map or a set: set_of(…)")
    if types.find_kind(declared) in ("text", "number", "bool"):
        raise make_author_error(
            f"{to_hcl(collection)} is a {types.find_kind(declared)}; each_of() takes a map or a set"
        )
    return Each[Any, Any](collection)


class Dynamic(Generic[K, V]):
    """Dynamic block: one nested block for each item. The parameter of `content` becomes the iterator in HCL."""

    @overload
    def __init__(
        self: "Dynamic[K, V]", collection: Mapping[K, V], content: Callable[[Each[K, V]], Mapping[str, Any]]
    ) -> None: ...
    @overload
    def __init__(
        self: "Dynamic[int, V]", collection: Iterable[V], content: Callable[[Each[int, V]], Mapping[str, Any]]
    ) -> None: ...
    def __init__(self, collection: Any, content: Callable[..., Mapping[str, Any]]) -> None:
        (self.iterator,) = inspect.signature(content).parameters
        each = Each[Any, Any](collection, self.iterator)
        self.for_each = each.collection
        self.content = content(each)
