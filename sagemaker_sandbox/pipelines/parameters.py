"""The values of a pipeline's parameters in one execution."""

from typing import Any

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.pipelines.actions.outputs import CONVERSIONS
from sagemaker_sandbox.pipelines.definition import Definition, Parameter


def values(definition: Definition, given: dict[str, str]) -> dict[str, Any]:
    """Each parameter's value, of its type; raises ValidationError."""
    known = {parameter.name: parameter for parameter in definition.parameters}
    for name in given:
        if name not in known:
            raise ValidationError(f"Parameter '{name}' is not defined in the pipeline definition.")
    return {name: value(parameter, given.get(name)) for name, parameter in known.items()}


def value(parameter: Parameter, given: str | None) -> Any:
    """What is given, else the default, of the parameter's type and among its values; raises ValidationError."""
    found = parameter.default_value if given is None else given
    if found is None:
        raise ValidationError(f"Parameter '{parameter.name}' has no default value and must be given.")
    try:
        converted = CONVERSIONS[parameter.type](found)
    except (TypeError, ValueError):
        raise ValidationError(f"Value '{found}' of parameter '{parameter.name}' is no {parameter.type}.") from None
    if parameter.enum_values and converted not in parameter.enum_values:
        allowed = ", ".join(map(str, parameter.enum_values))
        raise ValidationError(f"Value '{converted}' of parameter '{parameter.name}' is none of: {allowed}.")
    return converted
