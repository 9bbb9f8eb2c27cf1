"""Nested blocks written as plain dicts, as in HCL, and proven against the bindings' types."""

import functools
import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sustainable_mlops.authoring import hcl


@dataclass(frozen=True)
class Dynamic:
    """A `dynamic` block: `content` once for each item of the expression `for_each`, which it names `iterator`."""

    for_each: str
    content: Mapping[str, Any]
    iterator: str | None = None

    def body(self, label: str) -> dict[str, Any]:
        body: dict[str, Any] = {"for_each": self.for_each, "content": dict(self.content)}
        if self.iterator and self.iterator != label:
            body["iterator"] = self.iterator
        return body


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls.__init__)  # type: ignore[misc]  # the signature is what we read


def _members(annotation: Any) -> Iterator[Any]:
    """Every type named inside an annotation."""
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _members(argument)


def _struct(annotation: Any) -> type | None:
    """The bindings' class of one nested block, where an annotation names one."""
    return next((member for member in _members(annotation) if hasattr(member, "__jsii_struct_bases__")), None)


def _required(cls: type, name: str) -> bool:
    parameter = inspect.signature(cls.__init__).parameters[name]  # type: ignore[misc]  # as above
    return parameter.default is inspect.Parameter.empty


def arguments(cls: type, values: Mapping[str, Any], path: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Split `values` into what `cls` takes, nested dicts as the bindings' own classes, and overrides by path.

    Raises TypeError, naming the path, on an argument that the provider's schema does not have.
    """
    hints = _hints(cls)
    taken: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for name, value in values.items():
        place = f"{path}.{name}" if path else name
        if name not in hints:
            raise TypeError(f"{cls.__name__} has no argument {name!r} (at {place})")
        struct = _struct(hints[name])
        if isinstance(value, Dynamic):
            if struct is not None:
                _, nested = arguments(struct, value.content, place)
                if nested:
                    raise TypeError(f"a dynamic block inside a dynamic block (at {place}): flatten it in a local")
            prefix = f"{path}." if path else ""
            overrides[f"{prefix}dynamic.{name}"] = value.body(name)
            if _required(cls, name):
                taken[name] = []  # the bindings insist; an empty list of blocks is not written
        elif struct is not None and isinstance(value, Mapping):
            inner, nested = arguments(struct, value, place)
            taken[name], overrides = struct(**inner), overrides | nested
        elif struct is not None and isinstance(value, list):
            items = [arguments(struct, item, f"{place}.{index}") for index, item in enumerate(value)]
            taken[name] = [struct(**inner) for inner, _ in items]
            for _, nested in items:
                overrides |= nested
        else:
            taken[name] = value
    return taken, overrides


def shape(cls: type, values: Mapping[str, Any], known: Mapping[str, Any]) -> hcl.Shape:
    """The layout of a block: the author's order from `values`, what is a block from the bindings' `known`."""
    return _nested_shape(values, known, cls)


def _nested_shape(value: Any, known: Any, struct: type | None) -> hcl.Shape:
    hints = _hints(struct) if struct else {}
    values = value if isinstance(value, list) else [value]
    attributes = known if isinstance(known, list) else [known]
    result = hcl.Shape()
    for item, attribute in zip(values, attributes, strict=False):
        if not isinstance(attribute, Mapping):
            continue
        author = item if isinstance(item, Mapping) else {}
        result.order += tuple(name for name in author if name not in result.order)
        for name, inner in attribute.items():
            if isinstance(inner, Mapping) and inner.get("isBlock"):
                result.blocks[name] = _nested_shape(author.get(name), inner.get("value"), _struct(hints.get(name)))
        for name, inner in author.items():
            if isinstance(inner, Dynamic) and (content := _struct(hints.get(name))):
                result.blocks[name] = _dynamic_shape(content, inner.content)
    return result


def _dynamic_shape(struct: type, content: Mapping[str, Any]) -> hcl.Shape:
    hints = _hints(struct)
    result = hcl.Shape(order=tuple(content))
    for name, value in content.items():
        inner = _struct(hints[name])
        item = value[0] if isinstance(value, list) and value else value
        if inner is not None and isinstance(item, Mapping):
            result.blocks[name] = _dynamic_shape(inner, item)
    return result
