"""What expressions begin with: inputs, the item of a `for_each` or a dynamic block, resources, locals, module calls."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast, get_origin, overload

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import author_error
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import lift, to_hcl
from sustainable_mlops.authoring.expressions.functions import name_expression
from sustainable_mlops.authoring.expressions.node import ExpressionNode

K = TypeVar("K")
V = TypeVar("V")
Model = TypeVar("Model", bound=BaseModel)
Kind = TypeVar("Kind")

#: Where the module's own files are.
path = name_expression("path", types.ObjectType((("module", str), ("root", str))))


def input_expressions(model: type[Model], name: str = "var") -> Model:
    """`var`: for authors and mypy an instance of the model, whose fields are expressions."""
    return cast(Model, name_expression(name, model))


def self_reference(kind: type[Kind]) -> Kind:
    """The resource of this kind in which a condition of its `lifecycle` stands."""
    return cast(Kind, name_expression("self", types.ResourceSchema(kind)))


class Each(Generic[K, V]):
    """One item of what is gone through: its `key` and its `value`, and the collection that `for_each` takes."""

    key: K
    value: V

    def __init__(self, collection: Any, name: str = "each") -> None:
        self.collection: ExpressionNode = lift(collection)
        self.name = name
        key, value = types.item_types(self.collection.type)
        self.type = types.ObjectType((("key", key), ("value", value)))
        of = name_expression(name, self.type)
        self.key, self.value = of.key, of.value


@overload
def each_of(collection: Mapping[K, V]) -> Each[K, V]: ...
@overload
def each_of(collection: Iterable[K]) -> Each[K, K]: ...
def each_of(collection: Any) -> Any:
    """One instance for each item of a map or a set: `for_each=each`, then `each.key` and `each.value` in arguments."""
    declared = lift(collection).type
    if get_origin(types.strip_annotation(declared)) is list:
        raise author_error(f"{to_hcl(collection)} is a list; each_of() takes a map or a set: set_of(…)")
    if types.kind_of(declared) in ("text", "number", "bool"):
        raise author_error(f"{to_hcl(collection)} is a {types.kind_of(declared)}; each_of() takes a map or a set")
    return Each[Any, Any](collection)


class Dynamic(Generic[K, V]):
    """Nested blocks, one for each item: `content` is a function of the item, whose parameter names it in HCL."""

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
