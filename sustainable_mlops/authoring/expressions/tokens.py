"""Conversion of expressions to Terraform's JSON syntax, and to jsii tokens for the arguments of bindings."""

import typing
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any

from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.cdktn import Token
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import Expression, get_node, to_hcl
from sustainable_mlops.authoring.expressions.node import ExpressionNode
from sustainable_mlops.authoring.expressions.rendering import render


def to_template(node: ExpressionNode) -> str:
    """Return a node as a template with nothing else in it."""
    return f"${{{render(node)}}}"


def to_json_syntax(value: Any, null: str | None = None) -> Any:
    """Return a value in Terraform's JSON syntax: expressions become templates, and None becomes `null`."""
    if isinstance(value, Expression):
        return to_template(get_node(value))
    if isinstance(value, Mapping):
        return {name: to_json_syntax(item, null) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_syntax(item, null) for item in value]
    return null if value is None else value


def to_token(value: Any, hint: Any, argument: str) -> Any:
    """Return a value for an argument of the bindings with this type hint. Raises UserError for another kind."""
    if not isinstance(value, Expression):
        return to_json_syntax(value)
    template, kinds = to_template(get_node(value)), list(dict.fromkeys(_list_kinds(hint)))
    kind = types.find_kind(get_node(value).type)
    if not _fits(kind, kinds):
        raise make_author_error(f"{argument} takes a {' or '.join(kinds)}; {to_hcl(value)} is a {kind}")
    if "text" in kinds or not kinds:
        return template
    if "number" in kinds:
        return Token.as_number(template)
    if "list" in kinds:
        return Token.as_list(template)
    if "map" in kinds:
        return Token.as_string_map(template)
    return Token.as_any(template)


def _fits(kind: str, kinds: Sequence[str]) -> bool:
    """Return whether Terraform converts one kind into another: only text, numbers and booleans."""
    scalars = {"text", "number", "bool"}
    return not kinds or kind in ("any", "null", *kinds) or (kind in scalars and bool(scalars & set(kinds)))


def _list_kinds(hint: Any) -> Iterator[str]:
    """Yield the kinds of values in a type hint of the bindings."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        for argument in arguments:
            yield from _list_kinds(argument)
    elif origin in (list, Sequence):
        yield "list"
    elif origin in (dict, Mapping):
        yield "map"
    elif hint in (int, float):
        yield "number"
    elif hint is bool:
        yield "bool"
    elif hint is str:
        yield "text"
