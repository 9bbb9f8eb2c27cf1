"""Nested blocks written as plain dicts, as in HCL, and proven against the bindings' types."""

import functools
import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions.scopes import Dynamic
from sustainable_mlops.authoring.expressions.tokens import plain, template, token
from sustainable_mlops.authoring.mistakes import mistake
from sustainable_mlops.errors import did_you_mean

#: Arguments that every resource takes, written as such and not among a class's own.
META_ARGUMENTS = ("depends_on", "for_each", "lifecycle")
#: What the bindings take besides, and a module does not use.
_OTHER = ("connection", "count", "id_", "provider", "provisioners", "scope", "self", "return")


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

    Raises UserError, naming the path, on an argument that the provider's schema does not have or that takes another
    kind of value.
    """
    hints = _hints(cls)
    taken: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for name, value in values.items():
        place = f"{path}.{name}" if path else name
        if name not in hints or name in (*META_ARGUMENTS, *_OTHER):
            raise mistake(_no_argument(cls, name, path))
        struct = _struct(hints[name])
        value, dynamic = _apart(value)
        if dynamic is not None:
            if struct is not None:
                arguments(struct, dynamic.content, place)
            prefix = f"{path}." if path else ""
            overrides[f"{prefix}dynamic.{name}"] = dynamic_body(name, dynamic)
            if _required(cls, name):
                taken[name] = []  # the bindings insist; an empty list of blocks is not written
            if not value:
                continue
        if struct is not None and isinstance(value, Mapping):
            inner, nested = arguments(struct, value, place)
            taken[name], overrides = _made(struct, inner, place), overrides | nested
        elif struct is not None and isinstance(value, list):
            items = [arguments(struct, item, f"{place}.{index}") for index, item in enumerate(value)]
            taken[name] = [_made(struct, inner, place) for inner, _ in items]
            for _, nested in items:
                overrides |= nested
        else:
            taken[name] = token(value, hints[name], place)
    return taken, overrides


def _apart(value: Any) -> tuple[Any, Dynamic[Any, Any] | None]:
    """The blocks that are written out, and the dynamic one beside them."""
    if isinstance(value, Dynamic):
        return None, value
    if isinstance(value, list) and value and isinstance(value[-1], Dynamic):
        return value[:-1], value[-1]
    return value, None


def _made(struct: type, values: Mapping[str, Any], place: str) -> Any:
    missing = [name for name in _hints(struct) if name != "return" and _required(struct, name) and name not in values]
    if missing:
        raise mistake(f"{place} needs {', '.join(missing)}")
    return struct(**values)


def _no_argument(cls: type, name: str, path: str) -> str:
    if name == "count":
        return "count would number instances, and renumber them when one goes: use for_each=each_of(a map or a set)"
    known = {*_hints(cls), *(() if path else META_ARGUMENTS)} - {*_OTHER}
    return f"{cls.__name__} has no argument '{name}'{f' (at {path})' if path else ''}{did_you_mean(name, known)}"


def said(values: Any) -> Any:
    """Arguments in Terraform's JSON syntax, dynamic blocks under `dynamic`."""
    if isinstance(values, Mapping):
        parts = {name: _apart(value) for name, value in values.items()}
        dynamic = {name: dynamic_body(name, found) for name, (_, found) in parts.items() if found is not None}
        rest = {name: said(value) for name, (value, _) in parts.items() if value is not None or name not in dynamic}
        return {**rest, "dynamic": dynamic} if dynamic else rest
    return [said(value) for value in values] if isinstance(values, list | tuple) else plain(values)


def dynamic_body(label: str, dynamic: Dynamic[Any, Any]) -> dict[str, Any]:
    """A dynamic block in Terraform's JSON syntax."""
    body: dict[str, Any] = {"for_each": template(dynamic.for_each), "content": said(dynamic.content)}
    if dynamic.iterator != label and not dynamic.iterator.startswith("_"):  # such a one is not used
        body["iterator"] = dynamic.iterator
    return body


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
        parts = {name: _apart(inner) for name, inner in (item if isinstance(item, Mapping) else {}).items()}
        author = {name: written for name, (written, _) in parts.items()}
        result.order += tuple(name for name in author if name not in result.order)
        for name, inner in attribute.items():
            again = name in result.blocks and not author.get(name)  # an earlier item has said more
            if isinstance(inner, Mapping) and inner.get("isBlock") and not again:
                result.blocks[name] = _nested_shape(author.get(name), inner.get("value"), _struct(hints.get(name)))
        for name, (_, dynamic) in parts.items():
            if dynamic is not None and (content := _struct(hints.get(name))):
                result.blocks[name] = _dynamic_shape(content, dynamic.content)
    return result


def _dynamic_shape(struct: type, content: Mapping[str, Any]) -> hcl.Shape:
    hints = _hints(struct)
    result = hcl.Shape(order=tuple(content))
    for name, value in content.items():
        inner = _struct(hints[name])
        item = value.content if isinstance(value, Dynamic) else value[0] if isinstance(value, list) and value else value
        if inner is not None and isinstance(item, Mapping):
            result.blocks[name] = _dynamic_shape(inner, item)
    return result
