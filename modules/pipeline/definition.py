"""Definition of a pipeline: its parameters, and its text for SageMaker."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops.authoring.expressions import (
    all_groups,
    can,
    contains,
    difference,
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
#: Step types. Source: StepTypeEnum of the SageMaker Python SDK 3; a test compares them.
STEP_TYPES = (
    "AutoML",
    "Callback",
    "ClarifyCheck",
    "Cleanup",
    "Condition",
    "EMR",
    "EMRServerless",
    "Endpoint",
    "EndpointConfig",
    "Fail",
    "ForEach",
    "InferenceComponent",
    "Job",
    "Lambda",
    "Lineage",
    "Model",
    "Processing",
    "QualityCheck",
    "RegisterModel",
    "Training",
    "Transform",
    "Tuning",
)
#: Reference to a parameter in a definition, as `jsonencode` writes it. \x22 is a quotation mark: checkov does not parse
#: an escaped one within a template.
_REFERENCE = r"\x22Get\x22:\x22Parameters\.([^\x22]+)\x22"
_WHOLE = "-?(0|[1-9][0-9]*)"


def _parameters(definition: str) -> Any:
    """Return the parameters of a definition; empty if it declares none."""
    nothing: list[Any] = []
    return get(jsondecode(definition), "Parameters", nothing)


def list_parameter_names(definition: str) -> list[str]:
    """Return the names of the parameters of a definition."""
    return list_of(_parameters(definition), lambda parameter: parameter.Name)


def list_unknown_step_types(definition: str) -> Any:
    """Return the step types of a definition that SageMaker does not have."""
    return difference(list_of(jsondecode(definition).Steps, lambda step: step.Type), STEP_TYPES)


def list_undeclared_references(definition: str) -> Any:
    """Return the parameters that a definition uses and does not declare."""
    references = list_of(all_groups(_REFERENCE, jsonencode(jsondecode(definition))), lambda groups: groups[0])
    return difference(references, list_parameter_names(definition))


def find_mistyped_parameters(definition: str, values: Mapping[str, str]) -> list[str]:
    """Return the names of the parameters whose text is not a value of their type."""
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
    """Return the pattern of the JSON values of a type."""
    number = when(type_ == INTEGER, f"^{_WHOLE}$", rf"^{_WHOLE}(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
    return when(type_ == BOOLEAN, "^(true|false)$", number)


def render_definition(definition: str, defaults: Mapping[str, str]) -> str:
    """Return the definition with these defaults, converted to the types of the parameters. Keys are sorted."""
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
