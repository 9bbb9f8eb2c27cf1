"""A pipeline's definition: what it declares, and the text that SageMaker is given of it."""

from typing import TYPE_CHECKING, Any

from sustainable_mlops.authoring.expressions import (
    can,
    contains,
    get,
    jsondecode,
    jsonencode,
    list_of,
    map_of,
    merge,
    when,
)

if TYPE_CHECKING:
    from modules.pipeline.inputs import Inputs

TEXT = "String"


def _parameters(definition: str) -> Any:
    """What a definition declares under Parameters, which it may leave out."""
    nothing: list[Any] = []
    return get(jsondecode(definition), "Parameters", nothing)


def names(definition: str) -> list[str]:
    """The names of the parameters that a definition declares."""
    return list_of(_parameters(definition), lambda parameter: parameter.Name)


def mistyped(var: "Inputs") -> list[str]:
    """The names of the parameters that are given as text and that are neither text nor what JSON knows otherwise."""
    return list_of(
        _parameters(var.definition),
        lambda parameter: parameter.Name,
        lambda parameter: (
            contains(list_of(var.parameters, lambda name, _: name), parameter.Name)
            & (parameter.Type != TEXT)
            & ~can(jsondecode(var.parameters[parameter.Name]))
        ),
    )


def rendered(var: "Inputs") -> str:
    """The definition with the defaults that are given, each of its parameter's type; its keys are sorted."""
    parameters = list_of(
        _parameters(var.definition),
        lambda parameter: merge(
            parameter,
            map_of(
                var.parameters,
                lambda _, value: jsondecode(when(parameter.Type == TEXT, jsonencode(value), value)),
                where=lambda name, _: name == parameter.Name,
                key=lambda _name, _value: "DefaultValue",
            ),
        ),
    )
    return jsonencode(merge(jsondecode(var.definition), {"Parameters": parameters}))
