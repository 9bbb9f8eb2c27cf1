"""Declared types of expressions: Python annotations, and the classes of the bindings.

A type is an annotation (`str`, `dict[str, Bucket]`, a model), an `ObjectType`, a `ResourceSchema`, or `Any` if it is
unknown.
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
    """Object with known attributes: a literal, or a module with outputs. `noun` names an attribute in messages."""

    fields: tuple[tuple[str, Any], ...]
    noun: str = "attribute"


@dataclass(frozen=True)
class ResourceSchema:
    """Resource, data source or nested block, with the attributes of its binding class."""

    cls: type


def strip_annotation(annotation: Any) -> Any:
    """Return an annotation without `| None`, `Annotated` and `Literal`."""
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


def list_choices(annotation: Any) -> tuple[Any, ...]:
    """Return the values that a `Literal` allows; empty for another type."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def is_nullable(annotation: Any) -> bool:
    """Return whether the annotation allows null."""
    if get_origin(annotation) is Annotated:
        return is_nullable(get_args(annotation)[0])
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def find_kind(declared: Any) -> str:
    """Return `text`, `number`, `bool`, `list`, `map`, `null` or `any`."""
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
    """Return the attributes of a type by name, or None if any attribute is possible."""
    declared = strip_annotation(declared)
    if isinstance(declared, ObjectType):
        return dict(declared.fields)
    if isinstance(declared, ResourceSchema):
        return list_attributes(declared.cls)
    if find_kind(declared) == "map" and get_origin(declared) is None:
        return {name: field.annotation for name, field in declared.model_fields.items()}
    return None if find_kind(declared) == "any" else {}


def get_number_defaults(declared: Any) -> Mapping[str, Any]:
    """Return the defaults of a `NumberMap`; empty for other types."""
    declared = strip_annotation(declared)
    if not getattr(declared, "keys_are_declared", False):
        return {}
    return {name: field.default for name, field in declared.model_fields.items()}


def get_item_types(declared: Any) -> tuple[Any, Any]:
    """Return the types of the key and of the items of a collection."""
    inner = strip_annotation(declared)
    origin, arguments = get_origin(inner), get_args(inner)
    if origin is dict:
        return arguments
    if origin is list:
        return int, arguments[0]
    if origin is set:
        return arguments[0], arguments[0]
    if isinstance(inner, ObjectType) and inner.fields:
        return Literal[tuple(dict(inner.fields))], find_common_item_type(dict(inner.fields).values())
    fields = list_members(inner)
    return (str, find_common_type(fields.values())) if fields else (Any, Any)


def find_common_type(types: Iterable[Any]) -> Any:
    """Return the type that all of these share, or Any."""
    distinct: list[Any] = []
    for each in types:
        if each not in distinct:
            distinct.append(each)
    return distinct[0] if len(distinct) == 1 else Any


def find_common_item_type(annotations: Iterable[Any]) -> Any:
    """Return the type of the items of a literal collection. For objects, it has the attributes of every item.

    Terraform fails if it reads an attribute that one item lacks.
    """
    each = list(annotations)
    if len(each) < 2 or not all(isinstance(one, ObjectType) for one in each):
        return find_common_type(each)
    first, *others = (dict(one.fields) for one in each)
    names = [name for name in first if all(name in fields for fields in others)]
    fields = ((name, find_common_item_type(fields[name] for fields in (first, *others))) for name in names)
    return ObjectType(tuple(fields), "common attribute")


def merge_types(declared: Iterable[Any]) -> Any:
    """Return the type of merged maps: an object if all are objects, Any if one is unknown."""
    each = list(declared)
    if any(find_kind(one) == "any" for one in each):
        return Any
    fields = [list_members(one) for one in each]
    if all(fields):
        return ObjectType(tuple({name: held for one in fields for name, held in (one or {}).items()}.items()))
    return dict[str, find_common_type(get_item_types(one)[1] for one in each)]  # type: ignore[misc]


@functools.cache
def list_attributes(cls: type) -> Mapping[str, Any]:
    """Return the readable attributes of a resource or block: the properties of its binding class."""
    own = {name: value for name, value in vars(cls).items() if isinstance(value, property)}
    attributes = {}
    for name, value in own.items():
        if name == "internal_value" or (name.endswith("_input") and name.removesuffix("_input") in own):
            continue
        attributes[name] = _read_attribute_type(typing.get_type_hints(value.fget).get("return", Any))
    return attributes


def _read_attribute_type(hint: Any) -> Any:
    """Return the type of an attribute, from the return type of the property."""
    arguments = [argument for argument in get_args(hint) if argument is not NoneType]
    if get_origin(hint) in (Union, UnionType):
        if set(arguments) <= {int, float}:
            return float
        return bool if bool in arguments else Any
    if get_origin(hint) in (list, Sequence):
        return list[_read_attribute_type(arguments[0])]  # type: ignore[misc]  # a type for us, not for mypy
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
