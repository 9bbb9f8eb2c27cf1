"""What an expression is declared to be: Python annotations, and what the bindings know of resources and blocks.

A type is an annotation (`str`, `dict[str, Bucket]`, a model), an `Object`, a `Schema`, or `Any` where nothing is known.
"""

import functools
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True)
class ObjectType:
    """An object whose attributes are known: a literal, or a module with its outputs (`what` says which)."""

    fields: tuple[tuple[str, Any], ...]
    what: str = "attribute"


@dataclass(frozen=True)
class ResourceSchema:
    """A resource, data source or nested block, as its class in the bindings declares it."""

    cls: type


def strip_annotation(annotation: Any) -> Any:
    """An annotation without `| None`, `Annotated` and `Literal`."""
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation = arguments[0]
        elif origin is Literal:
            return type(arguments[0])
        elif origin in (Union, UnionType):
            inner = [argument for argument in arguments if argument is not NoneType]
            if len(inner) != 1:
                return Any
            annotation = inner[0]
        else:
            return annotation


def is_nullable(annotation: Any) -> bool:
    """May it be null?"""
    if get_origin(annotation) is Annotated:
        return is_nullable(get_args(annotation)[0])
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def kind_of(declared: Any) -> str:
    """`text`, `number`, `bool`, `list`, `map`, `null` or `any`."""
    declared = strip_annotation(declared)
    if isinstance(declared, ObjectType | ResourceSchema):
        return "map"
    if isinstance(declared, type) and not isinstance(declared, GenericAlias) and issubclass(declared, BaseModel):
        return "map"
    known = {str: "text", int: "number", float: "number", bool: "bool", NoneType: "null"}
    if isinstance(declared, type) and declared in known:
        return known[declared]
    return {list: "list", set: "list", dict: "map"}.get(get_origin(declared), "any")


def list_members(declared: Any) -> Mapping[str, Any] | None:
    """The attributes of a type, by name; None where any may be."""
    declared = strip_annotation(declared)
    if isinstance(declared, ObjectType):
        return dict(declared.fields)
    if isinstance(declared, ResourceSchema):
        return list_attributes(declared.cls)
    if kind_of(declared) == "map" and get_origin(declared) is None:
        return {name: field.annotation for name, field in declared.model_fields.items()}
    return None if kind_of(declared) == "any" else {}


def number_defaults(declared: Any) -> Mapping[str, Any]:
    """The numbers that a map with declared keys holds where none is given; empty where it is no such map."""
    declared = strip_annotation(declared)
    if not getattr(declared, "keys_are_declared", False):
        return {}
    return {name: field.default for name, field in declared.model_fields.items()}


def item_types(declared: Any) -> tuple[Any, Any]:
    """The types of a collection's key and of what it holds."""
    inner = strip_annotation(declared)
    origin, arguments = get_origin(inner), get_args(inner)
    if origin is dict:
        return arguments
    if origin is list:
        return int, arguments[0]
    if origin is set:
        return arguments[0], arguments[0]
    fields = list_members(inner)
    return (str, common_type(fields.values())) if fields else (Any, Any)


def common_type(types: Iterable[Any]) -> Any:
    """The one type that all of these are, else Any."""
    distinct: list[Any] = []
    for each in types:
        if each not in distinct:
            distinct.append(each)
    return distinct[0] if len(distinct) == 1 else Any


def merged_type(declared: Iterable[Any]) -> Any:
    """The type of these maps in one: an object where all are, Any where one may be anything."""
    each = list(declared)
    if any(kind_of(one) == "any" for one in each):
        return Any
    fields = [list_members(one) for one in each]
    if all(fields):
        return ObjectType(tuple({name: held for one in fields for name, held in (one or {}).items()}.items()))
    return dict[str, common_type(item_types(one)[1] for one in each)]  # type: ignore[misc]


@functools.cache
def list_attributes(cls: type) -> Mapping[str, Any]:
    """What can be read of a resource or a block: the bindings' own properties, none of its methods."""
    own = {name: value for name, value in vars(cls).items() if isinstance(value, property)}
    attributes = {}
    for name, value in own.items():
        if name == "internal_value" or (name.endswith("_input") and name.removesuffix("_input") in own):
            continue
        attributes[name] = _attribute_type(typing.get_type_hints(value.fget).get("return", Any))
    return attributes


def _attribute_type(hint: Any) -> Any:
    """The type of an attribute, from what the bindings' property returns."""
    arguments = [argument for argument in get_args(hint) if argument is not NoneType]
    if get_origin(hint) in (Union, UnionType):
        if set(arguments) <= {int, float}:
            return float
        return bool if bool in arguments else Any
    if get_origin(hint) in (list, Sequence):
        return list[_attribute_type(arguments[0])]  # type: ignore[misc]  # a type for us, not for mypy
    if hint in (str, bool, int, float):
        return hint
    name = getattr(hint, "__name__", "")
    if name == "StringMap":
        return dict[str, str]
    if name.endswith("OutputReference"):
        return list[ResourceSchema(hint)]  # type: ignore[misc]
    if name.endswith("List") and hasattr(hint, "get"):
        return list[ResourceSchema(typing.get_type_hints(hint.get)["return"])]  # type: ignore[misc]
    return Any
