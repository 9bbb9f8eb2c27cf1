"""Terraform expressions as Python values that the typed bindings accept.

A string needs nothing: `"${each.key}"` is one already. A number, a boolean, a list or a map does, because jsii checks
types: these give a token that renders as the expression.
"""

from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.cdktn import Token

Model = TypeVar("Model", bound=BaseModel)


def number(expression: str) -> int:
    """A numeric expression."""
    return cast(int, Token.as_number(f"${{{expression}}}"))


def boolean(expression: str) -> bool:
    """A boolean expression."""
    return cast(bool, Token.as_any(f"${{{expression}}}"))


def strings(expression: str) -> list[str]:
    """An expression that gives a list or set of strings."""
    return Token.as_list(f"${{{expression}}}")


def string_map(expression: str) -> dict[str, str]:
    """An expression that gives a map of strings."""
    return cast(dict[str, str], Token.as_string_map(f"${{{expression}}}"))


def jsonencode(value: Any) -> str:
    """`jsonencode(…)` of a Python value whose strings are templates."""
    return f"${{jsonencode({hcl.expression(value)})}}"


def tokens(model: type[Model], path: str) -> Model:
    """An instance of `model` whose fields are the expressions `path.field`: `var.memory_mb`, `each.value.memory_mb`."""
    fields = {name: _token(field.annotation, f"{path}.{name}") for name, field in model.model_fields.items()}
    return model.model_construct(**fields)


def _token(annotation: Any, path: str) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _token(next(item for item in arguments if item is not type(None)), path)
    if origin is Literal:
        return _token(type(arguments[0]), path)
    if annotation in (int, float):
        return number(path)
    if annotation is bool:
        return boolean(path)
    if origin in (list, set) and arguments[0] is str:
        return strings(path)
    if origin is dict and arguments[1] is str:
        return string_map(path)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tokens(annotation, path)
    return f"${{{path}}}"
