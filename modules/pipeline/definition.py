"""A pipeline's definition: what it declares, and the text that SageMaker is given of it."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops.authoring.expressions import (
    can,
    contains,
    get,
    jsondecode,
    jsonencode,
    list_of,
    map_of,
    match,
    merge,
    when,
)

TEXT, BOOLEAN, INTEGER = "String", "Boolean", "Integer"
_WHOLE = "-?(0|[1-9][0-9]*)"


def _parameters(definition: str) -> Any:
    """What a definition declares under Parameters, which it may leave out."""
    nothing: list[Any] = []
    return get(jsondecode(definition), "Parameters", nothing)


def list_parameter_names(definition: str) -> list[str]:
    """The names of the parameters that a definition declares."""
    return list_of(_parameters(definition), lambda parameter: parameter.Name)


def find_mistyped_parameters(definition: str, values: Mapping[str, str]) -> list[str]:
    """The names of the parameters whose given text is no value of their type."""
    return list_of(
        _parameters(definition),
        lambda parameter: parameter.Name,
        lambda parameter: (
            contains(list_of(values, lambda name, _: name), parameter.Name)
            & (parameter.Type != TEXT)
            & ~can(match(_values_of(parameter.Type), values[parameter.Name]))
        ),
    )


def _values_of(type_: str) -> str:
    """The pattern of the texts that are values of a type, as JSON writes them."""
    number = when(type_ == INTEGER, f"^{_WHOLE}$", rf"^{_WHOLE}(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
    return when(type_ == BOOLEAN, "^(true|false)$", number)


def render_definition(definition: str, defaults: Mapping[str, str]) -> str:
    """The definition with the defaults that are given, each of its parameter's type; its keys are sorted."""
    parameters = list_of(
        _parameters(definition),
        lambda parameter: merge(
            parameter,
            map_of(
                defaults,
                lambda _, value: jsondecode(when(parameter.Type == TEXT, jsonencode(value), value)),
                where=lambda name, _: name == parameter.Name,
                key=lambda _name, _value: "DefaultValue",
            ),
        ),
    )
    return jsonencode(merge(jsondecode(definition), {"Parameters": parameters}))
