"""The one place where expressions become what others take: Terraform's JSON syntax, and tokens of jsii by the hint of
the binding's argument."""

import typing
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any

from sustainable_mlops.authoring.author_errors import author_error
from sustainable_mlops.authoring.cdktn import Token
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import Expression, get_node, to_hcl
from sustainable_mlops.authoring.expressions.node import ExpressionNode
from sustainable_mlops.authoring.expressions.rendering import render


def to_template(node: ExpressionNode) -> str:
    """A tree as a template that is nothing but it."""
    return f"${{{render(node)}}}"


def to_json_syntax(value: Any, null: str | None = None) -> Any:
    """A value in Terraform's JSON syntax: each expression in it a template, and what is null as `null` says."""
    if isinstance(value, Expression):
        return to_template(get_node(value))
    if isinstance(value, Mapping):
        return {name: to_json_syntax(item, null) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_syntax(item, null) for item in value]
    return null if value is None else value


def to_token(value: Any, hint: Any, argument: str) -> Any:
    """A value as the bindings take it for an argument of this hint. Raises UserError where it is of another kind."""
    if not isinstance(value, Expression):
        return to_json_syntax(value)
    template, kinds = to_template(get_node(value)), list(dict.fromkeys(_kinds(hint)))
    kind = types.kind_of(get_node(value).type)
    if not _fits(kind, kinds):
        raise author_error(f"{argument} takes a {' or '.join(kinds)}; {to_hcl(value)} is a {kind}")
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
    """Terraform converts text, numbers and booleans into each other, and nothing else."""
    scalars = {"text", "number", "bool"}
    return not kinds or kind in ("any", "null", *kinds) or (kind in scalars and bool(scalars & set(kinds)))


def _kinds(hint: Any) -> Iterator[str]:
    """The kinds of value that a hint of the bindings names."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        for argument in arguments:
            yield from _kinds(argument)
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
