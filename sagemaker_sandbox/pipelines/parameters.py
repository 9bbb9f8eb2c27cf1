"""Parameter values of one execution."""

from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.pipelines.actions.outputs import CONVERSIONS
from sagemaker_sandbox.pipelines.definition import PipelineDefinition, PipelineParameter


def convert_values(definition: PipelineDefinition, texts: dict[str, str]) -> dict[str, Any]:
    """Return the value of each parameter in its type. Raises ValidationError."""
    declared_parameters = {parameter.name: parameter for parameter in definition.parameters}
    for name in texts:
        if name not in declared_parameters:
            raise ValidationError(f"Parameter '{name}' is not defined in the pipeline definition.")
    return {name: convert_value(parameter, texts.get(name)) for name, parameter in declared_parameters.items()}


def convert_value(parameter: PipelineParameter, text: str | None) -> Any:
    """Return a text or the default in the parameter's type. Raises ValidationError."""
    value = parameter.default_value if text is None else text
    if value is None:
        raise ValidationError(f"Parameter '{parameter.name}' has no default value and is required.")
    try:
        converted = CONVERSIONS[parameter.type](value)
    except (TypeError, ValueError):
        raise ValidationError(
            f"Value '{value}' of parameter '{parameter.name}' is not of type {parameter.type}."
        ) from None
    if parameter.enum_values and converted not in parameter.enum_values:
        allowed = ", ".join(map(str, parameter.enum_values))
        raise ValidationError(f"Value '{converted}' of parameter '{parameter.name}' must be one of: {allowed}.")
    return converted
