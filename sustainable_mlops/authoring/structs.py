"""Nested blocks as plain dicts, checked against the types of the bindings."""

import functools
import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.expressions.scopes import Dynamic
from sustainable_mlops.authoring.expressions.tokens import to_json_syntax, to_template, to_token
from sustainable_mlops.base.errors import did_you_mean

#: Meta-arguments of every resource, which are not arguments of a class.
META_ARGUMENTS = ("depends_on", "for_each", "lifecycle")
#: Other parameters of the bindings, which modules do not use.
_OTHER = ("connection", "count", "id_", "provider", "provisioners", "scope", "self", "return")


@functools.cache
def _read_hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls.__init__)  # type: ignore[misc]  # the signature is what we read


def _list_types(annotation: Any) -> Iterator[Any]:
    """Yield every type in an annotation."""
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _list_types(argument)


def _find_struct(annotation: Any) -> type | None:
    """Return the binding class of a nested block that an annotation names, or None."""
    return next((member for member in _list_types(annotation) if hasattr(member, "__jsii_struct_bases__")), None)


def _is_required(cls: type, name: str) -> bool:
    parameter = inspect.signature(cls.__init__).parameters[name]  # type: ignore[misc]  # as above
    return parameter.default is inspect.Parameter.empty


def split_arguments(cls: type, values: Mapping[str, Any], path: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Split `values` into arguments of `cls` and overrides by path.

    Nested dicts become instances of binding classes, and dynamic blocks become overrides. Raises UserError with the
    path for an unknown argument and for a value of another kind.
    """
    hints = _read_hints(cls)
    accepted: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for name, value in values.items():
        location = f"{path}.{name}" if path else name
        if name not in hints or name in (*META_ARGUMENTS, *_OTHER):
            raise make_author_error(_describe_unknown_argument(cls, name, path))
        struct = _find_struct(hints[name])
        value, dynamic = _split_dynamic(value)
        if dynamic is not None:
            if struct is not None:
                split_arguments(struct, dynamic.content, location)
                _require_arguments(struct, dynamic.content, location)
            prefix = f"{path}." if path else ""
            overrides[f"{prefix}dynamic.{name}"] = build_dynamic_body(name, dynamic)
            if _is_required(cls, name):
                accepted[name] = []  # required by the bindings; an empty list writes no block
            if not value:
                continue
        if struct is not None and isinstance(value, Mapping):
            inner, nested = split_arguments(struct, value, location)
            accepted[name], overrides = _build_struct(struct, inner, location), overrides | nested
        elif struct is not None and isinstance(value, list):
            items = [split_arguments(struct, item, f"{location}.{index}") for index, item in enumerate(value)]
            accepted[name] = [_build_struct(struct, inner, location) for inner, _ in items]
            for _, nested in items:
                overrides |= nested
        else:
            accepted[name] = to_token(value, hints[name], location)
    return accepted, overrides


def _split_dynamic(value: Any) -> tuple[Any, Dynamic[Any, Any] | None]:
    """Return the static blocks and the dynamic block of a value."""
    if isinstance(value, Dynamic):
        return None, value
    if isinstance(value, list) and value and isinstance(value[-1], Dynamic):
        return value[:-1], value[-1]
    return value, None


def _build_struct(struct: type, values: Mapping[str, Any], location: str) -> Any:
    _require_arguments(struct, values, location)
    return struct(**values)


def _require_arguments(struct: type, values: Mapping[str, Any], location: str) -> None:
    """Raise UserError if a nested block lacks a required argument."""
    missing = [
        name for name in _read_hints(struct) if name != "return" and _is_required(struct, name) and name not in values
    ]
    if missing:
        raise make_author_error(f"{location} needs {', '.join(missing)}")


def _describe_unknown_argument(cls: type, name: str, path: str) -> str:
    if name == "count":
        return "count renumbers instances when one is removed: use for_each=each_of(a map or a set)"
    known = {*_read_hints(cls), *(() if path else META_ARGUMENTS)} - {*_OTHER}
    return f"{cls.__name__} has no argument '{name}'{f' (at {path})' if path else ''}{did_you_mean(name, known)}"


def convert_arguments(values: Any) -> Any:
    """Return arguments in Terraform's JSON syntax, with dynamic blocks under `dynamic`."""
    if isinstance(values, Mapping):
        parts = {name: _split_dynamic(value) for name, value in values.items()}
        dynamic = {name: build_dynamic_body(name, block) for name, (_, block) in parts.items() if block is not None}
        rest = {
            name: convert_arguments(value)
            for name, (value, _) in parts.items()
            if value is not None or name not in dynamic
        }
        return {**rest, "dynamic": dynamic} if dynamic else rest
    return (
        [convert_arguments(value) for value in values] if isinstance(values, list | tuple) else to_json_syntax(values)
    )


def build_dynamic_body(label: str, dynamic: Dynamic[Any, Any]) -> dict[str, Any]:
    """Return a dynamic block in Terraform's JSON syntax."""
    body: dict[str, Any] = {"for_each": to_template(dynamic.for_each), "content": convert_arguments(dynamic.content)}
    if dynamic.iterator != label and not dynamic.iterator.startswith("_"):  # an unused iterator
        body["iterator"] = dynamic.iterator
    return body


def build_layout(cls: type, values: Mapping[str, Any], known: Mapping[str, Any]) -> hcl.BlockLayout:
    """Return the layout of a block: the order from the author's `values`, the blocks from the bindings' `known`."""
    return _build_nested_layout(values, known, cls)


def _build_nested_layout(value: Any, known: Any, struct: type | None) -> hcl.BlockLayout:
    hints = _read_hints(struct) if struct else {}
    values = value if isinstance(value, list) else [value]
    attributes = known if isinstance(known, list) else [known]
    result = hcl.BlockLayout()
    for item, attribute in zip(values, attributes, strict=False):
        if not isinstance(attribute, Mapping):
            continue
        parts = {name: _split_dynamic(inner) for name, inner in (item if isinstance(item, Mapping) else {}).items()}
        author = {name: static for name, (static, _) in parts.items()}
        result.order += tuple(name for name in author if name not in result.order)
        for name, inner in attribute.items():
            is_repeated = name in result.blocks and not author.get(name)  # an earlier item has the full layout
            if isinstance(inner, Mapping) and inner.get("isBlock") and not is_repeated:
                result.blocks[name] = _build_nested_layout(
                    author.get(name), inner.get("value"), _find_struct(hints.get(name))
                )
        for name, (_, dynamic) in parts.items():
            if dynamic is not None and (content := _find_struct(hints.get(name))):
                result.blocks[name] = _build_dynamic_layout(content, dynamic.content)
    return result


def _build_dynamic_layout(struct: type, content: Mapping[str, Any]) -> hcl.BlockLayout:
    hints = _read_hints(struct)
    result = hcl.BlockLayout(order=tuple(content))
    for name, value in content.items():
        inner = _find_struct(hints[name])
        item = value.content if isinstance(value, Dynamic) else value[0] if isinstance(value, list) and value else value
        if inner is not None and isinstance(item, Mapping):
            result.blocks[name] = _build_dynamic_layout(inner, item)
    return result
