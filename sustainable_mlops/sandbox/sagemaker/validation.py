"""Check requests against botocore's service model and refuse them in SageMaker's own words."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sustainable_mlops.sandbox.sagemaker.errors import SerializationError, ValidationError

Violations = Iterator[str]

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "blob": (str,),
}


def validate(request: Mapping[str, Any], shape: Shape) -> None:
    """Raise SerializationError for a value of the wrong type, else ValidationError that names every violation."""
    violations = list(_structure(request, shape, ""))
    if violations:
        count = len(violations)
        noun = "error" if count == 1 else "errors"
        raise ValidationError(f"{count} validation {noun} detected: {'; '.join(violations)}")


def _check(value: Any, shape: Shape, path: str) -> Violations:
    _check_type(value, shape)
    if isinstance(shape, StructureShape):
        yield from _structure(value, shape, path)
    elif isinstance(shape, ListShape):
        yield from _list(value, shape, path)
    elif isinstance(shape, MapShape):
        yield from _map(value, shape, path)
    else:
        yield from (_failed(value, path, constraint) for constraint in _scalar(value, shape))


def _check_type(value: Any, shape: Shape) -> None:
    expected = _PYTHON_TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        raise SerializationError(f"{_json_type(value)} can not be converted to {shape.type_name} ({shape.name})")


def _structure(value: Mapping[str, Any], shape: Shape, path: str) -> Violations:
    assert isinstance(shape, StructureShape)
    for name, member in shape.members.items():
        where = f"{path}.{_lower(name)}" if path else _lower(name)
        if value.get(name) is not None:
            yield from _check(value[name], member, where)
        elif name in shape.required_members:
            yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"


def _list(value: list[Any], shape: ListShape, path: str) -> Violations:
    yield from (_failed(value, path, constraint) for constraint in _length(len(value), shape))
    for number, item in enumerate(value, start=1):
        if isinstance(shape.member, StructureShape | ListShape | MapShape):
            yield from _check(item, shape.member, f"{path}.{number}.member")
            continue
        _check_type(item, shape.member)
        inner = list(_scalar(item, shape.member))
        if inner:
            yield _failed(value, path, f"Member must satisfy constraint: [{', '.join(inner)}]")
            return


def _map(value: Mapping[str, Any], shape: MapShape, path: str) -> Violations:
    yield from (_failed(value, path, constraint) for constraint in _length(len(value), shape))
    for key, item in value.items():
        bad_key = list(_scalar(key, shape.key))
        if bad_key:
            yield _failed(value, path, f"Map keys must satisfy constraint: [{', '.join(bad_key)}]")
        if isinstance(shape.value, StructureShape | ListShape | MapShape):
            yield from _check(item, shape.value, f"{path}.{key}.member")
            continue
        _check_type(item, shape.value)
        bad_value = list(_scalar(item, shape.value))
        if bad_value:
            yield _failed(value, path, f"Map value must satisfy constraint: [{', '.join(bad_value)}]")


def _scalar(value: Any, shape: Shape) -> Violations:
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        yield from _length(len(value), shape)
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _limits(value, shape, "value")


def _length(length: int, shape: Shape) -> Violations:
    return _limits(length, shape, "length")


def _limits(value: float, shape: Shape, what: str) -> Violations:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and value < minimum:
        yield f"Member must have {what} greater than or equal to {minimum}"
    if maximum is not None and value > maximum:
        yield f"Member must have {what} less than or equal to {maximum}"


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    kinds = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY", dict: "START_OBJECT"}
    return kinds.get(type(value), type(value).__name__)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The model's Java pattern for Python, which has no `\\p{…}` classes and no surrogate ranges.

    A pattern that cannot be said in Python lets everything pass: too lenient on a description is harmless.
    """
    for java, python in (
        (r"\p{L}", r"\w"),
        (r"\p{N}", r"\d"),
        (r"\p{M}", r"\u0300-\u036f"),
        (r"\p{Z}", r"\s"),
        (r"\p{S}", r"$+<=>^`|~\u00a0-\u00bf\u20a0-\u2bff"),
        (r"\p{P}", r"!-#%-*,-/:;?@\[-\]_{}\u00a1-\u00bf\u2010-\u205e"),
        (r"\p{Alnum}", "A-Za-z0-9"),
        ("${1,256}", "{1,256}"),
        ("${1,128}", "{1,128}"),
    ):
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return re.compile(r"[\s\S]*")
